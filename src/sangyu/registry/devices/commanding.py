"""Commands to devices: given by people, sent by the gateway when the device is heard (R-090, devices.md §1 "Down"). Imported through ``services``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.engines.codecs import Encoded
from sangyu.engines.codecs import commands as engine
from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people

from . import events, listening, selectors, store
from .building import built, encoded, not_encodable
from .enums import CommandState, State
from .models import Command, Device
from .products import product as product_of

#: A device that sleeps may hear of it so much later; a person who asks where somebody is does not want to know it tomorrow.
WAITS = timedelta(minutes=30)
MOST_WAITS = timedelta(days=7)
TRIES = 3
#: A command whose gateway died is taken back after this.
STUCK = timedelta(minutes=5)
#: Never twice: the device has acted perhaps, and only its word was lost.
ONCE = frozenset({"restart", "call", "listen_in"})


@dataclass(frozen=True, slots=True)
class ToSend:
    """What the gateway sends now."""

    id: int
    device_id: int
    encoded: Encoded


@service("devices.command")
def command(
    *,
    actor: Actor,
    device_id: int,
    name: str,
    arguments: Mapping[str, Any] | None = None,
    reason: str = "",
    minutes: int | None = None,
    now: datetime | None = None,
) -> Command:
    """Give a command; it is sent at once when the device is connected, else when it is heard, for ``minutes`` (30) at most.

    ``arguments``: seconds, number, text, at ("08:30") and days, hours, as the command has them; SOS numbers are those of the settings. To
    ask where somebody is needs the consent to position, or a ``reason``, which is kept (R-090); either way the look is logged.
    Raises NotVisible, Invalid, Refused: "devices.no_command", "devices.consent", "devices.queue", "devices.retired". Listening in
    has a service of its own (``listen_in``).
    """
    now = now or timezone.now()
    device = store.locked(actor, device_id)
    known = product_of(device.product)
    if device.state == State.RETIRED:
        raise Refused(_("This device is not in use."), code="devices.retired")
    allowed = selectors.commands_of(device)
    if known is None or name not in allowed or name == engine.ListenIn.name:
        raise Refused(_("The product has no such command, or its settings do not allow it."), code="devices.no_command")
    values = dict(arguments or {})
    if name == engine.SosNumbers.name:
        values = {"contacts": [c.pk for c in selectors.sos_numbers(device)]}
    asked = built(device, name, values)
    wrong = asked if isinstance(asked, str) else not_encodable(device, asked, now)
    if wrong:
        raise Invalid({_FIELD.get(name, "name"): [_("This value does not fit the command: %(why)s.") % {"why": wrong}]})
    if name == engine.LocateNow.name and device.person_id is not None:
        _check_look(actor, device, reason)
    waits = timedelta(minutes=minutes) if minutes else WAITS
    if not timedelta() < waits <= MOST_WAITS:
        raise Invalid({"minutes": [_("From one minute to seven days.")]})
    return store.queue(actor, device, name, values, reason=reason, waits=waits, now=now)


@service("devices.command")
def cancel_command(*, actor: Actor, command_id: int, now: datetime | None = None) -> Command:
    """Withdraw a command that was not sent yet. Raises NotVisible, Refused("devices.sent")."""
    found = Command.objects.visible_to(actor).select_for_update().filter(pk=command_id).first()
    if found is None:
        raise NotVisible
    if found.state != CommandState.QUEUED:
        raise Refused(_("It was sent already, or has ended."), code="devices.sent")
    return _end(found, CommandState.CANCELLED, "", now or timezone.now())


# ---------------------------------------------------------------- for the gateway
@service("devices.command")
def next_command(*, actor: Actor, device_id: int, family: str = "", now: datetime | None = None) -> ToSend | None:
    """Take the device's oldest waiting command to send it now; None when there is none or one is under way."""
    now = now or timezone.now()
    device = Device.objects.select_for_update().filter(pk=device_id).first()
    rows = Command.objects.filter(device_id=device_id)
    if device is None or rows.filter(state=CommandState.SENT).exists():
        return None
    for found in rows.filter(state=CommandState.QUEUED).order_by("pk"):
        if found.expires_at <= now:
            _end(found, CommandState.EXPIRED, "", now)
            continue
        asked = _asked(device, found)
        made = asked if isinstance(asked, str) else encoded(device, asked, found.pk, family, now)
        if not isinstance(made, Encoded):
            _end(found, CommandState.FAILED, made if isinstance(made, str) else made.detail or made.reason, now)
            continue
        found.state, found.sent_at, found.tries = CommandState.SENT, now, found.tries + 1
        found.save(update_fields=["state", "sent_at", "tries"])
        return ToSend(found.pk, device_id, made)
    return None


@service("devices.command")
def command_done(*, actor: Actor, command_id: int, confirmed: bool, note: str = "", now: datetime | None = None) -> str:
    """The device confirmed, or did not in time: then it waits for another try, or has failed. Answers the state."""
    found = Command.objects.select_for_update().filter(pk=command_id, state=CommandState.SENT).first()
    if found is None:
        return ""
    now = now or timezone.now()
    if confirmed:
        return _end(found, CommandState.CONFIRMED, note, now).state
    return _again(found, note or "no answer", now)


@service("devices.command")
def sweep_commands(*, actor: Actor, now: datetime | None = None) -> int:
    """End what waited too long; take back what a dead gateway had sent. Answers how many."""
    now = now or timezone.now()
    late = Command.objects.select_for_update(skip_locked=True)
    expired = list(late.filter(state=CommandState.QUEUED, expires_at__lte=now)[:1000])
    for found in expired:
        _end(found, CommandState.EXPIRED, "", now)
    stuck = list(late.filter(state=CommandState.SENT, sent_at__lte=now - STUCK)[:1000])
    for found in stuck:
        _again(found, "no answer", now)
    return len(expired) + len(stuck)


# ---------------------------------------------------------------- steps
def _again(found: Command, note: str, now: datetime) -> str:
    if found.name in ONCE or found.tries >= TRIES:
        return _end(found, CommandState.FAILED, note, now).state
    if found.expires_at <= now:
        return _end(found, CommandState.EXPIRED, note, now).state
    found.state, found.note = CommandState.QUEUED, note[:200]
    found.save(update_fields=["state", "note"])
    return found.state


def _end(found: Command, state: str, note: str, now: datetime) -> Command:
    found.state, found.ended_at, found.note = state, now, note[:200]
    found.save(update_fields=["state", "ended_at", "note"])
    emit(events.COMMAND_ENDED, path=found.path, id=found.device_id, command=found.pk, state=str(state))
    return found


_FIELD = {"report_interval": "seconds", "call": "number", "show_message": "text", "reminder": "at", "measure_heart_rate": "seconds", "set_time_zone": "hours"}  # fmt: skip


def _asked(device: Device, found: Command) -> "engine.Command | str":
    """The engine's value of a waiting command, or why there is none (any more)."""
    if found.name == engine.ListenIn.name:
        return listening.authorised(device, found)
    return built(device, found.name, json.loads(found.arguments))


def _check_look(actor: Actor, device: Device, reason: str) -> None:
    held = selectors.consents_of([device.person_id]).get(device.person_id, frozenset())
    if "location" not in held and not reason.strip():
        raise Refused(_("The elder has not agreed to be located: say why it must be done."), code="devices.consent")
    person = people.get_person(actor, device.person_id)
    log_read(actor=actor, what="position", objects=[person], purpose=reason.strip() or "locate_now")
