"""Assessments, the sheets of answers, assessors, bought capacity, samples, needs (docs/rooms/assessments.md)."""

from .process import AFTER_REVIEW, AFTER_VISIT, Assessment, AssessmentLog, Sheet
from .registers import Assessor, Commission, InstrumentVersion, SampleDraw
from .results import Need, PastResult, SettingChoice

__all__ = [
    "AFTER_REVIEW",
    "AFTER_VISIT",
    "Assessment",
    "AssessmentLog",
    "Assessor",
    "Commission",
    "InstrumentVersion",
    "Need",
    "PastResult",
    "SampleDraw",
    "SettingChoice",
    "Sheet",
]
