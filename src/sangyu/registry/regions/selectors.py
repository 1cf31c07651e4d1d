"""Reading the tree: by id, by code on a day, children, search, and the choices of form fields."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from sangyu.kernel import quick
from sangyu.kernel.actor import Actor
from sangyu.kernel.dated import valid_on
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.scoping import lineage

from . import moving
from .enums import Level, Source
from .models import Region, RegionChange, RegionCode


def region(pk: int, *, current: bool = False) -> Region:
    """The region ``pk``; with ``current`` the one it went into when it has ended. Raises NotVisible."""
    found = Region.objects.filter(pk=pk).first()
    while current and found is not None and found.successor_id:
        found = Region.objects.get(pk=found.successor_id)
    if found is None:
        raise NotVisible
    return found


def by_code(code: str, day: date, *, source: str | None = None, current: bool = True) -> Region | None:
    """The region that had the official ``code`` (12 digits, or a beginning padded with zeros) on ``day``; None when
    unknown.

    The Ministry's list goes before the Bureau's where both give the code to different regions. ``current`` follows a
    region that has ended to its successor.
    """
    rows = RegionCode.objects.filter(valid_on(day), code=code.ljust(12, "0"))
    if source:
        rows = rows.filter(source=source)
    found = (
        rows.filter(region__level=_level(code)).order_by("source", "region_id").first()
        or rows.order_by("source").first()
    )
    if found is None:
        return None
    return region(found.region_id, current=current)


def _level(code: str) -> int:
    """Level of an official code: trailing zeros say how deep it goes."""
    code = code.ljust(12, "0")
    for level, start in ((Level.COMMUNITY, 9), (Level.STREET, 6), (Level.COUNTY, 4), (Level.CITY, 2)):
        if code[start:].strip("0"):
            return level
    return Level.PROVINCE


def at_path(path: str) -> Region | None:
    """The open region at ``path``; None when there is none."""
    return Region.objects.filter(path=path, valid_to=None).first()


@dataclass(frozen=True, slots=True)
class OpenRegion:
    pk: int
    code: str


def open_at(paths: Iterable[str]) -> dict[str, OpenRegion]:
    """Path → the open region there, in one query. Raises LookupError when one of ``paths`` has none."""
    wanted = set(paths)
    found = {path: OpenRegion(pk, code) for path, pk, code in quick.rows(_OPEN, [quick.array(wanted)])}
    if missing := wanted - found.keys():
        raise LookupError(f"no region at {', '.join(sorted(missing))}")
    return found


_OPEN = "SELECT path, id, code FROM regions_region WHERE path = ANY (%s::text[]) AND valid_to IS NULL"  # asked with every alarm


def path_of(pk: int) -> str:
    """Path of the region ``pk``. Raises NotVisible."""
    return region(pk).path


def names_of(paths: list[str]) -> dict[str, str]:
    """Full names by path, one query; for lists of rows that carry paths."""
    return dict(Region.objects.filter(path__in=set(paths)).values_list("path", "full_name"))


def ancestors(pk_or_path: str | Region) -> list[Region]:
    """The regions above, root first, the region itself last."""
    path = pk_or_path.path if isinstance(pk_or_path, Region) else pk_or_path
    return list(Region.objects.filter(path__in=lineage(path)).order_by("level"))


def children(pk: int, day: date | None = None) -> QuerySet[Region]:
    """Regions directly below ``pk``, in code order: the open ones, or those of ``day``."""
    condition = valid_on(day) if day else Q(valid_to=None)
    return Region.objects.filter(condition, parent_id=pk).order_by("code", "id")


def below(path: str, level: Level | None = None) -> QuerySet[Region]:
    """Open regions under ``path`` (itself included), of one level when given."""
    rows = Region.objects.filter(path__gte=path, path__lt=path + "~", valid_to=None)
    return (rows.filter(level=level) if level is not None else rows).order_by("path")


def search(actor: Actor, text: str, *, level: Level | None = None, limit: int = 20) -> list[Region]:
    """Open regions of the actor's area by part of the name, beginning of the pinyin initials, or code; upper levels
    first."""
    text = text.strip()
    if not text:
        return []
    rows = below(actor.path, level)
    if text.isdecimal():
        rows = rows.filter(codes__code__startswith=text).distinct()
    elif text.isascii():
        rows = rows.filter(pinyin__startswith=text.lower())
    else:
        rows = rows.filter(Q(name__contains=text) | Q(names__name__contains=text)).distinct()
    return list(rows.order_by("level", "path")[:limit])


def choices_for(actor: Actor, parent_id: int | None = None) -> list[dict]:
    """One level of the lazy tree of a form field: the actor's own region without ``parent_id``, else the children.

    Each entry: ``{"id", "name", "code", "level", "leaf"}``. A parent outside the actor's area gives nothing.
    """
    below_one = Region.objects.filter(parent_id=OuterRef("pk"), valid_to=None)
    rows = Region.objects.filter(valid_to=None, path__gte=actor.path, path__lt=actor.path + "~")
    rows = rows.filter(parent_id=parent_id) if parent_id else rows.filter(path=actor.path)
    rows = rows.annotate(has_children=Exists(below_one)).order_by("code", "id")
    return [{"id": r.pk, "name": r.name, "code": r.code, "level": r.level, "leaf": not r.has_children} for r in rows]


def name_on(found: Region, day: date) -> str:
    """The region's name on ``day``."""
    former = found.names.filter(valid_from__lte=day, valid_to__gt=day).first()
    return former.name if former else found.name


def code_of(found: Region, source: str, day: date) -> str:
    """The region's code of ``source`` on ``day``; "" when it had none."""
    row = RegionCode.objects.filter(valid_on(day), region=found, source=source).first()
    return row.code if row else ""


def changes(actor: Actor) -> QuerySet[RegionChange]:
    """Operations on the tree, newest first."""
    return RegionChange.objects.order_by("-id")


def changes_to(found: Region) -> QuerySet[RegionChange]:
    """Operations that took part of ``found`` in, newest first."""
    return RegionChange.objects.filter(Q(before__contains=[found.pk]) | Q(after__contains=[found.pk])).order_by("-id")


__all__ = [
    "Level",
    "Source",
    "ancestors",
    "at_path",
    "below",
    "by_code",
    "changes",
    "changes_to",
    "children",
    "choices_for",
]
__all__ += ["code_of", "name_on", "names_of", "path_of", "region", "search"]


def holdings_of(found: Region) -> list[tuple[str, int]]:
    """What a merge or split of ``found`` would carry along: (kind of record, number), most first. Call inside a scope."""
    return in_words(moving.holdings([found.path]))


def in_words(totals: dict[str, int]) -> list[tuple[str, int]]:
    """Numbers by table as numbers by the words for their records, most first."""
    words = moving.labels()
    return sorted(((words.get(table, table), count) for table, count in totals.items()), key=lambda pair: -pair[1])
