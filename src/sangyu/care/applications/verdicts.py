"""What each policy of a person's area says about the person in a month: met or not, by which clause, how much (X-06).

Read from the same texts and tables as the run, for one person. What was really paid is the run's line.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sangyu.care.policies import selectors as policies
from sangyu.engines.policy import Period, Step, trace
from sangyu.engines.policy.naive import line

from . import offers


@dataclass(frozen=True)
class Verdict:
    """One policy about one person. ``amount`` (fen) and ``quantity`` are before stacking; None when it is not met or not due."""

    code: str
    name: str
    version_id: int
    document: str
    clause: str
    form: str
    period: str
    on_application: bool
    due: bool
    steps: list[Step] = field(default_factory=list)
    amount: int | None = None
    quantity: int = 0

    @property
    def met(self) -> bool:
        return self.due and bool(self.steps) and all(s.value is True for s in self.steps if s.part in _CONDITIONS)

    @property
    def failed(self) -> Step | None:
        """The first condition that does not hold: "why not"."""
        return next((s for s in self.steps if s.part in _CONDITIONS and s.value is not True), None)

    @property
    def chosen(self) -> Step | None:
        """The row of the table that fits: "why this amount"."""
        return next((s for s in self.steps if s.part not in _CONDITIONS and s.value is True), None)

    @property
    def reasons(self) -> list[Step]:
        """The conditions that hold."""
        return [s for s in self.steps if s.part in _CONDITIONS and s.value is True]


_CONDITIONS = ("starts", "stops", "who")


def verdicts(person, month: date) -> list[Verdict]:
    """All policies for persons in force at the person's place in ``month``, those that are met first."""
    first = month.replace(day=1)
    period = Period.month(first.year, first.month)
    held = [(v, p) for v, p in offers.in_force(person.path, first) if p.subject in ("person", "resident")]
    store = policies.Store(person.path, policies=[p for _v, p in held])
    rows: dict[tuple, list[dict[str, Any]]] = {}
    return sorted((_verdict(v, p, period, store, rows, person.pk) for v, p in held), key=lambda v: (not v.met, v.name))


def _rows(store: Any, reading: Any, person_id: int) -> list[dict[str, Any]]:
    frame = store.frame(reading)
    return frame.filter(frame["subject_id"] == person_id).to_dicts()


def _verdict(version, policy, period: Period, store, rows: dict, person_id: int) -> Verdict:
    reading = policy.reading(period.start)
    common = {
        "code": policy.code, "name": policy.name, "version_id": version.pk, "document": str(version.document or ""),
        "clause": version.clause, "form": policy.form, "period": policy.period,
        "on_application": policy.application == "required",
    }  # fmt: skip
    if reading is None:
        return Verdict(**common, due=False)
    found = rows.get((reading, reading.terms))
    if found is None:
        found = rows[reading, reading.terms] = _rows(store, reading, person_id)
    facts = [_own(row, policy.code) for row in found]
    made = line(policy, facts, period) if facts else None
    steps = trace(policy, facts[-1], period) if facts else []
    return Verdict(
        **common, due=True, steps=steps, amount=made["amount"] if made else None,
        quantity=made["quantity"] if made else 0,
    )  # fmt: skip


def _own(row: dict[str, Any], code: str) -> dict[str, Any]:
    """Words that differ by policy under their plain name: ``applied_on@home`` → ``applied_on``."""
    made = {name: value for name, value in row.items() if "@" not in name}
    return made | {name.partition("@")[0]: value for name, value in row.items() if name.endswith(f"@{code}")}
