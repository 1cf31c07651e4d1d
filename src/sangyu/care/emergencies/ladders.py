"""Escalation ladders as data (``data/escalation/*.yaml``): what happens when, unless somebody has done it. Mistakes are told with
their file."""

import re
from dataclasses import dataclass
from datetime import time, timedelta
from functools import cache
from pathlib import Path

import yaml
from django.conf import settings

ACTS = ("duty", "desk", "supervisor", "family", "nearest", "emergency")
UNLESS = ("", "claimed", "confirmed", "under_way", "arrived", "closed")
TRACKS = ("duty", "family", "nearest")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_CLOCK = re.compile(r"^(\d+)([smh])$")


@dataclass(frozen=True)
class Rung:
    """One step: ``act`` happens ``after`` the opening, unless."""

    code: str
    after: timedelta
    act: str
    unless: str
    words: str


@dataclass(frozen=True)
class Ladder:
    level: int
    where: str
    name: str
    rungs: tuple[Rung, ...]


@dataclass(frozen=True)
class Book:
    """The ladders of a region and what goes with them."""

    file: str
    about: str
    areas: tuple[str, ...]
    answer_within: dict[str, timedelta]
    detour: float
    most_metres: int
    fresh_place: timedelta
    follow_up_call: timedelta
    #: Local hours in which somebody must be on the roster; the second lies on the next day.
    nights: tuple[time, time]
    ladders: tuple[Ladder, ...]

    def ladder(self, level: int, *, in_facility: bool) -> Ladder | None:
        """The first that fits; the special ones stand before the general."""
        here = ("", "facility") if in_facility else ("", "home")
        return next((a for a in self.ladders if a.level == level and a.where in here), None)


def clock(text: object, where: str) -> timedelta:
    """ "30s", "5m", "24h". Raises ValueError that names ``where``."""
    found = _CLOCK.match(str(text))
    if not found:
        raise ValueError(f"{where}: a time is written as 30s, 5m or 24h, not {text!r}")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def read(text: str, file: str) -> Book:
    """A file of ladders. Raises ValueError that says where the mistake is."""
    raw = yaml.safe_load(text)
    ladders = []
    for entry in raw["ladders"]:
        where = f"{file}: level {entry['level']}{' ' + entry['where'] if entry.get('where') else ''}"
        rungs = tuple(_rung(r, where) for r in entry["steps"])
        if len({r.code for r in rungs}) != len(rungs):
            raise ValueError(f"{where}: a code stands twice")
        ladders.append(Ladder(entry["level"], entry.get("where", ""), entry["name"], rungs))
    within = {track: clock(raw["answer_within"][track], f"{file}: answer_within") for track in TRACKS}
    return Book(
        file, raw["about"], tuple(str(a) for a in raw["areas"]), within, float(raw["detour"]), int(raw["most_metres"]),
        clock(raw["fresh_place"], file), clock(raw["follow_up_call"], file), _nights(raw["nights"], file), tuple(ladders),
    )  # fmt: skip


def _nights(text: str, file: str) -> tuple[time, time]:
    try:
        first, last = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        raise ValueError(f"{file}: nights are written as 18:00-08:00, not {text!r}") from None
    return first, last


def _rung(raw: dict, where: str) -> Rung:
    where = f"{where}: step {raw['code']}"
    if raw["act"] not in ACTS:
        raise ValueError(f"{where}: act is one of {', '.join(ACTS)}, not {raw['act']!r}")
    if raw.get("unless", "") not in UNLESS:
        raise ValueError(f"{where}: unless is one of {', '.join(UNLESS[1:])}, not {raw['unless']!r}")
    return Rung(raw["code"], clock(raw["after"], where), raw["act"], raw.get("unless", ""), raw["words"])


@cache
def books() -> tuple[Book, ...]:
    """All shipped files; the one without areas last."""
    folder: Path = settings.DATA / "escalation"
    found = [read(p.read_text(encoding="utf-8"), p.name) for p in sorted(folder.glob("*.yaml"))]
    if sum(not b.areas for b in found) != 1:
        raise ValueError(f"{folder.name}: exactly one file has no areas and holds everywhere else")
    return tuple(sorted(found, key=lambda b: not b.areas))


def book_for(code: str) -> Book:
    """The ladders of the region with the twelve-digit ``code``: the file with the longest code that it begins with."""
    fitting = [(len(a), b) for b in books() for a in b.areas if code.startswith(a)]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else books()[-1]
