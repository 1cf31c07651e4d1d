"""What changes assessments. One file a stage: applying, visiting, deciding, sampling, register of assessors."""

from ._shared import FLOW
from .applying import apply, assign, mark_due, refuse, take_back, withdraw
from .deciding import add_months, choose_setting, decide, object_to, object_to_own, publish, review, send_back
from .needs import note_needs
from .registers import add_assessor, add_commission, change_assessor, end_assessor, use_version
from .sampling import draw_sample
from .visiting import choose_sheet, finish_visit, save_sheet

__all__ = [
    "FLOW",
    "add_assessor",
    "add_commission",
    "add_months",
    "apply",
    "assign",
    "change_assessor",
    "choose_setting",
    "choose_sheet",
    "decide",
    "draw_sample",
    "end_assessor",
    "finish_visit",
    "mark_due",
    "note_needs",
    "object_to",
    "object_to_own",
    "publish",
    "refuse",
    "review",
    "save_sheet",
    "send_back",
    "take_back",
    "use_version",
    "withdraw",
]
