"""A question sheet: what is asked at the door, and what an answer means for the register (R-022, R-023)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

#: Longest text of one answer.
LONGEST = 300
#: How an elder stands to the database of special difficulty; "outside" is not in it, "open" means the ability was not asked.
STANDINGS = ("disabled", "partly", "able", "open", "outside")


@dataclass(frozen=True)
class Option:
    """One answer: dated facts, a need and follow-ups that it means."""

    value: str
    text: str
    facts: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    follow_up: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """``kind``: choice | several | number | day | text. ``when``: asked only if an earlier question has one of these answers."""

    code: str
    text: str
    kind: str
    required: bool = False
    help: str = ""
    options: tuple[Option, ...] = ()
    when: dict[str, tuple[str, ...]] = field(default_factory=dict)
    most: int = 0

    def option(self, value: str) -> Option | None:
        return next((o for o in self.options if o.value == value), None)

    def asked(self, answers: Mapping[str, Any]) -> bool:
        """Whether ``answers`` so far lead to this question."""
        return all(bool(set(_listed(answers.get(code))) & set(values)) for code, values in self.when.items())

    def said(self, answer: Any) -> str:
        """The answer in the words of the sheet."""
        if self.kind in ("choice", "several"):
            return "、".join(o.text for v in _listed(answer) if (o := self.option(v)))
        return "" if answer is None else str(answer)


@dataclass(frozen=True)
class Part:
    name: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Findings:
    """What the answers of one sheet mean: facts by kind, needs in the order of the sheet, follow-ups, standing (R-023)."""

    facts: dict[str, str]
    needs: tuple[str, ...]
    follow_up: tuple[str, ...]
    standing: str


@dataclass(frozen=True)
class Sheet:
    """``database``: which answer puts somebody into the database of special difficulty, and which answers are which ability."""

    code: str
    name: str
    document: str
    mark: str
    valid_from: date
    valid_to: date | None
    monthly: bool
    about: str
    parts: tuple[Part, ...]
    database: dict[str, dict[str, tuple[str, ...]]]

    @cached_property
    def questions(self) -> dict[str, Question]:
        return {q.code: q for part in self.parts for q in part.questions}

    def check(self, given: Mapping[str, Any], *, partial: bool = False) -> tuple[dict[str, Any], dict[str, str]]:
        """(answers that count, {code: what is wrong}). Wrong is "missing", "unknown", "number", "day" or "long".

        Answers to questions that the others do not lead to are dropped. ``partial`` misses nothing.
        """
        kept: dict[str, Any] = {}
        wrong = {code: "unknown" for code in given if code not in self.questions}
        for code, question in self.questions.items():
            if not question.asked(kept):
                continue
            value = given.get(code)
            if value in (None, "", []):
                if question.required and not partial:
                    wrong[code] = "missing"
                continue
            found, problem = _read(question, value)
            if problem:
                wrong[code] = problem
            else:
                kept[code] = found
        return kept, wrong

    def findings(self, answers: Mapping[str, Any]) -> Findings:
        """What checked ``answers`` mean. Of two answers about one kind of fact the later in the sheet counts."""
        facts: dict[str, str] = {}
        needs: dict[str, None] = {}
        follow: dict[str, None] = {}
        for code, question in self.questions.items():
            for value in _listed(answers.get(code)):
                if (option := question.option(value)) is not None:
                    facts |= option.facts
                    needs |= dict.fromkeys(option.needs)
                    follow |= dict.fromkeys(option.follow_up)
        return Findings(facts, tuple(needs), tuple(follow), self.standing(answers))

    def standing(self, answers: Mapping[str, Any]) -> str:
        """One of STANDINGS, so that in the database = disabled + partly + able + open (R-023)."""
        inside = self.database.get("inside")
        if not inside or not all(set(_listed(answers.get(c))) & set(v) for c, v in inside.items()):
            return "outside"
        for name in ("disabled", "partly", "able"):
            if any(set(_listed(answers.get(c))) & set(v) for c, v in self.database.get(name, {}).items()):
                return name
        return "open"


def _listed(answer: Any) -> list[str]:
    return list(answer) if isinstance(answer, list | tuple) else [answer] if isinstance(answer, str) and answer else []


def _read(question: Question, value: Any) -> tuple[Any, str]:
    known = {o.value for o in question.options}
    if question.kind == "choice":
        return (value, "") if value in known else (None, "unknown")
    if question.kind == "several":
        chosen = _listed(value)
        ordered = [o.value for o in question.options if o.value in chosen]
        return (ordered, "") if set(chosen) <= known else (None, "unknown")
    text = str(value).strip()
    if question.kind == "number":
        good = text.isdecimal() and len(text) < 10 and (not question.most or int(text) <= question.most)
        return (int(text), "") if good else (None, "number")
    if question.kind == "day":
        try:
            return date.fromisoformat(text).isoformat(), ""
        except ValueError:
            return None, "day"
    return (text, "") if len(text) <= LONGEST else (None, "long")
