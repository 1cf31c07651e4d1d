"""Ability scales as data: read an instrument, score answers, name the rule of each step (R-030, R-031, docs/adr/0019-assessments.md).

``read(text, file=…)`` → Instrument or FileErrors with file, line and remedy. ``score(instrument, answers, findings)`` →
Result: sub-totals, preliminary level, changes with reasons, final level. ``payment.read`` and ``settings.read`` read the dated
mapping to payment levels (O-1) and the rules of the recommended setting (R-032). No Django here.
"""

from .instrument import MARKS, Change, Finding, Instrument, Item, Option, Parameter, Part
from .reading import read
from .scoring import Result, WrongAnswers, score

__all__ = [
    "MARKS",
    "Change",
    "Finding",
    "Instrument",
    "Item",
    "Option",
    "Parameter",
    "Part",
    "Result",
    "WrongAnswers",
    "read",
    "score",
]
