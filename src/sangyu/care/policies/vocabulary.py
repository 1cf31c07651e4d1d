"""The one place where the words of policies meet columns of the database (docs/adr/0020-policies.md).

A word is a ``Term`` of the engine and a source. Rooms beside and above add theirs with ``register`` from their ``apps.ready``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sangyu.engines.columnar import pl
from sangyu.engines.policy.vocabulary import Term, Vocabulary
from sangyu.registry.facilities import enums as facilities
from sangyu.registry.organisations.enums import LegalForm
from sangyu.registry.people.enums import (
    DISABILITY_GRADES,
    FACT_VALUES,
    DisabilityCategory,
    FactKind,
    Sex,
)
from sangyu.registry.workforce.enums import Graduate, Post

from . import levels


# ---------------------------------------------------------------- where a word comes from
@dataclass(frozen=True)
class Column:
    """An expression over the subject's own row, table alias ``s``: ``s.sex``. Dates stay dates, all else becomes text."""

    sql: str


@dataclass(frozen=True)
class Fact:
    """The dated fact ``kind`` of the subject's fact table."""

    kind: str


@dataclass(frozen=True)
class Dated:
    """Rows of another room that differ from policy to policy, as the day of an application does: ``sql`` selects policy (code),
    subject_id, value, valid_from, valid_to, row_id for all of ``%(policies)s`` (codes). It may use ``%(known)s`` (moment,
    NULL = now). Of several values on a day the one that is lowest as text counts.
    """

    sql: str
    table: str


@dataclass(frozen=True)
class Made:
    """Worked out of other words: ``make(day)`` answers an expression over their columns and ``path``; ``day`` is an expression.

    ``cuts(start, end)`` are the days on which the rule itself changes.
    """

    needs: tuple[str, ...]
    make: Callable[[pl.Expr], pl.Expr]
    cuts: Callable[[date, date], set[date]] = lambda start, end: set()


Source = Column | Fact | Dated | Made


@dataclass(frozen=True)
class Base:
    """The rows that are subjects of a kind: ``table`` with alias ``s``, those that fit ``where``; ``facts`` is their table of facts."""

    table: str
    where: str = "true"
    facts: str = ""


BASES: dict[str, Base] = {
    "person": Base("people_person", "s.merged_into_id IS NULL AND s.registered_on IS NOT NULL", "people_personfact"),
    "resident": Base("people_person", "s.merged_into_id IS NULL AND s.registered_on IS NOT NULL", "people_personfact"),
    "facility": Base("facilities_facility", facts="facilities_facilityfact"),
    "worker": Base("workforce_worker", "s.admitted_at IS NOT NULL"),
    "organisation": Base("organisations_organisation"),
}
PEOPLE = frozenset({"person", "resident"})


@dataclass(frozen=True)
class Entry:
    """A word and where it comes from, per kind of subject."""

    term: Term
    sources: dict[str, Source] = field(default_factory=dict)


_REGISTERED: list[Callable[[], list[Entry]]] = []


def register(make: Callable[[], list[Entry]]) -> None:
    """Add the words that ``make()`` answers; it is called with Chinese active. For ``apps.ready`` of the room they belong to."""
    if make not in _REGISTERED:
        _REGISTERED.append(make)
        entries.cache_clear()
        vocabulary.cache_clear()


@cache
def entries() -> dict[str, Entry]:
    """Every word by name."""
    with translation.override("zh-hans"):
        found = [*_people(), *_others()]
        for make in _REGISTERED:
            found += make()
    return {entry.term.name: entry for entry in found}


@cache
def vocabulary() -> Vocabulary:
    """What policies may say."""
    return Vocabulary(entry.term for entry in entries().values())


def source_of(name: str, subject: str) -> Source:
    """Raises KeyError for a word that this kind of subject does not have."""
    return entries()[name].sources[subject]


# ---------------------------------------------------------------- words of the registry
def _words(choices: dict) -> dict[str, str]:
    return {str(code): str(label) for code, label in choices.items()}


