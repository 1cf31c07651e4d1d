"""What the register of persons learns ends or opens stays here. Repeatable."""

from datetime import date, timedelta

from sangyu.kernel.actor import Actor
from sangyu.kernel.events import on
from sangyu.registry.people import events as people

from . import services
from .enums import EndReason


@on(people.DIED)
def after_death(actor: Actor, path: str, **payload) -> None:
    """The day of death is the last day lived there."""
    day = date.fromisoformat(payload["on"]) + timedelta(days=1)
    services.end_by_event(actor=actor, person_id=payload["id"], on=day, reason=EndReason.DEATH)


@on(people.DEATH_REVOKED)
def after_mistake(actor: Actor, path: str, **payload) -> None:
    services.reopen_after_death(actor=actor, person_id=payload["id"])


@on(people.DISCHARGED)
def after_return(actor: Actor, path: str, **payload) -> None:
    day = date.fromisoformat(payload["on"])
    services.end_by_event(actor=actor, person_id=payload["id"], on=day, reason=EndReason.HOME)


@on(people.RESIDENCE_REVOKED)
def after_revoking(actor: Actor, path: str, **payload) -> None:
    services.remove_revoked(actor=actor, person_id=payload["id"], on=date.fromisoformat(payload["on"]))
