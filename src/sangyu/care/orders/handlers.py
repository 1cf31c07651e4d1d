"""What orders do when other rooms report something. Handlers run as jobs, at least once: every act here is
repeatable.
"""

from datetime import date

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.events import on
from sangyu.registry.lifeevents import services as lifeevents
from sangyu.registry.lifeevents.enums import Item, Kind
from sangyu.ui.format import money

from . import selectors, services


@on("people.died")
def cancel_after_death(actor: Actor, path: str, **payload) -> None:
    """All visits that have not begun end, without fee; agreements end; what was done after the day is counted (X-03)."""
    day = date.fromisoformat(payload["on"])
    _cancel(actor, payload, Kind.DEATH, None, _("The elder has died"))
    ended = services.end_agreements_of(actor=actor, person_id=payload["id"], ended_on=day)
    _report(actor, payload, Kind.DEATH, Item.AGREEMENTS, 0, _("%(n)s ended") % {"n": ended})
    late = selectors.visits_after(actor, payload["id"], day)
    spent = sum(o.market_price for o in late)
    words = _("%(n)s visits, %(amount)s") % {"n": len(late), "amount": money(spent)} if late else _("nothing was used")
    _report(actor, payload, Kind.DEATH, Item.OVERUSE, len(late), words)


@on("people.left")
def cancel_after_move(actor: Actor, path: str, **payload) -> None:
    """Visits from the day of the move on end in the region that was left; the new one plans its own."""
    _cancel(actor, payload, Kind.MOVE, date.fromisoformat(payload["on"]), _("The elder has moved"))


@on("people.admitted")
def cancel_after_admission(actor: Actor, path: str, **payload) -> None:
    """Home visits end on the day of admission to an institution (R-129)."""
    day = date.fromisoformat(payload["on"])
    _cancel(actor, payload, Kind.INSTITUTION, day, _("The elder lives in an institution now"))


@on("people.hospitalised")
def cancel_after_hospital(actor: Actor, path: str, **payload) -> None:
    """Home visits end on the day of admission to a hospital; the return home plans anew."""
    day = date.fromisoformat(payload["on"])
    _cancel(actor, payload, Kind.HOSPITAL, day, _("The elder is in hospital"))


def _cancel(actor: Actor, payload: dict, kind: Kind, from_day: date | None, reason: str) -> None:
    ended = services.cancel_for_person(actor=actor, person_id=payload["id"], from_day=from_day, reason=reason)
    left = selectors.orders_of_person(actor, payload["id"]).open().count() if from_day is None else 0
    words = _("%(n)s cancelled, %(left)s still open") if left else _("%(n)s cancelled")
    _report(actor, payload, kind, Item.ORDERS, left, words % {"n": ended, "left": left})


def _report(actor: Actor, payload: dict, kind: Kind, item: Item, left: int, note: str) -> None:
    """Tell the check list of the life event how it stands."""
    day = date.fromisoformat(payload["on"])
    lifeevents.report(actor=actor, person_id=payload["id"], kind=kind, on=day, item=item, left=left, note=note)


@on("organisations.contract_ended")
def release_after_contract(actor: Actor, path: str, **payload) -> None:
    """Orders under the contract go back to dispatch."""
    services.release_from_organisation(
        actor=actor,
        organisation_id=payload["organisation_id"],
        contract_id=payload["id"],
        from_day=date.fromisoformat(payload["on"]),
        reason=_("The provider's contract has ended"),
    )


@on("organisations.suspended")
def release_after_suspension(actor: Actor, path: str, **payload) -> None:
    """All orders of the provider go back to dispatch."""
    services.release_from_organisation(
        actor=actor,
        organisation_id=payload["id"],
        contract_id=None,
        from_day=date.fromisoformat(payload["on"]),
        reason=_("The provider is suspended"),
    )


@on("organisations.ended")
def release_after_end(actor: Actor, path: str, **payload) -> None:
    """The same when the provider closes for good."""
    release_after_suspension(actor, path, **payload)


@on("workforce.left")
@on("workforce.suspended")
def release_from_worker(actor: Actor, path: str, **payload) -> None:
    """Visits of a worker who left or is suspended go back to dispatch from that day on (X-07)."""
    services.release_from_worker(
        actor=actor,
        worker_id=payload["id"],
        from_day=date.fromisoformat(payload["on"]),
        reason=_("The worker is no longer available"),
    )