def _entry(
    name: str, label: str, kind: str, source: Source | dict, *, values: dict | None = None, about: str = ""
) -> Entry:
    sources = source if isinstance(source, dict) else dict.fromkeys(PEOPLE, source)
    return Entry(Term(name, str(label), kind, _words(values or {}), frozenset(sources), str(about)), sources)


def _people() -> list[Entry]:
    found = [
        _entry("birth_date", _("Birth date"), "date", dict.fromkeys([*PEOPLE, "worker"], Column("s.birth_date"))),
        _entry("sex", _("Sex"), "code", dict.fromkeys([*PEOPLE, "worker"], Column("s.sex")), values=dict(Sex.choices)),
        _entry("died_on", _("Day of death"), "date", Column("s.died_on"), about=_("Empty while the person lives.")),
        _entry("alive", _("Alive"), "bool", Made(("died_on",), alive), about=_("From the day of death on: no.")),
        _entry("registered_on", _("Registered on"), "date", Column("s.registered_on")),
    ]
    for kind in FactKind:
        if kind == FactKind.REGION:
            continue
        values = FACT_VALUES[kind]
        is_bool = set(values) == {"yes", "no"}
        found.append(
            _entry(
                str(kind), kind.label, "bool" if is_bool else "code", Fact(str(kind)), values={} if is_bool else values
            )
        )
    found += [
        _entry(
            "payment_level",
            _("Payment level"),
            "code",
            Made(("care_level",), levels.payment_level, levels.cuts),
            values={
                "self_care": pgettext("policies", "Self-care"),
                "part": pgettext("policies", "Partly dependent"),
                "full": pgettext("policies", "Dependent"),
            },
            about=_("From the ability level by the dated mapping."),
        ),
        _entry(
            "disability_grade",
            _("Disability grade"),
            "code",
            Made(("disability",), _part("disability", 1)),
            values={grade: _("Grade %(n)s") % {"n": grade} for grade in DISABILITY_GRADES},
            about=_("1 is the most severe."),
        ),
        _entry(
            "disability_category",
            _("Disability category"),
            "code",
            Made(("disability",), _part("disability", 0)),
            values=dict(DisabilityCategory.choices),
        ),
    ]
    return found


def _others() -> list[Entry]:
    place = {"facility": Column("s.kind")}
    facts = facilities.FACT_VALUES
    return [
        _entry("facility_kind", _("Kind of facility"), "code", place, values=dict(facilities.Kind.choices)),
        _entry("rating", _("Rating level"), "code", {"facility": Fact("rating")}, values=facts["rating"]),
        _entry("inspection", _("Inspection"), "code", {"facility": Fact("inspection")}, values=facts["inspection"]),
        _entry("facility_state", _("Operation"), "code", {"facility": Fact("state")}, values=facts["state"]),
        _entry("opened_on", _("Opened on"), "date", {"facility": Column("s.opened_on")}),
        _entry("beds", _("Beds"), "int", {"facility": Column("s.beds")}),
        _entry(
            "facility_area", _("Area of the facility"), "code", {"facility": Column("s.urban_rural")},
            values=dict(facilities.UrbanRural.choices),
        ),
        _entry("post", _("Post"), "code", {"worker": Column("s.post")}, values=dict(Post.choices)),
        _entry(
            "graduate_of", _("Elder-care diploma"), "code", {"worker": Column("s.graduate_of")}, values=dict(Graduate.choices)
        ),
        _entry("joined_on", _("Joined on"), "date", {"worker": Column("s.admitted_at::date")}),
        _entry("left_on", _("Left on"), "date", {"worker": Column("s.left_at::date")}),
        _entry("legal_form", _("Legal form"), "code", {"organisation": Column("s.legal_form")}, values=dict(LegalForm.choices)),
    ]  # fmt: skip


# ---------------------------------------------------------------- words that are worked out
def alive(day: pl.Expr) -> pl.Expr:
    """Whether the person lives on ``day``: no from the day of death on."""
    return pl.col("died_on").is_null() | (pl.col("died_on") > day)


def _part(column: str, index: int) -> Callable[[pl.Expr], pl.Expr]:
    return lambda day: pl.col(column).cast(pl.String).str.split("-").list.get(index, null_on_oob=True)
