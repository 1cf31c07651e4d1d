"""Life events recorded past this room (status lists, transfers, the API) get their row and check list here. Repeatable."""

from datetime import date

from sangyu.kernel.actor import Actor
from sangyu.kernel.events import on
from sangyu.registry.people import events as people

from . import services
from .enums import Kind


def _ensure(actor: Actor, kind: Kind, payload: dict) -> None:
    services.ensure(actor=actor, person_id=payload["id"], kind=kind, on=date.fromisoformat(payload["on"]), source="")


@on(people.DIED)
def after_death(actor: Actor, path: str, **payload) -> None:
    _ensure(actor, Kind.DEATH, payload)


@on(people.MOVED)
def after_move(actor: Actor, path: str, **payload) -> None:
    _ensure(actor, Kind.MOVE, payload)


@on(people.ADMITTED)
def after_admission(actor: Actor, path: str, **payload) -> None:
    _ensure(actor, Kind.INSTITUTION, payload)


@on(people.HOSPITALISED)
def after_hospital(actor: Actor, path: str, **payload) -> None:
    _ensure(actor, Kind.HOSPITAL, payload)


@on(people.DISCHARGED)
def after_return(actor: Actor, path: str, **payload) -> None:
    _ensure(actor, Kind.HOME, payload)
