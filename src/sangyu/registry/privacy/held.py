"""Everything that is held about a person, from all rooms, as people and machines read it (PIPL 45)."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel.crypto import EncryptedTextField
from sangyu.kernel.identity import mask_phone
from sangyu.kernel.models import Change, DataRead
from sangyu.kernel.scoping import PathField
from sangyu.kernel.subjects import rows_about

PERSON = "people.Person"
#: Model → why its rows are counted and not printed.
WITHHELD = {
    "people.GuardedNote": gettext_lazy("guarded legal notes: the officer reads them with you"),
    "duplicates.Candidate": gettext_lazy("an internal check that names another person"),
    "merging.Merge": gettext_lazy("an internal check that names another person"),
    "privacy.RequestLog": gettext_lazy("the trail of your own requests"),
}
#: Fields that name other people: shown masked.
OTHERS = {("people.Contact", "phone")}
#: Derived, technical, or of no meaning outside.
SILENT = ("pinyin", "initials", "completeness", "signature", "client_id", "input_hash")


@dataclass
class Section:
    """Rows of one model: (label, value) pairs."""

    model: str
    title: str
    rows: list[list[tuple[str, str]]] = field(default_factory=list)
    withheld: str = ""
    count: int = 0


@dataclass
class Held:
    """All of it, and who looked at the record."""

    name: str
    made_at: datetime
    sections: list[Section]
    reads: list[tuple[str, str, str, str]]

    def as_json(self) -> dict[str, Any]:
        """The machine-readable form."""
        return {
            "name": self.name,
            "made_at": self.made_at.isoformat(),
            "sections": [
                {
                    "model": s.model,
                    "title": s.title,
                    "count": s.count,
                    "withheld": s.withheld,
                    "rows": [dict(r) for r in s.rows],
                }
                for s in self.sections
            ],
            "reads": [dict(zip(("at", "actor", "what", "purpose"), r, strict=True)) for r in self.reads],
        }


def _shown(f: models.Field) -> bool:
    technical = isinstance(f, (PathField, models.BinaryField)) and not isinstance(f, EncryptedTextField)
    return not (technical or f.primary_key or f.name in SILENT or f.name.endswith(("_index", "_tail")))


def _said(model: str, row: models.Model, f: models.Field) -> str:
    if f.is_relation:
        found = getattr(row, f.name)
        return "" if found is None else str(found)
    value = getattr(row, f.name)
    if (model, f.name) in OTHERS:
        return mask_phone(value or "")
    if f.choices:
        return str(dict(f.flatchoices).get(value, value))
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


def collect(person: models.Model, now: datetime) -> Held:
    """All rows about ``person``. The caller has checked the right and works as_system: the answer must be whole."""
    sections, tables = [], []
    for model, rows in rows_about(PERSON, person.pk):
        label = model._meta.label
        found = list(rows)
        tables.append((model._meta.db_table, [r.pk for r in found]))
        section = Section(label, str(model._meta.verbose_name), count=len(found), withheld=str(WITHHELD.get(label, "")))
        if not section.withheld:
            columns = [f for f in model._meta.concrete_fields if _shown(f)]
            section.rows = [
                [(str(f.verbose_name), said) for f in columns if (said := _said(label, row, f))] for row in found
            ]
        sections.append(section)
    seen = models.Q()
    for table, ids in tables:
        seen |= models.Q(table_name=table, row_id__in=ids)
    reads = DataRead.objects.filter(seen).order_by("at")
    return Held(
        name=person.name,
        made_at=now,
        sections=sections,
        reads=[(f"{timezone.localtime(r.at):%Y-%m-%d %H:%M}", r.actor, r.what, r.purpose) for r in reads],
    )


def forget_in_history(table: str, ids: list[int], columns: list[str]) -> None:
    """Take cleared values out of the history as well: only there would they otherwise live on."""
    for change in Change.objects.filter(table_name=table, row_id__in=ids).exclude(fields={}):
        left = {k: v for k, v in change.fields.items() if k not in columns}
        if left != change.fields:
            Change.objects.filter(pk=change.pk).update(fields=left)
