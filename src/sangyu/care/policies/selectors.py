"""Reading policies: versions in force, their parsed form, where each holds, and the tables they read.

What rooms above need of vocabulary and frames is offered here: ``Store``, ``frames``, ``fact_rows``, ``vocabulary``,
``register_terms`` with ``Entry``, ``Dated`` and ``Column``; ``register_funds`` with ``Budget``.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.urls import reverse

from sangyu.engines.policy import Period, Policy, Term, read
from sangyu.engines.policy.calendar import latest_birth
from sangyu.engines.policy.tree import And, Compare, Literal, Name
from sangyu.engines.policy.vocabulary import AGE
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.scoping import lineage
from sangyu.registry.documents.selectors import Use

from .enums import State
from .facts_used import fact_rows
from .frames import Store, frames
from .funds import Budget, months_left
from .funds import register as register_funds
from .funds import times as times_due
from .models import PolicyVersion
from .places import moved
from .vocabulary import Column, Dated, Entry, vocabulary
from .vocabulary import register as register_terms

__all__ = [
    "Area", "Budget", "Column", "Dated", "Entry", "Store", "Term", "areas", "born_until", "diff", "due_in", "fact_rows",
    "frames", "in_force", "months_left", "moved", "policy_of", "read_text", "register_funds", "register_terms", "times_due",
    "version", "version_of", "versions", "vocabulary",
]  # fmt: skip


# ---------------------------------------------------------------- versions
def versions(actor: Actor) -> QuerySet[PolicyVersion]:
    """Versions that the actor sees: approved ones of the regions above, all of its own and below."""
    return PolicyVersion.objects.visible_to(actor).select_related("region", "document")


def version(actor: Actor, pk: int) -> PolicyVersion:
    """Raises NotVisible."""
    found = versions(actor).filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


def version_of(pk: int) -> PolicyVersion | None:
    """A version by its number, whatever its state; as the open scope sees it."""
    return PolicyVersion.objects.filter(pk=pk).first()


def approved(path: str) -> QuerySet[PolicyVersion]:
    """Approved versions that concern the region ``path``: its own, those above it and those below."""
    here = Q(path__in=lineage(path)) | Q(path__startswith=path)
    return PolicyVersion.objects.approved().filter(here).select_related("document", "region").order_by("code", "path")


def in_force(path: str, day: date) -> list[PolicyVersion]:
    """Approved versions that concern the region ``path`` on ``day``; where a code has several, ``areas`` says which holds where."""
    return list(approved(path).on(day))


def due_in(path: str, first: date) -> list[PolicyVersion]:
    """Approved versions that pay in the run of the month that begins on ``first``."""
    return [v for v in approved(path) if policy_of(v).due(first) is not None]


def applicable(path: str, code: str, day: date) -> PolicyVersion | None:
    """The version of ``code`` that holds at ``path`` on ``day``: that of the nearest region."""
    rows = (
        PolicyVersion.objects.in_force(day)
        .filter(code=code, path__in=lineage(path))
        .select_related("document", "region")
    )
    return max(rows, key=lambda v: len(v.path), default=None)


def applicable_or_404(path: str, code: str, day: date) -> PolicyVersion:
    """``applicable``. Raises NotVisible when no version holds."""
    found = applicable(path, code, day)
    if found is None:
        raise NotVisible
    return found


# ---------------------------------------------------------------- the text
def read_text(text: str, file: str = "") -> Policy:
    """The policy that ``text`` says. Raises PolicyErrors with every problem."""
    return _read(text, file)


@lru_cache(maxsize=512)
def _read(text: str, file: str) -> Policy:
    return read(text, file=file, vocabulary=vocabulary())


def policy_of(version: PolicyVersion) -> Policy:
    """The parsed text of a stored version; its last day is that of the row, which may have been ended earlier."""
    found = read_text(version.text, f"{version.code}.yaml")
    last = version.valid_to - timedelta(days=1) if version.valid_to else None
    return found if found.valid_to == last else replace(found, valid_to=last)


# ---------------------------------------------------------------- where a version holds
class Area(NamedTuple):
    """Part of a region in which the same versions hold: paths that begin with one of ``prefixes`` and with none of ``without``."""

    prefix: str
    without: tuple[str, ...]
    versions: list[PolicyVersion]

    def holds(self, path: str) -> bool:
        return path.startswith(self.prefix) and not path.startswith(self.without or ("~",))


def areas(path: str, given: Sequence[PolicyVersion]) -> list[Area]:
    """Cut the region ``path`` into parts with one version a code each; the nearest region's version wins (R-039).

    Most regions are one part. A county with rules of its own is another.
    """
    own = sorted({v.path for v in given if len(v.path) > len(path) and v.path.startswith(path)} | {path}, key=len)
    found = []
    for prefix in own:
        nearest: dict[str, PolicyVersion] = {}
        for v in sorted((v for v in given if prefix.startswith(v.path)), key=lambda v: len(v.path)):
            nearest[v.code] = v
        without = tuple(p for p in own if p != prefix and p.startswith(prefix))
        found.append(Area(prefix, without, [nearest[code] for code in sorted(nearest)]))
    return found


def born_until(policies: Iterable[Policy], period: Period) -> date | None:
    """The latest birth date with which any of ``policies`` about persons can be met; None when one of them asks for no age.

    Only a condition ``age >= n`` that stands for itself is used, read on the last day of the year around the period.
    """
    latest: date | None = None
    for policy in policies:
        if policy.subject not in ("person", "resident"):
            continue
        ages = [age for clause in policy.who for age in _ages(clause.expr)]
        if not ages:
            return None
        born = latest_birth(max(ages), date(period.end.year, 12, 31), policy.birthday)
        latest = born if latest is None else max(latest, born)
    return latest


def _ages(expr) -> list[int]:
    match expr:
        case Compare(op=">=" | ">", left=Name(term=term), right=Literal(value=int() as age)) if term.name == AGE:
            return [age]
        case And(items=items):
            return [age for item in items for age in _ages(item)]
    return []


# ---------------------------------------------------------------- comparing texts
class DiffLine(NamedTuple):
    """One line of a comparison: ``sign`` is "+", "-" or " "; the numbers are those of the old and of the new text."""

    sign: str
    old: int | None
    new: int | None
    text: str


def diff(old: str, new: str) -> list[DiffLine]:
    """Both texts side by side, line by line."""
    found, at_old, at_new = [], 0, 0
    for line in difflib.ndiff(old.splitlines(), new.splitlines()):
        sign, text = line[0], line[2:]
        if sign == "?":
            continue
        at_old += sign in " -"
        at_new += sign in " +"
        found.append(DiffLine(sign, at_old if sign != "+" else None, at_new if sign != "-" else None, text))
    return found


def siblings(found: PolicyVersion) -> QuerySet[PolicyVersion]:
    """All versions of the same code and region, newest first."""
    return PolicyVersion.objects.filter(code=found.code, region_id=found.region_id).order_by("-number")


def drafts(actor: Actor) -> QuerySet[PolicyVersion]:
    """Drafts that the actor sees."""
    return versions(actor).filter(state=State.DRAFT)


def uses_of_document(actor: Actor, document) -> list[Use]:
    """Versions that rest on a document of the library, for its page (R-171)."""
    rows = versions(actor).filter(document=document).exclude(state=State.DISCARDED).order_by("code", "-number")
    return [
        Use(f"{v}（{v.region.name}）", reverse("policies:detail", args=[v.pk]), str(v.standing.label)) for v in rows
    ]
