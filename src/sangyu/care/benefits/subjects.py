"""Names of whom lines and payments are for: persons, facilities, workers, organisations. Call inside a scope."""

from collections.abc import Iterable

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
