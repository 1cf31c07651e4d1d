"""Statuses of many persons at once, by a list of an authority (R-019). Imported through ``services``."""

from collections.abc import Sequence
from datetime import date, datetime

from django.utils.translation import gettext as _

from sangyu.kernel import facts
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid
from sangyu.kernel.events import emit
from sangyu.kernel.scoping import say_why
from sangyu.kernel.services import service

from . import events
from .completeness import recompute
from .enums import FACT_VALUES
from .models import Person, PersonFact


@service("people.facts")
def state_facts(
    *,
    actor: Actor,
    kind: str,
    stated: Sequence[tuple[int, str | None, str]],
    valid_from: date,
    reason: str = "",
    now: datetime | None = None,
) -> set[int]:
    """State (person, value, source) for many persons: ``kind`` is ``value`` from ``valid_from`` on, or ends then (None).

    Answers the persons it was stated for: those whom the actor sees, who live, are not restricted, and were born by then; a person once.
    Few statements whatever the number. Raises Invalid for a value that the kind does not have.
    """
    wrong = {v for _pk, v, _source in stated if v is not None} - FACT_VALUES.get(kind, {}).keys()
    if wrong:
        raise Invalid({"value": [", ".join(sorted(wrong))]})
    by_person = {pk: (value, source) for pk, value, source in stated}
    seen = Person.objects.filter(pk__in=by_person, died_on__isnull=True, restricted_at__isnull=True).exclude(
        birth_date__gt=valid_from
    )
    rows = [(pk, path, kind, *by_person[pk]) for pk, path in seen.values_list("pk", "path")]
    if not rows:
        return set()
    if reason:
        say_why(reason)
    begun = facts.record_many(PersonFact, rows, valid_from=valid_from, now=now)
    done = {row[0] for row in rows}
    recompute(Person.objects.filter(pk__in=done))
    emit(events.STATUSES_LISTED, path=actor.path, kind=kind, begun=begun, ended=len(rows) - begun)
    return done


@service("people.facts")
def take_facts_back(
    *, actor: Actor, kind: str, at: dict[int, datetime], reason: str, now: datetime | None = None
) -> set[int]:
    """Undo what was stated of ``kind`` for many persons (person → the moment ``state_facts`` or ``record_fact`` wrote).

    Answers the persons for whom it was undone: those whom the actor sees, who are not restricted, and about whom nothing
    of the kind was recorded since. Raises Invalid without a reason.
    """
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    seen = Person.objects.filter(pk__in=at, restricted_at__isnull=True).values_list("pk", flat=True)
    mine = {pk: at[pk] for pk in seen}
    if not mine:
        return set()
    say_why(reason)
    done = facts.take_back_many(PersonFact, kind, mine, now=now)
    recompute(Person.objects.filter(pk__in=done))
    emit(events.STATUSES_LISTED, path=actor.path, kind=kind, begun=0, ended=0, taken_back=len(done))
    return done
