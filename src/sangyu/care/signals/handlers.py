"""What other rooms' events mean here: signals of a device that changed hands start anew. Repeatable."""

from django.utils import timezone

from sangyu.kernel.actor import Actor
from sangyu.kernel.events import on
from sangyu.registry.devices import events as devices

from . import judging
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
