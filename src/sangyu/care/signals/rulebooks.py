"""Which rules hold for a device: the shipped ones, those of its region, its product's, and what is personal (R-091).

``data/alarms/default.yaml`` holds everywhere; ``data/alarms/<region code>.yaml`` replaces rules of the same code there and below.
A ``Sheet`` is made for looking up quickly: most readings are well inside of all limits and must cost nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache

from django.conf import settings

from sangyu.engines.alarms import Circle, Rule, read
from sangyu.kernel import quick
from sangyu.registry.devices import selectors as devices
from sangyu.registry.regions import selectors as regions

from .models import Fence, Limit

FENCE = "geofence"
SILENT = "silent"
#: Supervision intervals that may pass without a word (devices.md §6).
MISSED = 3
LONGEST = timedelta(hours=24)


@dataclass
class Sheet:
    """Rules by what they look at. ``readings``: name → (rule, least, greatest value that begins nothing); ``context``: name → rules that need it."""

    rules: dict[str, Rule] = field(default_factory=dict)
    readings: dict[str, list[tuple[Rule, float, float]]] = field(default_factory=dict)
    context: dict[str, list[Rule]] = field(default_factory=dict)
    alarms: dict[str, Rule] = field(default_factory=dict)
    fences: list[Rule] = field(default_factory=list)


@cache
def _files() -> dict[str, dict[str, Rule]]:
    folder = settings.DATA / "alarms"
    return {p.stem: read(p.read_text(encoding="utf-8"), file=p.name) for p in sorted(folder.glob("*.yaml"))}


@cache
def rules_at(path: str) -> dict[str, Rule]:
    """Rules of the region at ``path``: the nearest region's file wins. Read once a process."""
    files = _files()
    found = dict(files["default"])
    if len(files) > 1:
        for region in sorted(regions.ancestors(path), key=lambda r: len(r.path)):
            found |= files.get(region.code, {})
    return found


@cache
def sheet(path: str, product: str) -> Sheet:
    """Rules for devices of ``product`` in the region at ``path``."""
    return _sheet(_for_product(rules_at(path), product))


def _for_product(rules: dict[str, Rule], code: str) -> dict[str, Rule]:
    known = devices.product(code)
    if known is None:
        return rules
    made = dict(rules)
    for name, rule in rules.items():
        if "battery" in rule.readings:
            made[name] = replace(rule, low=known.battery_low, margin=known.battery_clear - known.battery_low)
        elif rule.silent:
            made[name] = replace(rule, lasting=MISSED * timedelta(minutes=known.supervision_minutes))
        elif rule.context and "bed" not in known.capabilities:
            del made[name]  # nobody lies on a watch
    judged = {name for rule in made.values() if rule.context for name in rule.readings}
    return {n: r for n, r in made.items() if r.context or not r.readings & judged}


def _sheet(rules: dict[str, Rule], fences: Iterable[Rule] = ()) -> Sheet:
    made = Sheet(rules, fences=list(fences))
    made.rules = {**rules, **{f.code: f for f in made.fences}}
    for rule in rules.values():
        least = float("-inf") if rule.low is None else rule.low
        most = float("inf") if rule.high is None else rule.high
        for name in rule.readings:
            made.readings.setdefault(name, []).append((rule, least, most))
        for name in rule.context:
            made.context.setdefault(name, []).append(rule)
        for kind in rule.alarms:
            made.alarms.setdefault(kind, rule)
    return made


# ---------------------------------------------------------------- personal
def settable(rule: Rule) -> frozenset[str]:
    """Which values of the rule one person may have of their own; none of what calls for help, and of a fence."""
    if rule.latch or rule.fenced or rule.fence:
        return frozenset()
    if rule.lasting:
        return frozenset({"minutes", "off"})
    return frozenset({"off", *(name for name in ("low", "high") if getattr(rule, name) is not None)})


@dataclass
class Personal:
    """Limits and fences of one person that hold today."""

    limits: list[Limit] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)


def personal_of(person_ids: Iterable[int], today: date) -> dict[int, Personal]:
    """Person → what is personal; who has nothing is left out."""
    asked = quick.rows(_WHO, [quick.array(person_ids), today, today] * 2)
    ids = [pk for (pk,) in asked]  # few have any: of a batch's thousand wearers only those are read
    found: dict[int, Personal] = {}
    if ids:
        for limit in Limit.objects.on(today).filter(person_id__in=ids):
            found.setdefault(limit.person_id, Personal()).limits.append(limit)
        for fence in Fence.objects.on(today).filter(person_id__in=ids).order_by("pk"):
            found.setdefault(fence.person_id, Personal()).fences.append(fence)
    return found


_WHO = " UNION ".join(
    f"SELECT person_id FROM signals_{t} WHERE person_id = ANY (%s::bigint[]) AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)"
    for t in ("limit", "fence")
)


def personal_sheet(path: str, product: str, personal: Personal) -> Sheet:
    """The sheet with the person's own limits and fences put in."""
    rules = dict(sheet(path, product).rules)
    for limit in personal.limits:
        rule = rules.get(limit.rule)
        if rule is None:
            continue
        if limit.off:
            del rules[limit.rule]
            continue
        low = rule.low if limit.low is None else limit.low
        high = rule.high if limit.high is None else limit.high
        margin = rule.margin if low is None or high is None else min(rule.margin, (high - low) / 4)
        lasting = timedelta(minutes=limit.minutes) if limit.minutes else rule.lasting
        rules[limit.rule] = replace(rule, low=low, high=high, margin=margin, lasting=lasting)
    fences = [fence_rule(rules[FENCE], f) for f in personal.fences] if FENCE in rules else []
    return _sheet(rules, fences)


def fence_rule(rule: Rule, fence: Fence) -> Rule:
    """The rule of one fence; its code names it, so that two fences are two alarms."""
    return replace(
        rule,
        code=f"{FENCE}:{fence.pk}",
        name=fence.name,
        fence=Circle(fence.latitude, fence.longitude, fence.radius, fence.inside),
    )


def horizon(rule: Rule) -> timedelta:
    """How far back events still matter to the rule: the machine is made anew from so many hours of readings."""
    if rule.latch or rule.alarms:
        return LONGEST
    return min(
        LONGEST, 2 * (rule.within + rule.stands + rule.lasting + rule.clear_after + rule.hold) + timedelta(hours=1)
    )
