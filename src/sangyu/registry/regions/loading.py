"""Loading the lists into the tree by COPY: only what is missing is added, paths of what is there never change."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db import connection

from sangyu.kernel.actor import ROOT_PATH

from . import names, points
from .enums import Flag, Level
from .models import BEFORE, Region, RegionCode
from .sources import Node, build

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
#: Where free segments start when the official digits are taken: after every three digits.
FREE_FROM = 10 * 36 * 36
SEGMENTS = 36**3


@dataclass(frozen=True)
class Loaded:
    """What a load did: regions and codes added, regions in the lists."""

    regions: int
    codes: int
    listed: int


@dataclass
class _Row:
    pk: int
    parent_id: int | None
    path: str
    full_name: str
    node: Node
    point: tuple[float, float] | None = None


def segment(number: int) -> str:
    """``number`` as three base-36 digits. Raises ValueError past 46,655."""
    if not 0 <= number < SEGMENTS:
        raise ValueError(f"a region has at most {SEGMENTS} children")
    high, low = divmod(number, 36 * 36)
    return DIGITS[high] + DIGITS[low // 36] + DIGITS[low % 36]


def free_segment(wanted: str, taken: set[str]) -> str:
    """``wanted`` when no sibling has it, else the first free one after the official digits; adds it to ``taken``."""
    number = FREE_FROM
    chosen = wanted
    while chosen in taken:
        chosen = segment(number)
        number += 1
    taken.add(chosen)
    return chosen


def digits_of(node: Node) -> str:
    """The node's own digits of its official code as a path segment: 210802 → 002, 210802001 → 001."""
    if node.level <= Level.COUNTY:
        return node.code[2 * (node.level - 1) : 2 * node.level].rjust(3, "0")
    return node.code[6:9] if node.level == Level.STREET else node.code[9:12]


def load_lists(prefixes: tuple[str, ...], folder: Path | None, with_points: bool) -> Loaded:
    """Add what ``build(prefixes, folder)`` names and the tree lacks. Runs in the caller's transaction and scope."""
    nodes = build(prefixes, folder)
    by_code = {
        (source, code, level): (pk, path, full_name, parent_id)
        for source, code, level, pk, path, full_name, parent_id in RegionCode.objects.filter(
            valid_to=None, region__valid_to=None
        ).values_list(
            "source", "code", "region__level", "region_id", "region__path", "region__full_name", "region__parent_id"
        )
    }
    plain = {
        (level, code): (pk, path, full_name, parent_id)
        for level, code, pk, path, full_name, parent_id in Region.objects.filter(valid_to=None, codes=None).values_list(
            "level", "code", "pk", "path", "full_name", "parent_id"
        )
    }
    taken = _taken_segments()
    rows: dict[int, _Row] = {}
    fresh: list[_Row] = []
    for node in nodes:
        found = next((f for s, c, _n, _d in node.codes if (f := by_code.get((s, c, int(node.level))))), None)
        found = found or plain.get((int(node.level), node.code))
        if found:
            pk, path, full_name, parent_id = found
            rows[id(node)] = _Row(pk, parent_id, path, full_name, node)
        else:
            up = rows[id(node.parent)] if node.parent else None
            path = up.path + free_segment(digits_of(node), taken.setdefault(up.path, set())) if up else ROOT_PATH
            prefix = up.full_name if up and up.node.level else ""
            shown = (
                ""
                if node.flag == Flag.PSEUDO and node.level in (Level.CITY, Level.COUNTY) and node.name in prefix
                else node.name
            )
            row = rows[id(node)] = _Row(0, None, path, (prefix + shown)[:200], node)
            fresh.append(row)
    for row, pk in zip(fresh, _new_ids(len(fresh)), strict=True):
        row.pk = pk
    for row in fresh:
        row.parent_id = rows[id(row.node.parent)].pk if row.node.parent else None
    if with_points:
        _place(rows, fresh)
    _copy_regions(fresh)
    new_codes = [
        (rows[id(n)].pk, s, c, name, listed)
        for n in nodes
        for s, c, name, listed in n.codes
        if (s, c, int(n.level)) not in by_code
    ]
    _copy_codes(new_codes)
    return Loaded(len(fresh), len(new_codes), len(nodes))


def _taken_segments() -> dict[str, set[str]]:
    """Segments in use (also by ended regions) by the parent's path."""
    taken: dict[str, set[str]] = {}
    for path in Region.objects.values_list("path", flat=True).iterator():
        taken.setdefault(path[:-3], set()).add(path[-3:])
    return taken


def _new_ids(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('regions_region', 'id')) FROM generate_series(1, %s)", [count]
        )
        return [pk for (pk,) in cursor.fetchall()]


def _place(rows: dict[int, _Row], fresh: list[_Row]) -> None:
    """Give new counties, streets and communities their approximate points."""
    for row in fresh:
        node = row.node
        if node.level == Level.COUNTY:
            row.point = points.county_point(node.code)
        elif node.level == Level.STREET:
            row.point = points.point_within(node.parent.code, node.code)
        elif node.level == Level.COMMUNITY and (street := rows[id(node.parent)].point):
            row.point = points.point_near(street, node.parent.parent.code, node.code)


def _copy_regions(rows: list[_Row]) -> None:
    columns = "id, parent_id, level, path, name, full_name, code, pinyin, urban, latitude, longitude, approximate, flag, valid_from"
    with connection.cursor() as cursor:
        # A session keeps the plans of its foreign-key checks: those made while the table was small scan it once a row.
        cursor.execute("DISCARD PLANS")
    with connection.cursor() as cursor, cursor.copy(f"COPY regions_region ({columns}) FROM STDIN") as copy:
        for row in rows:
            node = row.node
            copy.write_row(
                (
                    row.pk,
                    row.parent_id,
                    int(node.level),
                    row.path,
                    node.name,
                    row.full_name,
                    node.code,
                    names.initials(node.name, exact=node.level < Level.STREET),
                    _urban(node),
                    row.point[0] if row.point else None,
                    row.point[1] if row.point else None,
                    True,
                    str(node.flag),
                    BEFORE,
                )
            )


def _urban(node: Node) -> bool | None:
    """Residents' committee (type digits below 200) or village (below 400); None where the code does not say."""
    if node.level != Level.COMMUNITY or int(node.code[9:12]) >= 400:
        return None
    return int(node.code[9:12]) < 200


def _copy_codes(rows: list[tuple[int, str, str, str, date]]) -> None:
    columns = "region_id, source, code, name, urban_rural_class, listed_on, valid_from"
    with connection.cursor() as cursor, cursor.copy(f"COPY regions_regioncode ({columns}) FROM STDIN") as copy:
        for pk, source, code, name, listed in rows:
            copy.write_row((pk, str(source), code, name, "", listed, BEFORE))
