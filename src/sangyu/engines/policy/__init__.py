"""Policies as data: read, evaluate, explain (docs/adr/0020-policies.md, docs/rooms/policy-engine.md)."""

from .calendar import Due, Period, age_on, lunar_date
from .evaluating import COLUMNS, evaluate, readings
from .naive import Step, trace
from .policy import FORMULA, UNMATCHED, Amount, Clause, Document, Instalment, Policy, Reading, Rest, Row, Window
from .problems import PolicyErrors, Problem
from .reading import read
from .schema import CHOICES, KEYS
from .sentences import money, sentence
from .vocabulary import KINDS, SUBJECTS, Term, Vocabulary

__all__ = [
    "CHOICES",
    "COLUMNS",
    "FORMULA",
    "KEYS",
    "KINDS",
    "SUBJECTS",
    "UNMATCHED",
    "Amount",
    "Clause",
    "Document",
    "Due",
    "Instalment",
    "Period",
    "Policy",
    "PolicyErrors",
    "Problem",
    "Reading",
    "Rest",
    "Row",
    "Step",
    "Term",
    "Vocabulary",
    "Window",
    "age_on",
    "evaluate",
    "lunar_date",
    "money",
    "read",
    "readings",
    "sentence",
    "trace",
]
