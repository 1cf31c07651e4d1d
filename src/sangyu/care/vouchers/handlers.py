"""What vouchers do when other rooms report something. Handlers run as jobs, at least once: every act here is
repeatable.
"""

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.events import on
from sangyu.registry.people.events import DIED

from . import services


@on(DIED)
def cancel_after_death(actor: Actor, path: str, **payload) -> None:
    """Vouchers go back to the programme; those that an order holds follow when the order has ended (expiry run)."""
    services.cancel_for_person(
        actor=actor, person_id=payload["id"], reason=_("The person has died"), today=timezone.localdate()
    )
