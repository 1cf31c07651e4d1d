"""Question sheets of screening campaigns: read from YAML, answers checked, findings derived. Knows no Django."""

from .reading import Vocabulary, read
from .sheet import STANDINGS, Findings, Option, Part, Question, Sheet

__all__ = ["STANDINGS", "Findings", "Option", "Part", "Question", "Sheet", "Vocabulary", "read"]
