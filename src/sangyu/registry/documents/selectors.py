"""Reading the policy library, and who uses a document (R-171)."""

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from django.db.models import QuerySet

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.scoping import lineage

from .models import Document, ListLine


class Use(NamedTuple):
    """Something that rests on a document: a policy version, a list line. ``state`` is a word for the screen."""

    label: str
    url: str
    state: str


_USES: list[Callable[[Actor, Document], list[Use]]] = []


def register_use(function: Callable[[Actor, Document], list[Use]]) -> None:
    """Rooms above tell what rests on a document; shown on its page."""
    if function not in _USES:
        _USES.append(function)


def uses_of(actor: Actor, found: Document) -> list[Use]:
    """All that rests on ``found`` and that the actor sees."""
    return [use for function in _USES for use in function(actor, found)]


def documents(actor: Actor, day: date | None = None) -> QuerySet[Document]:
    """Documents the actor sees; with ``day`` those that hold on it."""
    rows = Document.objects.visible_to(actor)
    return rows.on(day) if day else rows


def document(actor: Actor, pk: int) -> Document:
    """Raises NotVisible."""
    found = Document.objects.visible_to(actor).select_related("region", "replaces", "main").filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


def by_number(number: str, path: str) -> Document | None:
    """The document of that number published by ``path`` or above it, the nearest first; None when the library has none."""
    rows = list(Document.objects.filter(number=number.strip(), path__in=lineage(path))) if number.strip() else []
    return max(rows, key=lambda d: len(d.path), default=None)


def by_title(title: str, path: str) -> Document | None:
    """The document of that title without a number, published by ``path`` or above it, the nearest first."""
    rows = list(Document.objects.filter(title=title.strip(), path__in=lineage(path))) if title.strip() else []
    return max(rows, key=lambda d: (len(d.path), d.pk), default=None)


def choices(actor: Actor) -> list[tuple[int, str]]:
    """Documents to choose from in a form, newest first."""
    return [(d.pk, str(d)) for d in Document.objects.visible_to(actor).order_by("-issued_on", "-id")[:500]]


def lines_of(found: Document) -> QuerySet[ListLine]:
    """Lines of a list document."""
    return found.lines.order_by("number")


def as_dict(found: Document) -> dict[str, Any]:
    """What the API tells."""
    names = ("id", "number", "title", "issuer", "level", "kind", "issued_on", "valid_from", "valid_to", "summary")
    return {name: getattr(found, name) for name in names} | {"region_id": found.region_id}
