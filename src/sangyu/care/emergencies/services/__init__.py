"""The door of emergencies: alarms become cases, acts of the desk and of those who go."""

from .handling import claim, escalate_120, note, release, review, verify
from .opening import ByHand, Raised, alarms, device_reset, raise_by_hand

__all__ = [
    "ByHand", "Raised", "alarms", "claim", "device_reset", "escalate_120", "note", "raise_by_hand", "release", "review", "verify",
]  # fmt: skip
