"""The published vocabulary: the names that a policy may use, with their types and coded values."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import MappingProxyType

SUBJECTS = ("person", "resident", "facility", "worker", "organisation")
KINDS = ("code", "bool", "int", "fen", "date", "text")
AGE, BIRTH_DATE = "age", "birth_date"
#: The first day for which an approved application entitles; unknown without one.
APPLIED_ON = "applied_on"
#: What a panel or office decided on the application, within the minimum and maximum of the amount; unknown before.
DECIDED = "decided_amount"


@dataclass(frozen=True, eq=False)
class Term:
    """One name. ``values``: code → Chinese label, for a ``code`` (or an ``int`` whose values have names)."""

    name: str
    label: str
    kind: str
    values: dict[str, str] = field(default_factory=dict)
    subjects: frozenset[str] = frozenset(SUBJECTS)
    description: str = ""

    @property
    def ordered(self) -> bool:
        """Codes that are numbers may be compared by size: ``care_level >= 3``."""
        return self.kind == "code" and bool(self.values) and all(code.lstrip("-").isdigit() for code in self.values)

    def code(self, word: str) -> str | None:
        """The code that ``word`` (a code or its label) names."""
        if word in self.values:
            return word
        return next((code for code, label in self.values.items() if str(label) == word), None)


class Vocabulary:
    """All terms. ``age`` is added by itself where there is a ``birth_date``: it follows the policy's birthday rule."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self.terms: dict[str, Term] = {}
        self._labels: dict[str, list[Term]] = {}
        for term in terms:
            self._add(term)
        birth = self.terms.get(BIRTH_DATE)
        if birth is not None and AGE not in self.terms:
            self._add(Term(AGE, "年龄", "int", MappingProxyType({}), birth.subjects, "周岁，按政策的生日规则"))

    def _add(self, term: Term) -> None:
        if term.kind not in KINDS:
            raise ValueError(f"{term.name}: kind {term.kind!r} is none of {KINDS}")
        if term.name in self.terms:
            raise ValueError(f"{term.name} is in the vocabulary already")
        if clash := [t for t in self._labels.get(str(term.label), []) if t.subjects & term.subjects]:
            raise ValueError(f"{term.label} names {clash[0].name} and {term.name}")
        self.terms[term.name] = term
        self._labels.setdefault(str(term.label), []).append(term)

    def term(self, name_or_label: str, subject: str | None = None) -> Term | None:
        """The term of that name or label; with ``subject``, one that this subject has where labels are shared."""
        if (term := self.terms.get(name_or_label)) is not None:
            return term
        known = self._labels.get(name_or_label, [])
        return next((t for t in known if subject in t.subjects), known[0] if known else None)

    def of(self, subject: str) -> list[Term]:
        """The terms that a policy on ``subject`` may use, in the order in which they were declared."""
        return [t for t in self.terms.values() if subject in t.subjects]

    def phrases(self) -> set[str]:
        """Every label of a term or a code: what the reader of conditions recognises as one word."""
        labels = {str(t.label) for t in self.terms.values()}
        return labels | {str(label) for t in self.terms.values() for label in t.values.values()}
