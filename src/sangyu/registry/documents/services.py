"""Keeping the policy library: enter, correct, replace, end; the lines of lists (R-171)."""

from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from sangyu.kernel import files
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.publishing import require_responsible
from sangyu.kernel.scoping import lineage
from sangyu.kernel.services import service
from sangyu.registry.regions import selectors as regions

from .enums import Kind, Level
from .models import Document, ListLine

FIELDS = ("number", "title", "issuer", "level", "kind", "issued_on", "valid_from", "valid_to", "summary")


def _own(actor: Actor, document_id: int) -> Document:
    found = Document.objects.select_for_update(of=("self",)).visible_to(actor).filter(pk=document_id).first()
    if found is None:
        raise NotVisible
    require_responsible(actor, found.path)
    return found


def _apply(row: Document, fields: dict[str, Any]) -> None:
    """Set and check ``fields``. Raises Invalid."""
    for name in FIELDS:
        if name in fields:
            value = fields[name]
            setattr(row, name, value.strip() if isinstance(value, str) else value)
    errors: dict[str, list[str]] = {}
    for name in ("title", "issuer"):
        if not getattr(row, name):
            errors[name] = [_("This is missing. Fill it in.")]
    for name, enum in (("level", Level), ("kind", Kind)):
        if getattr(row, name) not in enum.values:
            errors[name] = [_("Choose one of the options.")]
    if row.valid_to is not None and row.valid_to <= row.valid_from:
        errors["valid_to"] = [_("The end must be after the start.")]
    for name in ("replaces", "main"):
        if name in fields:
            setattr(row, name, _other(row, fields[name], name, errors))
    if errors:
        raise Invalid(errors)


def _other(row: Document, given: Document | int | None, field: str, errors: dict[str, list[str]]) -> Document | None:
    """The document that ``given`` names, published here or above; itself is refused."""
    if given in (None, ""):
        return None
    rows = Document.objects.filter(pk=getattr(given, "pk", given))
    found = rows.filter(path__in=lineage(row.path)).first() or rows.filter(path__startswith=row.path).first()
    if found is None or found.pk == row.pk:
        errors[field] = [_("Choose another document of the library.")]
        return None
    return found


def _saved(row: Document) -> Document:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "document_number_once" in str(error):
            raise Invalid({"number": [_("A document of this number is in the library already.")]}) from None
        raise
    return row


@service("documents.edit")
def add(*, actor: Actor, upload: Any = None, **fields: Any) -> Document:
    """Enter a document for the actor's region; ``fields`` are FIELDS, ``replaces`` and ``main`` (ids), ``region_id``.

    The replaced document ends on the first day of this one, unless it ends earlier. Raises Invalid.
    """
    region = regions.region(fields.pop("region_id", None) or regions.at_path(actor.path).pk)
    require_responsible(actor, region.path)
    row = Document(region=region, path=region.path)
    fields["valid_from"] = fields.get("valid_from") or fields.get("issued_on")
    _apply(row, fields)
    _saved(row)
    _end_replaced(actor, row)
    if upload is not None:
        files.attach(actor, row, upload, title=row.title)
    return row


def _end_replaced(actor: Actor, row: Document) -> None:
    old = row.replaces
    if old is None or not old.path.startswith(actor.path):
        return  # a document of a region above ends there
    if (old.valid_to is None or old.valid_to > row.valid_from) and old.valid_from < row.valid_from:
        old.valid_to = row.valid_from
        old.save(update_fields=["valid_to"])


@service("documents.edit")
def change(*, actor: Actor, document_id: int, upload: Any = None, **fields: Any) -> Document:
    """Correct what was entered; the history keeps what stood there. Raises Invalid, NotVisible, Refused."""
    row = _own(actor, document_id)
    _apply(row, fields)
    _saved(row)
    _end_replaced(actor, row)
    if upload is not None:
        files.attach(actor, row, upload, title=row.title)
    return row


@service("documents.edit")
def end(*, actor: Actor, document_id: int, day: date) -> Document:
    """The document holds no more from ``day`` on. Raises Invalid, Refused when it ended already."""
    row = _own(actor, document_id)
    if row.valid_to is not None and row.valid_to <= day:
        raise Refused(_("It has ended already."), code="documents.ended")
    if day <= row.valid_from:
        raise Invalid({"day": [_("The end must be after the start.")]})
    row.valid_to = day
    row.save(update_fields=["valid_to"])
    return row


@service("documents.edit")
def add_line(*, actor: Actor, document_id: int, name: str, audience: str, **fields: Any) -> ListLine:
    """Add a line to a list document; lines are numbered from 1. Raises Refused for a document that is no list."""
    row = _own(actor, document_id)
    if not row.is_list:
        raise Refused(_("Only lists have lines. This document is of another kind."), code="documents.no_list")
    last = row.lines.order_by("-number").first()
    given = {k: str(fields.get(k) or "").strip() for k in ("content", "responsible", "policy")}
    return ListLine.objects.create(
        document=row, path=row.path, number=(last.number if last else 0) + 1, name=name, audience=audience, **given
    )


@service("documents.edit")
def remove_line(*, actor: Actor, line_id: int) -> None:
    """Take a line off its list; the history keeps it."""
    line = ListLine.objects.select_for_update(of=("self",)).visible_to(actor).filter(pk=line_id).first()
    if line is None:
        raise NotVisible
    require_responsible(actor, line.path)
    line.delete()


@service("documents.edit")
def enter_many(*, actor: Actor, rows: list[dict[str, Any]]) -> tuple[int, int]:
    """Documents of a file: new numbers are entered, known ones corrected. ``rows`` hold FIELDS. Answers (new, changed)."""
    region = regions.at_path(actor.path)
    known = {d.number: d for d in Document.objects.filter(path=region.path).exclude(number="")}
    made = changed = 0
    for given in rows:
        row = known.get(given.get("number", ""))
        if row is None:
            row, made = Document(region=region, path=region.path), made + 1
        else:
            changed += 1
        given.setdefault("valid_from", given["issued_on"])
        _apply(row, given)
        row.save()
        if row.number:
            known[row.number] = row
    return made, changed
