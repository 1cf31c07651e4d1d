"""What orders do when other rooms report something. Handlers run as jobs, at least once: every act here is
repeatable.
"""

from datetime import date

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.events import on

from . import services


@on("people.died")
def cancel_after_death(actor: Actor, path: str, **payload) -> None:
    """All visits that have not begun end, without fee."""
    services.cancel_for_person(actor=actor, person_id=payload["id"], from_day=None, reason=_("The elder has died"))


@on("people.left")
def cancel_after_move(actor: Actor, path: str, **payload) -> None:
    """Visits from the day of the move on end in the region that was left; the new one plans its own."""
    services.cancel_for_person(
        actor=actor,
        person_id=payload["id"],
        from_day=date.fromisoformat(payload["on"]),
        reason=_("The elder has moved"),
    )


@on("people.admitted")
def cancel_after_admission(actor: Actor, path: str, **payload) -> None:
    """Home visits end on the day of admission to an institution (R-129)."""
    services.cancel_for_person(
        actor=actor,
        person_id=payload["id"],
        from_day=date.fromisoformat(payload["on"]),
        reason=_("The elder lives in an institution now"),
    )


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
