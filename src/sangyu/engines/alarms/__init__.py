"""Alarms by rule: what a device's readings, alarm frames and silence add up to, the same in any order (R-091, R-090; docs/adr/0022-signals-codecs.md part two).

``read(text, file=)`` → rules. ``Watch(rule)`` is the state of one device and rule: ``apply(events, now)`` → ``Changes`` and ``due``, the moment to
look again when nothing comes. ``storms`` folds many silent devices of one network into one case. No Django, no clock of its own.
"""

from .events import Event, acknowledged, alarm, place, reading, seen
from .machine import Alert, Changes, Watch
from .rulebook import read
from .rules import Circle, Rule
from .saving import restored, saved
from .storm import Silence, Storm, storms

__all__ = [
    "Alert", "Changes", "Circle", "Event", "Rule", "Silence", "Storm", "Watch", "acknowledged", "alarm", "place", "read",
    "reading", "restored", "saved", "seen", "storms",
]  # fmt: skip
