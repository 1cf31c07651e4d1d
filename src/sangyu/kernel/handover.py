"""Open work of somebody who leaves, handed to a successor (X-07). Each room says its own in ``handover.py``::

    handover_rules = [HandoverRule("privacy.requests", _("Requests about personal data"), open_of, move)]

``open_of(holder)`` lists the work, ``move(holder, successor, ids)`` hands rows over; both run ``as_system`` inside the one
transaction of the hand-over. A rule without ``move`` only lists: that work needs a decision of its room (who drives to
whom), and the hand-over says so instead of guessing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from .actor import Audience


@dataclass(frozen=True)
class Holder:
    """An account with the subjects it acts for today: audience → ids."""

    account_id: int
    name: str
    subjects: dict[Audience, tuple[int, ...]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Work:
    """One piece of open work: its row, its region path, and words that say which it is (numbers masked)."""

    row_id: int
    path: str
    words: str


@dataclass(frozen=True)
class HandoverRule:
    """One kind of open work."""

    name: str
    label: str
    open_of: Callable[[Holder], list[Work]]
    move: Callable[[Holder, Holder, list[int]], None] | None = None


@cache
def rules() -> tuple[HandoverRule, ...]:
    """The rules of all rooms, in app order."""
    found: list[HandoverRule] = []
    for config in apps.get_app_configs():
        if config.name.startswith("sangyu.") and config.label != "kernel" and find_spec(f"{config.name}.handover"):
            found += import_module(f"{config.name}.handover").handover_rules
    return tuple(found)
