"""What a tried rule means for the budget of the fund that pays it (R-062)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from sangyu.engines.columnar import np, pl
from sangyu.engines.policy import Policy
from sangyu.kernel.actor import Actor

from . import selectors
from .enums import PeriodKind
from .funds import Budget, ask, months_left, times


def compared(
    actor: Actor,
    *,
    path: str,
    month: date,
    read_at: datetime,
    rules: tuple[Policy | None, Policy],
    lines: tuple[pl.DataFrame, pl.DataFrame],
    base: tuple[np.ndarray, pl.Series],
) -> list[dict[str, Any]]:
    """A row a fund that pays the rule today or then: budget, spent, and what is still to come of the year under both texts.

    ``rules`` and ``lines``: today's and the tried one's, the rules read as if they had always held; ``base``: ids of
    all subjects, ascending, and their paths.
    """
    found: list[dict[str, Any]] = []
    for code in dict.fromkeys(r.fund for r in reversed(rules) if r is not None and r.fund):
        budgets = ask(actor, rules[1].code, code, path, month, read_at)
        if budgets is None:
            return []
        regions = sorted((p for b in budgets for p in b.regions), key=len)
        part = _part(base[1], regions, path)
        sums = [_sums(side, base[0], part, regions) if regions else {} for side in lines]
        found += [_row(b, code, month, rules, sums) for b in budgets] or [{"code": code, "missing": True}]
    return found


def _part(paths: pl.Series, regions: list[str], path: str) -> np.ndarray:
    """Which of ``regions`` (shortest first) each subject of ``path`` belongs to: the nearest, -1 none."""
    part = np.full(len(paths), -1, np.int16)
    for n, prefix in enumerate(regions):
        part[slice(None) if path.startswith(prefix) else paths.str.starts_with(prefix).to_numpy()] = n
    return part


def _sums(lines: pl.DataFrame, known: np.ndarray, part: np.ndarray, regions: list[str]) -> dict[str, dict[str, int]]:
    """Region → policy → fen of one payment. ``known`` are the ids that ``part`` is about, ascending."""
    at = np.searchsorted(known, lines["subject_id"].to_numpy())
    rows = lines.select("policy", "amount", part=part[at]).group_by("part", "policy").agg(pl.col("amount").sum())
    found: dict[str, dict[str, int]] = {}
    for n, policy, fen in rows.iter_rows():
        if n >= 0:
            found.setdefault(regions[n], {})[policy] = fen
    return found


def _row(budget: Budget, code: str, month: date, rules: tuple, sums: list[dict[str, dict[str, int]]]) -> dict[str, Any]:
    rest, year, own = [0, 0], [0, 0], rules[1].code
    shift, most = 0, 0
    for region, until in budget.regions.items():
        months = list(months_left(budget.year, month, until))
        once = [side.get(region, {}) for side in sums]
        # The rule of today pays what is left of the months before the tried one begins.
        early, late = [m for m in months if m < month], [m for m in months if m >= month]
        for side, rule in enumerate(rules):
            if rule is None or rule.fund != code:
                continue
            fen = once[side].get(own, 0)
            rest[side] += fen * times(rule, late)
            year[side] += fen * PeriodKind(rule.period).times_a_year
            most = max(most, times(rule, late))
        if (today := rules[0]) is not None and today.fund == code:
            before = once[0].get(own, 0) * times(today, early)
            rest = [fen + before for fen in rest]
        shift += _shift(region, code, own, once, late)
    others = budget.others
    return {
        "code": code, "name": budget.name, "region": budget.region, "url": budget.url, "year": budget.year,
        "budget": budget.amount, "planned": budget.planned, "document": budget.document, "received": budget.received,
        "spent": budget.spent, "other_use": budget.other_use, "least_share": budget.least_share, "pays": budget.pays,
        "times": most, "before": rest[0], "after": rest[1], "before_year": year[0], "after_year": year[1],
        "others_before": others, "others_after": None if others is None else others + shift,
    }  # fmt: skip


def _shift(region: str, code: str, own: str, once: list[dict[str, int]], months: list[date]) -> int:
    """By how much the fund's other rules change because they stack with the tried one, until the end of the year."""
    moved = {p: once[1].get(p, 0) - once[0].get(p, 0) for p in {*once[0], *once[1]} - {own}}
    moved = {p: fen for p, fen in moved.items() if fen}
    if not moved or not months:
        return 0
    due = {v.code: selectors.policy_of(v) for v in selectors.due_in(region, months[0]) if v.code in moved}
    return sum(moved[p] * times(rule, months) for p, rule in due.items() if rule.fund == code)


# ---------------------------------------------------------------- read out
@dataclass(frozen=True)
class Told:
    """One line of the comparison, in fen: what it is, today and with the tried rule. ``result``: what is left."""

    label: str
    before: int
    after: int
    result: bool = False

    @property
    def change(self) -> int:
        return self.after - self.before


def told(fund: dict[str, Any]) -> list[Told]:
    """The lines of a row of ``compared``, from the budget to what is left at the end of the year."""
    year, others = fund["year"], fund["others_before"]
    rows = [
        Told(_("Spent in %(year)s") % {"year": year}, fund["spent"], fund["spent"]),
        Told(_("Used otherwise"), fund["other_use"], fund["other_use"]),
        Told(_("This rule until December, %(n)s payments") % {"n": fund["times"]}, fund["before"], fund["after"]),
        Told(_("The fund's other rules until December"), others or 0, fund["others_after"] or 0),
    ]
    rows = [r for n, r in enumerate(rows) if n == 2 or r.before or r.after]
    if fund["budget"] is None:
        return rows
    head = _("Budget of %(year)s") if fund["planned"] else _("What the fund has in %(year)s")
    left = [fund["budget"] - sum(r.before for r in rows), fund["budget"] - sum(r.after for r in rows)]
    name = _("Left at the end of the year") if others is not None else _("Left for the fund's other areas and rules")
    return [Told(head % {"year": year}, fund["budget"], fund["budget"]), *rows, Told(name, *left, result=True)]


def shares(fund: dict[str, Any]) -> tuple[float, float] | None:
    """Elder care's per cent of what a lottery fund received in the year, today and then (R-062); None for another fund, where
    nothing came in, and for whoever does not see all that the fund pays.
    """
    if not fund["least_share"] or not fund["received"] or fund["others_before"] is None:
        return None
    sums = (fund["spent"] + fund[side] + fund[f"others_{side}"] for side in ("before", "after"))
    before, after = (round(100 * fen / fund["received"], 1) for fen in sums)
    return before, after
