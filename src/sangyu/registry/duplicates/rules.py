"""Weights and thresholds as data: ``data/duplicates/*.yaml``, versioned, valid from a day (R-026, ADR 0013)."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import yaml
from django.conf import settings

#: Feature → the findings it may have; a file names points for each of them and nothing else.
LEVELS: dict[str, tuple[str, ...]] = {
    "name": ("same_rare", "same", "same_common", "pinyin", "swapped", "one", "missing", "surname", "other"),
    "birth": ("same", "swapped", "digit", "year", "other", "unknown"),
    "sex": ("same", "other", "unknown"),
    "phone": ("same", "tail", "other", "unknown"),
    "identity": ("other", "unknown"),
    "area": ("community", "street", "county", "other", "unknown"),
    "address": ("same", "alike", "other", "unknown"),
    "twins": ("likely", "none"),
}
_NUMBERS = ("review", "certain", "common_name", "rare_name", "address_same", "address_alike")


class WrongRules(ValueError):
    """The file says something else than it should; the message names file, place and remedy."""


@dataclass(frozen=True)
class Rules:
    """One version of the weights. ``points[feature][finding]`` are whole or half points."""

    version: int
    valid_from: date
    review: float
    certain: float
    common_name: float
    rare_name: float
    address_same: float
    address_alike: float
    points: dict[str, dict[str, float]]


def read(path: Path) -> Rules:
    """Rules of one file. Raises WrongRules."""
    given = yaml.safe_load(path.read_text())
    wanted = {"version", "valid_from", "points", *_NUMBERS}
    if not isinstance(given, dict) or set(given) != wanted:
        off = sorted(set(given or ()) ^ wanted)
        raise WrongRules(f"{path.name}: {', '.join(off)} missing or unknown; the keys are {', '.join(sorted(wanted))}")
    for key in _NUMBERS:
        if not isinstance(given[key], int | float):
            raise WrongRules(f"{path.name}: {key} must be a number, not {given[key]!r}")
    if not isinstance(given["valid_from"], date):
        raise WrongRules(f"{path.name}: valid_from must be a day such as 2026-01-01")
    if set(given["points"]) != set(LEVELS):
        raise WrongRules(f"{path.name}: points must name {', '.join(LEVELS)}")
    for feature, levels in LEVELS.items():
        found = given["points"][feature]
        if set(found) != set(levels) or not all(isinstance(p, int | float) for p in found.values()):
            raise WrongRules(f"{path.name}: points.{feature} must give a number for each of {', '.join(levels)}")
    if not given["review"] <= given["certain"]:
        raise WrongRules(f"{path.name}: certain must not lie below review")
    return Rules(**given)


@cache
def _all() -> tuple[Rules, ...]:
    found = sorted((read(p) for p in (settings.DATA / "duplicates").glob("*.yaml")), key=lambda r: r.valid_from)
    if not found:
        raise WrongRules("data/duplicates holds no file: ship at least one version")
    return tuple(found)


def rules_on(day: date) -> Rules:
    """The version that holds on ``day``."""
    return next((r for r in reversed(_all()) if r.valid_from <= day), _all()[0])
