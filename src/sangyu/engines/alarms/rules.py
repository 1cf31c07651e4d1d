"""A rule: what is bad, what is good again, how often or how long before somebody is told, and when it is over."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import Enum
from math import asin, cos, radians, sin, sqrt
from zoneinfo import ZoneInfo

from ..codecs.kinds import AlarmKind
from .events import ALARM, PLACE, READING, SEEN, Event

EARTH_RADIUS = 6_371_008.8
ZONE = ZoneInfo("Asia/Shanghai")
NO_TIME = timedelta()


class Verdict(Enum):
    BAD = "bad"
    GOOD = "good"
    BETWEEN = "between"  # inside the margin: neither raises nor clears


@dataclass(frozen=True)
class Circle:
    """A fence: centre in WGS-84, radius in metres; ``inside`` False: the wearer must stay out of it."""

    latitude: float
    longitude: float
    radius: float
    inside: bool = True

    def beyond(self, latitude: float, longitude: float) -> float:
        """Metres on the wrong side of the line; negative on the right side."""
        a, b = radians(self.latitude), radians(latitude)
        half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(longitude - self.longitude) / 2) ** 2
        distance = 2 * EARTH_RADIUS * asin(min(1.0, sqrt(half)))
        return distance - self.radius if self.inside else self.radius - distance


@dataclass(frozen=True)
class Rule:
    """Exactly one of ``readings``, ``alarms``, ``fence`` (or ``fenced``: the wearer's own) and ``silent`` says what is looked at.

    Raised when ``times`` bad events lie within ``within`` and the bad stretch stands for ``stands``; or, with ``lasting``, when it is bad (or, with
    ``silent``, when nothing came) for so long. Over ``clear_after`` the first good event unless a bad one follows; or ``hold`` after the last bad one;
    a latched alert only by a person. ``hours``: local time of day in which it counts. ``context``: name → least value that must be known to hold.
    """

    code: str
    name: str
    alarm: AlarmKind
    level: int
    readings: frozenset[str] = frozenset()
    alarms: frozenset[str] = frozenset()
    fenced: bool = False
    silent: bool = False
    low: float | None = None
    high: float | None = None
    margin: float = 0
    times: int = 1
    within: timedelta = timedelta(minutes=10)
    stands: timedelta = NO_TIME
    lasting: timedelta = NO_TIME
    clear_after: timedelta = NO_TIME
    hold: timedelta = NO_TIME
    latch: bool = False
    hours: tuple[time, time] | None = None
    context: dict[str, float] = field(default_factory=dict)
    fence: Circle | None = None

    def verdict(self, event: Event, context: dict[str, float]) -> Verdict | None:
        """What ``event`` means for this rule; None: nothing."""
        if event.kind == SEEN:
            return Verdict.GOOD if self.silent else None
        if event.kind == ALARM:
            return Verdict.BAD if event.name in self.alarms else None
        if event.kind == PLACE:
            return self._place(*event.value) if self.fence else None
        if event.kind == READING and event.name in self.readings:
            return self._reading(event.value) if self.holds(context) else None
        return None

    def holds(self, context: dict[str, float]) -> bool:
        """Is everything known that this rule needs, and enough?"""
        return all(context.get(name, float("-inf")) >= least for name, least in self.context.items())

    def _reading(self, value: float) -> Verdict:
        low, high = self.low, self.high
        if (low is not None and value < low) or (high is not None and value > high):
            return Verdict.BAD
        if (low is None or value >= low + self.margin) and (high is None or value <= high - self.margin):
            return Verdict.GOOD
        return Verdict.BETWEEN

    def _place(self, latitude: float, longitude: float, accuracy: float) -> Verdict:
        beyond = self.fence.beyond(latitude, longitude)
        if beyond > max(self.margin, accuracy):
            return Verdict.BAD
        return Verdict.GOOD if beyond <= 0 else Verdict.BETWEEN

    def due(self, since: datetime) -> datetime | None:
        """When a stretch that began at ``since`` has lasted long enough; it must lie inside the hours, so who was not in bed yet has not left it."""
        if not self.lasting:
            return None
        due = since + self.lasting
        if self.hours is None:
            return due
        start, end = self._window(since)
        return due if start <= since and due <= end else None

    def _window(self, at: datetime) -> tuple[datetime, datetime]:
        """The stretch of hours that contains ``at``, or the next one."""
        first, last = self.hours
        local = at.astimezone(ZONE)
        day = local.date() - timedelta(days=1)
        while True:
            start = datetime.combine(day, first, ZONE)
            end = datetime.combine(day + timedelta(days=1) if last <= first else day, last, ZONE)
            if local < end:
                return start, end
            day += timedelta(days=1)
