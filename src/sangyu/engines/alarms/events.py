"""What rules look at: readings, alarm frames, places, signs of life, and a person's word that an alert was dealt with."""

from dataclasses import dataclass
from datetime import datetime

READING, ALARM, PLACE, SEEN, ACKNOWLEDGED = "reading", "alarm", "place", "seen", "acknowledged"
# At one moment: context before what is judged by it, an acknowledgement last.
_ORDER = {SEEN: 0, READING: 1, PLACE: 2, ALARM: 3, ACKNOWLEDGED: 4}
_CONTEXT = frozenset({"in_bed", "signal_quality"})


@dataclass(frozen=True, slots=True)
class Event:
    """``at`` is the device's time where it can be trusted, else the time received (the caller decides, devices.md §0.6); ``SEEN`` always the latter.

    ``value``: of a reading its number, of a place (latitude, longitude, accuracy), of an acknowledgement when it was said.
    """

    at: datetime
    kind: str
    name: str = ""
    value: object = None

    @property
    def key(self) -> tuple:
        """Total order of events; equal keys are the same event sent again."""
        return (self.at, _ORDER[self.kind], self.name not in _CONTEXT, self.name, repr(self.value))


def reading(at: datetime, name: str, value: float) -> Event:
    return Event(at, READING, name, float(value))


def alarm(at: datetime, name: str) -> Event:
    """An alarm frame or bit of that kind."""
    return Event(at, ALARM, name)


def place(at: datetime, latitude: float, longitude: float, accuracy: float = 0) -> Event:
    """A usable position in WGS-84."""
    return Event(at, PLACE, "", (float(latitude), float(longitude), float(accuracy)))


def seen(at: datetime) -> Event:
    """Anything at all was received."""
    return Event(at, SEEN)


def acknowledged(through: datetime, said_at: datetime) -> Event:
    """A person dealt with the latched alert; ``through`` is the last event that this person was shown. What the device did after it raises anew,
    however late it arrives."""
    return Event(through, ACKNOWLEDGED, "", said_at)
