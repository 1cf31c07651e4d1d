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


_TABLES = {
    SubjectKind.PERSON: "people_person",
    SubjectKind.FACILITY: "facilities_facility",
    SubjectKind.WORKER: "workforce_worker",
    SubjectKind.ORGANISATION: "organisations_organisation",
}


def named(rows: QuerySet) -> QuerySet:
    """``rows`` with ``subject_name``, for lists and their files: one statement whatever their length."""
    own = f'"{rows.model._meta.db_table}"'
    cases = " ".join(
        f"WHEN '{kind.value}' THEN (SELECT s.name FROM {table} s WHERE s.id = {own}.subject_id)"
        for kind, table in _TABLES.items()
    )
    name = RawSQL(f"CASE {own}.subject_kind {cases} END", [], output_field=CharField())
    return rows.annotate(subject_name=name)
