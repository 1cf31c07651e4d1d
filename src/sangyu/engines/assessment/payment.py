"""The dated mapping from ability levels to the levels that money asks for (自理 / 半失能 / 失能; O-1, R-035)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from ..yamlfile import Source

LEVELS = ("self_care", "part", "full")


@dataclass(frozen=True)
class Mapping:
    """Ability level → payment level, in ``region`` (digits at the beginning of its code; "" = everywhere) from a day on."""

    region: str
    valid_from: date
    valid_to: date | None
    levels: dict[str, str]
    document: str
    mark: str

    def on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


#: Digits of a code that name a province, city, county, town, village.
_ENDS = (2, 4, 6, 9, 12)


def shortest(code: str) -> str:
    """The digits of ``code`` that say something: 210800000000 → 2108, 210810 → 210810."""
    return next((code[:n] for n in (0, *_ENDS) if not code[n:].strip("0")), code)


def read(text: str, *, file: str) -> list[Mapping]:
    """The mappings of one file. Raises FileErrors."""
    s = Source(text, file)
    s.keys(s.root, ("mappings",), ("about",))
    made = []
    for node in s.nodes(s.root, "mappings"):
        s.keys(node, ("valid_from", "levels", "document", "mark"), ("region", "valid_to"))
        levels = {str(k): str(v) for k, v in (node.get("levels") or {}).items()}
        if set(levels) != set("01234") or set(levels.values()) - set(LEVELS):
            s.say(
                node.lines.get("levels", node.line),
                "Each level 0 to 4 needs a payment level.",
                f"Use {', '.join(LEVELS)}.",
            )
        region = shortest(s.text(node, "region"))
        if region and not region.isdigit():
            s.say(node.lines["region"], f"“{region}” is no region code.", 'Write the digits in quotes: "210800".')
        made.append(
            Mapping(region, s.day(node, "valid_from"), s.day(node, "valid_to"), levels, s.text(node, "document"), s.text(node, "mark"))
        )  # fmt: skip
    s.finish()
    return made


def of_region(mappings: Iterable[Mapping], code: str) -> list[Mapping]:
    """Those that may concern the region with ``code``, the nearest first."""
    return sorted((m for m in mappings if code.startswith(m.region)), key=lambda m: -len(m.region))


def on(mappings: Iterable[Mapping], day: date, code: str) -> Mapping | None:
    """The mapping in force on ``day`` in the region with ``code``: the nearest region wins, then the later beginning."""
    found = [m for m in of_region(mappings, code) if m.on(day)]
    return max(found, key=lambda m: (len(m.region), m.valid_from), default=None)
