"""What policies do to each other: exclude, highest only, top up (O-3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from sangyu.engines.columnar import pl

from .backend import frames as nw
from .policy import Policy

_WINNER = "_winner"


@dataclass(frozen=True)
class Part:
    """The lines of one policy."""

    policy: Policy
    index: int
    lines: nw.LazyFrame

    @property
    def body(self) -> str:
        """Residents are persons: their lines meet."""
        return "person" if self.policy.subject == "resident" else self.policy.subject

    @property
    def paying(self) -> nw.LazyFrame:
        return self.lines.filter((nw.col("amount") != 0) | (nw.col("quantity") > 0))


def excluders(policies: Sequence[Policy]) -> dict[str, set[str]]:
    """code → the codes that exclude it, among these policies."""
    found: dict[str, set[str]] = {p.code: set() for p in policies}
    for policy in policies:
        for loser in set(policy.stacking.excludes) & set(found):
            found[loser].add(policy.code)
        found[policy.code] |= set(policy.stacking.excluded_by) & set(found)
    return {code: others - {code} for code, others in found.items()}


def settling_order(by: dict[str, set[str]]) -> list[str]:
    """Codes in the order in which exclusion is decided: first those that nobody undecided excludes; a circle by code."""
    order: list[str] = []
    left = sorted(by)
    while left:
        code = next((c for c in left if not by[c] & (set(left) - {c})), left[0])
        order.append(code)
        left.remove(code)
    return order


def stacked(parts: list[Part], columns: Sequence[str]) -> Any:
    """All lines after stacking, part after part, as one native frame (eager for Polars)."""
    if not parts:
        return _nothing(columns)
    done = nw.worked([p.lines for p in parts])
    parts = _grouped(_excluded([replace(p, lines=lines) for p, lines in zip(parts, done, strict=True)]))
    return nw.finished([p.lines.select(*columns) for p in parts])


def _nothing(columns: Sequence[str]) -> Any:
    words = {"subject_kind", "policy", "stacked", "winner"}
    return pl.DataFrame(schema={c: pl.Categorical if c in words else pl.Int64 for c in columns})


def _excluded(parts: list[Part]) -> list[Part]:
    by = excluders([p.policy for p in parts])
    now = {p.index: p for p in parts}
    order = settling_order(by)
    for code in order:
        for part in [p for p in now.values() if p.policy.code == code]:
            winners = [p for p in now.values() if p.policy.code in by[code] and p.body == part.body]
            # In a circle only who was decided earlier excludes.
            winners = [p for p in winners if order.index(p.policy.code) < order.index(code)]
            if winners:
                now[part.index] = _beaten(part, _first(part, winners, order), winners, "excluded", order)
    return list(now.values())


def _first(part: Part, winners: list[Part], order: list[str]) -> nw.LazyFrame:
    """The lines of ``part`` with the first of ``winners`` that pays the subject."""
    found = [
        p.paying.select("subject_id", nw.lit(order.index(p.policy.code), dtype=nw.Int64).alias(_WINNER))
        for p in winners
    ]
    if len(found) > 1:
        found = [nw.concat(found, how="vertical").group_by("subject_id").agg(nw.col(_WINNER).min())]
    return nw.beside(part.lines, found[0])


def _beaten(part: Part, lines: nw.LazyFrame, among: list[Part], word: str, order: list[str]) -> Part:
    """``lines``, those of ``part`` with a winner or none beside each: those with a winner other than itself get nothing."""
    own = order.index(part.policy.code)
    lost = ~nw.col(_WINNER).is_null() & (nw.col(_WINNER) != own) & ((nw.col("amount") != 0) | (nw.col("quantity") > 0))
    zero = nw.lit(0, dtype=nw.Int64)
    lines = lines.with_columns(
        nw.when(lost).then(zero).otherwise(nw.col("amount")).alias("amount"),
        nw.when(lost).then(zero).otherwise(nw.col("quantity")).alias("quantity"),
        nw.when(lost).then(nw.word(word)).otherwise(nw.col("stacked")).alias("stacked"),
        nw.when(lost).then(_code(among, order)).otherwise(nw.col("winner")).alias("winner"),
    )
    return replace(part, lines=lines.drop(_WINNER))


def _code(among: list[Part], order: list[str]) -> nw.Expr:
    codes = sorted({p.policy.code for p in among})
    return reduce(
        lambda rest, code: nw.when(nw.col(_WINNER) == order.index(code)).then(nw.word(code)).otherwise(rest),
        codes,
        nw.word(""),
    )


def _grouped(parts: list[Part]) -> list[Part]:
    now = {p.index: p for p in parts}
    for body, group in sorted({(p.body, p.policy.stacking.group) for p in parts if p.policy.stacking.group}):
        members = [p.index for p in parts if (p.body, p.policy.stacking.group) == (body, group)]
        members.sort(key=lambda i: (now[i].policy.code, i))
        order = sorted({now[i].policy.code for i in members})
        rivals = [i for i in members if now[i].policy.stacking.rule == "highest"]
        if len(rivals) > 1:
            among = [now[i] for i in rivals]
            for part in among:
                now[part.index] = _beaten(part, _highest(part, among, order), among, "lower", order)
        for i in members:
            if now[i].policy.stacking.rule != "top_up":
                continue
            others = [
                now[j]
                for j in members
                if j != i and (now[j].policy.stacking.rule != "top_up" or members.index(j) < members.index(i))
            ]
            if others:
                now[i] = _topped(now[i], others, order)
    return list(now.values())


def _rank(part: Part, order: list[str]) -> nw.Expr:
    """The sum, and of equal sums the first by code, in one number: the sum times the count of codes, less the place of the code."""
    return nw.col("amount") * len(order) - order.index(part.policy.code)


def _winner(rank: nw.Expr, order: list[str]) -> nw.Expr:
    """The place of the code in a rank."""
    return ((rank * -1 % len(order) + len(order)) % len(order)).alias(_WINNER)


def _highest(part: Part, rivals: list[Part], order: list[str]) -> nw.LazyFrame:
    """The lines of ``part`` with the one among ``rivals``, itself included, that pays the subject most."""
    lines, ranks = part.lines, [f"_rank{p.index}" for p in rivals if p is not part]
    for rival, name in zip([p for p in rivals if p is not part], ranks, strict=True):
        lines = nw.beside(lines, rival.paying.select("subject_id", _rank(rival, order).alias(name)))
    return lines.with_columns(_winner(nw.max_horizontal(_rank(part, order), *ranks), order)).drop(*ranks)


def _topped(part: Part, others: list[Part], order: list[str]) -> Part:
    """The policy's sum is what the subject shall have in all: it pays what the others leave open."""
    sums = [p.paying.select("subject_id", "amount", _rank(p, order).alias("_rank")) for p in others]
    total = nw.concat(sums, how="vertical").group_by("subject_id")
    total = total.agg(nw.col("amount").sum().alias("_had"), nw.col("_rank").max())
    lines = nw.beside(part.lines, total.select("subject_id", "_had", _winner(nw.col("_rank"), order)))
    had = ~nw.col("_had").is_null() & (nw.col("amount") != 0)
    left = nw.col("amount") - nw.col("_had")
    left = nw.when(left > 0).then(left).otherwise(nw.lit(0, dtype=nw.Int64))
    lines = lines.with_columns(
        nw.when(had).then(left).otherwise(nw.col("amount")).alias("amount"),
        nw.when(had).then(nw.word("topped")).otherwise(nw.col("stacked")).alias("stacked"),
        nw.when(had).then(_code(others, order)).otherwise(nw.col("winner")).alias("winner"),
    )
    return replace(part, lines=lines.drop("_had", _WINNER))
