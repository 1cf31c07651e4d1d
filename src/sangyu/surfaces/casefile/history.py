"""The changes tab: every change of the file with old and new value, who, as what, why and from where (R-016)."""

from sangyu.registry.accounts import selectors as accounts

from .file import File
from .sources import SOURCES, consents, facts, sign_facts
from .timeline import Cursor, Entry, Show, timeline

PAGE = 50


def history(file: File, before: Cursor | None = None, only: str = "") -> tuple[list[Entry], Cursor | None]:
    """Changes below ``before``, newest first, and where "earlier" begins; ``only`` keeps changes of one field's words.

    A field is looked for in the newest 500 changes.
    """
    if not only:
        entries, more = timeline(file, Show.CHANGE, before, PAGE)
    else:
        entries, more = timeline(file, Show.CHANGE, before, 500)
        entries = [e for e in entries if any(label == only for label, _was, _now in e.pairs)]
    number = {s.entries: n for n, s in enumerate(SOURCES)}
    roles = accounts.role_labels()
    shown = [e for e in entries if e.source != number[consents]]  # the rows' own history tells the same with the hour
    sign_facts([e for e in shown if e.source == number[facts]])
    for entry in shown:
        entry.role = roles.get(entry.role, entry.role)
    return shown, more


def fields_of(entries: list[Entry]) -> list[str]:
    """Words of the fields that changed, for the filter."""
    return sorted({label for e in entries for label, _was, _now in e.pairs})
