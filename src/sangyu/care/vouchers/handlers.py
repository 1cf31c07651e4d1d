"""What vouchers do when other rooms report something. Handlers run as jobs, at least once: every act here is
repeatable.
"""

from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.events import on
from sangyu.registry.lifeevents import services as lifeevents
from sangyu.registry.lifeevents.enums import Item, Kind
from sangyu.registry.people.events import DIED

from . import selectors, services
from .enums import State


@on(DIED)
def cancel_after_death(actor: Actor, path: str, **payload) -> None:
    """Vouchers go back to the programme; those that an order holds follow when the order has ended (expiry run)."""
    person_id = payload["id"]
    ended = services.cancel_for_person(
        actor=actor, person_id=person_id, reason=_("The person has died"), today=timezone.localdate()
    )
    left = selectors.vouchers_of_person(actor, person_id).filter(state__in=(State.ACTIVE, State.LOST)).count()
    lifeevents.report(
        actor=actor, person_id=person_id, kind=Kind.DEATH, on=date.fromisoformat(payload["on"]), item=Item.VOUCHERS,
        left=left,
        note=(_("%(n)s cancelled, %(left)s still held by a visit") if left else _("%(n)s cancelled"))
        % {"n": ended, "left": left},
    )  # fmt: skip
