"""Acts on signals. ``take``, ``due`` and ``acknowledge`` run in the caller's scope and transaction (the consumer's, the room of emergencies')."""

from collections.abc import Iterable
from datetime import datetime

from sangyu.engines.codecs.entries import Entry
from sangyu.engines.codecs.kinds import LEVELS, LIFE
from sangyu.kernel.actor import Actor

from . import intake, judging, supervision
from .enums import AlarmState
from .limits import draw_fence, end_fence, end_limit, set_limit
from .models import Alarm
from .raised import Raised
from .retention import keep_days

__all__ = [
    "Raised", "acknowledge", "draw_fence", "due", "end_fence", "end_limit", "forget_days", "keep_days", "resets", "set_aside", "set_limit", "take",
    "tell_register",
]  # fmt: skip


def take(entries: Iterable[Entry], *, actor: Actor, now: datetime) -> list[Raised]:
    """Take messages in (idempotent: known ids drop out): readings, last states, alarms. Answers alarms raised, and those that came again."""
    return intake.take(entries, actor=actor, now=now)


#: What a device may take back ("all is fine again").
_CALLS = frozenset(kind for kind, level in LEVELS.items() if level == LIFE)


def resets(entries: Iterable[Entry]) -> list[int]:
    """Devices that say now that a call for help of theirs is over. What was buffered says nothing of now."""
    found = {
        e.device for e in entries if e.states and not e.late and any(not on and name in _CALLS for name, on in e.states.items())
    }  # fmt: skip
    return sorted(found)


def due(*, actor: Actor, now: datetime, limit: int = 500, behind: bool = False) -> list[Raised]:
    """What time alone brought about up to ``now``. ``behind``: the stream holds messages that were not read yet; silence says nothing then."""
    if behind:
        supervision.behind(now)
    return supervision.due(now, limit)


def tell_register(*, actor: Actor) -> bool:
    """Copy last heard and battery of some devices to the register. Whether more may wait."""
    return supervision.tell_register()


def acknowledge(alarm_ids: Iterable[int], *, actor: Actor, through: datetime | None = None, now: datetime) -> int:
    """Somebody dealt with these alarms, having seen what the devices said up to ``through`` (None: up to now). Answers how many were open.

    What a device does after that raises anew, however late it arrives.
    """
    rows = (
        Alarm.objects.select_for_update(of=("self",))
        .filter(pk__in=list(alarm_ids), state=AlarmState.OPEN)
        .order_by("pk")
    )
    rows = list(rows)
    judging.acknowledge(rows, by=actor.name, through=through or now, now=now)
    return len(rows)


def set_aside(
    body: bytes, *, actor: Actor, reason: str, subject: str = "", sequence: int | None = None, now: datetime
) -> None:
    """Keep a message that cannot be taken."""
    from .models import Poison

    Poison.objects.create(body=body, reason=reason[:500], subject=subject[:200], sequence=sequence, kept_at=now)


def forget_days() -> None:
    """After a failed transaction: this process looks again which days are there."""
    from .copying import forget_days as forget

    forget()
