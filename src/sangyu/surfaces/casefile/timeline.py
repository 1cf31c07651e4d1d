"""One timeline of a person out of what each room recorded, with a cursor for "earlier" (docs/adr/0015-casefile.md)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from django.db.models import Q, QuerySet, TextChoices
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.errors import Invalid
from sangyu.kernel.presence import present

SHOWN = 40


class Show(TextChoices):
    """What the timeline shows."""

    ALL = "", pgettext_lazy("casefile", "All")
    SERVICE = "service", pgettext_lazy("casefile", "Services")
    MONEY = "money", pgettext_lazy("casefile", "Funds")
    LIFE = "life", pgettext_lazy("casefile", "Life events")
    PAPER = "paper", pgettext_lazy("casefile", "Papers and checks")
    CHANGE = "change", pgettext_lazy("casefile timeline", "Changes")
    READ = "read", pgettext_lazy("casefile", "Looks")


def day_begins(day: date) -> datetime:
    """Where an entry of which only the day is known stands."""
    return timezone.make_aware(datetime.combine(day, time.min))


@dataclass
class Entry:
    """One line: ``pairs`` are (label, was, now) of a change; ``day_only`` when the hour is not known.

    ``row`` orders entries of one moment within their source; ``actor``, ``role``, ``reason`` and ``origin`` are for the
    table of changes (R-016).
    """

    at: datetime
    row: int
    title: str
    text: str = ""
    note: str = ""
    tone: str = ""
    url: str = ""
    pairs: list[tuple[str, str, str]] = field(default_factory=list)
    day_only: bool = False
    actor: str = ""
    role: str = ""
    reason: str = ""
    origin: str = ""
    show: str = ""
    source: int = 0

    @property
    def key(self) -> tuple[datetime, int, int]:
        return self.at, self.source, self.row


@dataclass(frozen=True)
class Cursor:
    """Below which entry the next part begins: the order is (moment, source, row), newest first."""

    at: datetime
    source: int
    row: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.source}~{self.row}"

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """The cursor of an address; None for "". Raises Invalid for a damaged one."""
        if not text:
            return None
        at, _sep, rest = text.partition("~")
        source, _sep, row = rest.partition("~")
        try:
            moment = parse_datetime(at.replace(" ", "+"))
            if moment is None or moment.tzinfo is None:
                raise ValueError
            return cls(moment, int(source), int(row))
        except ValueError:
            raise Invalid({"before": [_("This page address is damaged. Start again at the newest.")]}) from None


def older(before: Cursor | None, source: int, at: str = "at", row: str = "id") -> Q:
    """Condition for rows of the source number ``source`` that lie below ``before``."""
    if before is None:
        return Q()
    if source < before.source:
        return Q(**{f"{at}__lte": before.at})
    earlier = Q(**{f"{at}__lt": before.at})
    if source > before.source:
        return earlier
    return earlier | Q(**{at: before.at, f"{row}__lt": before.row})


@dataclass(frozen=True)
class Asked:
    """What a source is asked for: the file, what to leave out, how many at most, its own number."""

    file: Any
    before: Cursor | None
    most: int
    number: int

    def rows(self, found: QuerySet, at: str = "at", row: str = "id") -> list:
        """The newest ``most`` of ``found`` below the cursor."""
        return list(found.filter(older(self.before, self.number, at, row)).order_by(f"-{at}", f"-{row}")[: self.most])

    def below(self, entries: Iterable[Entry]) -> list[Entry]:
        """Those of ``entries`` (a source that is small and read whole) below the cursor, newest first."""
        limit = self.before and (self.before.at, self.before.source, self.before.row)
        found = [e for e in entries if limit is None or (e.at, self.number, e.row) < limit]
        return sorted(found, key=lambda e: (e.at, e.row), reverse=True)[: self.most]


@dataclass(frozen=True)
class Source:
    """One room's part of the timeline. ``entries(asked)``: newest first, below the cursor, at most ``asked.most``.

    A source that shows fewer rows than it read must read on until it has enough or nothing is left. ``aside``: shown only
    when asked for by its filter. ``models``: those with a row of the person's; it is not asked when none of them has one.
    """

    name: str
    show: Show
    entries: Callable[[Asked], list[Entry]]
    reads: Callable[[Any], bool]
    aside: bool = False
    models: tuple[str, ...] = ()


def timeline(
    file: Any, show: str = "", before: Cursor | None = None, most: int = SHOWN
) -> tuple[list[Entry], Cursor | None]:
    """The newest ``most`` entries below ``before`` of all sources that ``file``'s reader may read, and where "earlier" begins.

    ``show`` is one of ``Show`` (anything else shows all).
    """
    from .sources import SOURCES

    made: list[Entry] = []
    wanted = [
        (number, source)
        for number, source in enumerate(SOURCES)
        if (source.show == show if show and show in Show.values else not source.aside) and source.reads(file)
    ]
    there = present(tuple(label for _number, source in wanted for label in source.models), "person", file.person.pk)
    for number, source in wanted:
        if source.models and there.isdisjoint(source.models):
            continue
        for entry in source.entries(Asked(file, before, most + 1, number)):
            entry.source, entry.show = number, source.show
            made.append(entry)
    made.sort(key=lambda e: e.key, reverse=True)
    shown = made[:most]
    return shown, Cursor(*shown[-1].key) if len(made) > most else None
