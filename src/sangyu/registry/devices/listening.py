"""Silent listening in: the device rings a number and nobody there hears that it does (R-090, devices.md §1 "Down").

Off unless three things are on record: the elder's consent to exactly this, the role of who asks, and the reason; and unless the product
names the command, which no ordinary one does. Imported through ``services``.
"""

import json
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.engines.codecs.commands import Authorisation, ListenIn
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import Forbidden, Invalid, Refused
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import Purpose

from . import selectors, store
from .building import not_encodable
from .enums import State
from .models import Command, Device

#: It is asked for because of what happens now: a device that is heard later calls nobody.
TERM = timedelta(minutes=5)
PERMISSION = "devices.listen_in"


@service(PERMISSION)
def listen_in(*, actor: Actor, device_id: int, number: str, reason: str, now: datetime | None = None) -> Command:
    """Have the device call ``number`` silently within five minutes, once; the look is logged with its ``reason``.

    Raises NotVisible, Forbidden (to whoever is not staff), Invalid, Refused: "devices.retired", "devices.no_command",
    "devices.nobody_wears", "devices.consent", "devices.queue".
    """
    now, reason = now or timezone.now(), reason.strip()
    if actor.audience is not Audience.STAFF or not actor.role:
        raise Forbidden(PERMISSION)
    device = store.locked(actor, device_id)
    if device.state == State.RETIRED:
        raise Refused(_("This device is not in use."), code="devices.retired")
    if ListenIn.name not in selectors.commands_of(device):
        raise Refused(_("The product has no such command, or its settings do not allow it."), code="devices.no_command")
    if device.person_id is None:
        raise Refused(_("Nobody wears this device: nobody has agreed."), code="devices.nobody_wears")
    if not reason:
        raise Invalid({"reason": [_("Say why; it is kept and shown to the elder.")]})
    consent = people.consent_in_force(device.person_id, Purpose.LISTEN_IN)
    if consent is None:
        raise Refused(
            _("The elder has not agreed to silent listening-in, or has withdrawn it."), code="devices.consent"
        )
    ground = Authorisation(str(consent), actor.role, reason, actor.name, now + TERM)
    if wrong := not_encodable(device, ListenIn(number, ground), now):
        raise Invalid({"number": [_("This value does not fit the command: %(why)s.") % {"why": wrong}]})
    log_read(actor=actor, what="listen_in", objects=[people.get_person(actor, device.person_id)], purpose=reason[:200])
    return store.queue(
        actor, device, ListenIn.name, {"number": number}, reason=reason, waits=TERM, now=now, consent_id=consent, role=actor.role
    )  # fmt: skip


def authorised(device: Device, found: Command) -> ListenIn | str:
    """What is sent for a queued ``found``; why not, when the consent on which it rests holds no more, or not for who wears the device now."""
    held = people.consent_in_force(device.person_id, Purpose.LISTEN_IN) if device.person_id else None
    if held is None or held != found.consent_id:
        return "the consent holds no more"
    ground = Authorisation(str(held), found.role, found.reason, found.given_by, found.expires_at)
    return ListenIn(str(json.loads(found.arguments)["number"]), ground)
