"""The history tab: every change of the file with old and new value, who, why and from where (R-016)."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sangyu.kernel.audit import changes_of

from . import words
from .file import File
from .timeline import Entry, Show, basic_entries, fact_entries, shown

#: Sealed columns are shown as changed, never with their value.
SEALED = {"phone", "id_number"}


def history(file: File) -> list[dict]:
    """Changes newest first: entry, actor, reason, source."""
    rows = {f"{row._meta.db_table}:{row.pk}": row for row in [*file.facts, *file.contacts, *file.consents]}
    logged = list(changes_of(*rows.values())[:400]) if rows else []
    stated = {f"{c.table_name}:{c.row_id}": c for c in logged if c.op == "I"}
    by_time = {f.recorded_at: stated.get(f"{f._meta.db_table}:{f.pk}") for f in file.facts}
    made = [_row(entry, by_time.get(entry.at)) for entry in fact_entries(file)]
    for entry, change in zip(basic_entries(file), _told(file), strict=False):
        entry.note = ""
        made.append({"entry": entry, **change})
    facts = {f"{f._meta.db_table}:{f.pk}" for f in file.facts}
    for change in logged:
        key = f"{change.table_name}:{change.row_id}"
        if key not in facts:
            made += _other(rows[key], change)
    return sorted(made, key=lambda r: r["entry"].at, reverse=True)


def _told(file: File) -> list[dict]:
    """Actor, reason and source of the changes that ``basic_entries`` shows, in its order."""
    return [
        {"actor": c["actor"], "reason": c["reason"], "source": c["source"]}
        for c in file.changes
        if c["op"] == "I" or any(name in words.FIELDS for name in c["fields"])
    ]


def _row(entry: Entry, change) -> dict:
    told = {"actor": change.actor, "reason": change.reason, "source": change.source} if change else {}
    return {"entry": entry, "actor": "", "reason": "", "source": "", **told}


def _other(row, change) -> list[dict]:
    """A contact or consent that was added or changed."""
    consent = hasattr(row, "purpose")
    name = row.get_purpose_display() if consent else f"{row.name}（{row.get_relation_display()}）"
    kind = _("Consent") if consent else pgettext("casefile", "Contact")
    if change.op == "I":
        entry = Entry(change.at, Show.CHANGE, _("%(kind)s added") % {"kind": kind}, name, tone="ok")
        return [_row(entry, change)]
    pairs = [
        (str(words.FIELDS[f]), *((_("changed"),) * 2 if f in SEALED else (shown(row, f, v) for v in values)))
        for f, values in change.fields.items()
        if f in words.FIELDS
    ]
    if not pairs:
        return []
    return [_row(Entry(change.at, Show.CHANGE, f"{kind}·{name}", tone="acc", pairs=pairs), change)]
