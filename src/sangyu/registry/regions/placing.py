"""Regions by what a list says: a 12-digit code, or a name with or without what stands above it."""

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.identity import half_width
from sangyu.kernel.importing.definition import Row

from . import selectors as regions
from .enums import Level

_ENDINGS = re.compile(r"(社区居民委员会|居民委员会|社区居委会|居委会|村民委员会|村委会|社区|村)$")


@dataclass(frozen=True, slots=True)
class Place:
    """A region, or why there is none and what to write instead."""

    region: Any = None
    problem: str = ""
    code: str = ""


def _short(name: str) -> str:
    return _ENDINGS.sub("", name) or name


class Places:
    """Open regions of one actor's area between two levels, by code and name."""

    def __init__(
        self, actor: Actor, today: date, *, first: Level = Level.COUNTRY, last: Level = Level.COMMUNITY
    ) -> None:
        self._actor, self._today, self._levels = actor, today, (first, last)
        self._by_code: dict[str, Any] = {}
        self._by_name: dict[str, list[Any]] = defaultdict(list)
        self._names: list[str] = []
        for row in regions.below(actor.path).filter(level__range=self._levels):
            self._by_code[row.code] = row
            self._by_name[_short(row.name)].append(row)
            self._names.append(row.name)
        self._known: dict[tuple[str, str], Place] = {}

    def find(self, written: str, street: str = "") -> Place:
        """The region that ``written`` (with the ``street`` column, if any) means."""
        key = (written, street)
        if key not in self._known:
            self._known[key] = self._find(re.sub(r"\s", "", half_width(written)), re.sub(r"\s", "", half_width(street)))
        return self._known[key]

    def settle(self, row: Row, field: str = "region", street: str = "") -> Any | None:
        """The region that ``field`` of an import's row means; otherwise the row is refused and None comes back."""
        place = self.find(row.values[field], street)
        if place.region is None:
            row.refuse(field, place.problem, place.code)
        return place.region

    def _fits(self, region: Any) -> bool:
        first, last = self._levels
        return first <= region.level <= last and region.path.startswith(self._actor.path)

    def _find(self, written: str, street: str) -> Place:
        if re.fullmatch(r"\d{9,12}", written):
            region = self._by_code.get(written.ljust(12, "0")) or regions.by_code(written, self._today)
            if region is None or not self._fits(region):
                return Place(
                    problem=_("No region of your area has this code, or none of a level that fits here."),
                    code="region.code",
                )
            return Place(region)
        found = (
            self._by_name.get(_short(written))
            or [r for names in self._by_name.values() for r in names if r.full_name.endswith(written)]
            or self._ending(written)
        )
        if street and len(found) > 1:
            found = [r for r in found if street in r.full_name]
        if len(found) == 1:
            return Place(found[0])
        if found:
            names = ", ".join(r.full_name for r in found[:3])
            problem = _("Several regions have this name: %(names)s. Write the whole name or the code.")
            return Place(problem=problem % {"names": names}, code="region.several")
        near = get_close_matches(written, self._names, n=1, cutoff=0.4)
        if near:
            return Place(
                problem=_("Your area has no such region. Did you mean “%(name)s”?") % {"name": near[0]},
                code="region.unknown",
            )
        return Place(problem=_("Your area has no such region. Write its name or 12-digit code."), code="region.unknown")

    def _ending(self, written: str) -> list[Any]:
        """Communities whose name ends the whole name that was written: 站前区建丰街道清华社区."""
        found = []
        for name, named in self._by_name.items():
            if len(name) > 1 and _short(written).endswith(name):
                before = _short(written)[: -len(name)]
                found += [r for r in named if _within(before, r.full_name)]
        return found


def _within(before: str, full_name: str) -> bool:
    """Whether the parts of ``before`` stand in ``full_name`` in this order: 西市区清华社区 is not another county's."""
    position = 0
    for part in re.findall(r".+?(?:省|市|区|县|街道|镇|乡)", before) or ([before] if before else []):
        at = full_name.find(part, position)
        if at < 0:
            return False
        position = at + len(part)
    return True
