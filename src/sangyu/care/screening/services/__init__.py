"""What changes screening. One file a stage: campaigns, filling at the door, confirming, working on follow-ups."""

from .campaigns import add_target, cancel, change, close, create, start
from .confirming import confirm, give_back
from .filling import again, assign, miss, miss_all_of, save
from .follow_ups import apply_for_assessments, settle

__all__ = [
    "add_target",
    "again",
    "apply_for_assessments",
    "assign",
    "cancel",
    "change",
    "close",
    "confirm",
    "create",
    "give_back",
    "miss",
    "miss_all_of",
    "save",
    "settle",
    "start",
]
