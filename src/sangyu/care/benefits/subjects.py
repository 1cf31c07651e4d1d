"""Names of whom lines and payments are for: persons, facilities, workers, organisations. Call inside a scope."""

from collections.abc import Iterable

from django.db.models import CharField, QuerySet
from django.db.models.expressions import RawSQL

from sangyu.registry.facilities import selectors as facilities
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.people import selectors as people
from sangyu.registry.workforce import selectors as workforce

from .enums import SubjectKind


def names(subjects: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """(kind, id) → name, one query a kind; what the scope does not see has none."""
    wanted: dict[str, set[int]] = {}
    for kind, pk in subjects:
        wanted.setdefault(kind, set()).add(pk)
    found: dict[tuple[str, int], str] = {}
    for kind, ids in wanted.items():
        known = _READ[kind](ids)
        found.update({(kind, pk): name for pk, name in known.items()})
    return found


_READ = {
    SubjectKind.PERSON: lambda ids: people.names_of(list(ids)),
    SubjectKind.FACILITY: facilities.names,
    SubjectKind.WORKER: workforce.names,
    SubjectKind.ORGANISATION: organisations.names,
}


_NAME = RawSQL(
    "CASE subject_kind WHEN 'person' THEN (SELECT s.name FROM people_person s WHERE s.id = subject_id)"
    " WHEN 'facility' THEN (SELECT s.name FROM facilities_facility s WHERE s.id = subject_id)"
    " WHEN 'worker' THEN (SELECT s.name FROM workforce_worker s WHERE s.id = subject_id)"
    " ELSE (SELECT s.name FROM organisations_organisation s WHERE s.id = subject_id) END",
    [],
    output_field=CharField(),
)


def named(rows: QuerySet) -> QuerySet:
    """``rows`` with ``subject_name``, for lists and their files: one statement whatever their length."""
    return rows.annotate(subject_name=_NAME)
