"""What changes statements. Pages, tasks and the API call these."""

from .agreeing import answer, approve, confirm, object_to, pay
from .closing import close_period, cut_off, discard, draft, freeze

__all__ = [
    "answer",
    "approve",
    "close_period",
    "confirm",
    "cut_off",
    "discard",
    "draft",
    "freeze",
    "object_to",
    "pay",
]
