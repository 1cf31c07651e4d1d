"""What other rooms' events mean here: signals of a device that changed hands start anew. Repeatable."""

from django.utils import timezone

from sangyu.kernel.actor import Actor
from sangyu.kernel.events import on
from sangyu.registry.devices import events as devices

from . import events, judging
from .enums import AlarmState
from .models import Alarm, Last, Watching


@on(devices.UNBOUND)
def after_return(actor: Actor, path: str, **payload) -> None:
    """What was going on about the last wearer is over, but for what a person has to say (SOS, fall)."""
    device, now = payload["id"], timezone.now()
    for row in Alarm.objects.filter(device_id=device, state=AlarmState.OPEN, level__gt=1).order_by("pk"):
        judging.end(row, AlarmState.CLEARED, now)
    open_rules = Alarm.objects.filter(device_id=device, state=AlarmState.OPEN).values("rule")
    Watching.objects.filter(device_id=device).exclude(rule__in=open_rules).delete()
    Last.objects.filter(device_id=device).update(silent=False)


@on(events.UNWATCHED)
def after_limit(actor: Actor, path: str, **payload) -> None:
    """What a fence or rule raised that is watched no more is over."""
    rows = Alarm.objects.filter(person_id=payload["person"], rule=payload["rule"], state=AlarmState.OPEN).order_by("pk")
    for row in rows:
        Watching.objects.filter(device_id=row.device_id, rule=row.rule).delete()
        judging.end(row, AlarmState.CLEARED, timezone.now())
