"""From answers to a level, each step with the rule that was applied and its mark."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .instrument import Change, Instrument, LevelRule, Part

#: The two parameters that every instrument with changes may set: how changes add up, how events are counted.
STACKING, COUNTING = "stacking", "counting"
#: A finding that says nothing.
NOTHING = ("", "none", "no", 0, "0", False, None)


class WrongAnswers(ValueError):
    """Answers that cannot be scored: ``missing`` items, and ``wrong`` ones (code → value)."""

    def __init__(self, missing: list[str], wrong: dict[str, Any]) -> None:
        self.missing, self.wrong = missing, wrong
        super().__init__(f"missing {missing}, wrong {wrong}")


@dataclass(frozen=True)
class PartScore:
    """Sub-total of one part, with its own level where the scale has part levels."""

    code: str
    name: str
    score: int
    most: int
    level: int | None = None
    level_name: str = ""
    rule: str = ""
    text: str = ""
    mark: str = "V"


@dataclass(frozen=True)
class Applied:
    """A change that was looked at and held. ``before`` = ``after`` when another one had taken its effect already."""

    code: str
    name: str
    text: str
    mark: str
    reason: str
    before: int
    after: int
    note: str = ""


@dataclass(frozen=True)
class Result:
    """``total`` over all parts; ``preliminary`` and ``level`` are codes of the instrument's levels, 0 = best."""

    instrument: str
    parts: tuple[PartScore, ...]
    total: int
    most: int
    preliminary: int
    preliminary_name: str
    rule: str
    rule_text: str
    mark: str
    changes: tuple[Applied, ...]
    level: int
    level_name: str
    flags: tuple[str, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def check(instrument: Instrument, answers: Mapping[str, str], *, partial: bool = False) -> None:
    """Raise WrongAnswers for unknown items or options, and for missing ones unless ``partial``."""
    items = instrument.items
    wrong = {c: v for c, v in answers.items() if c not in items or items[c].option(str(v)) is None}
    missing = [] if partial else [c for c in items if c not in answers]
    if wrong or missing:
        raise WrongAnswers(missing, wrong)


def score(
    instrument: Instrument,
    answers: Mapping[str, str],
    findings: Mapping[str, Any] | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Result:
    """Score complete ``answers`` (item → option value) with ``findings`` (code → tick, count or choice).

    ``parameters`` replaces readings of the file. Raises WrongAnswers.
    """
    check(instrument, answers)
    items, findings, given = instrument.items, dict(findings or {}), dict(parameters or {})
    chosen = {code: items[code].option(str(answers[code])) for code in items}
    scores = {code: option.score for code, option in chosen.items()}
    flags = sorted({o.flag for o in chosen.values() if o.flag})
    parts = tuple(_part(instrument, p, scores) for p in instrument.parts)
    total = sum(p.score for p in parts)
    level, rule, text, mark = _preliminary(instrument, parts, total)
    final, applied = _changed(instrument, level, flags, findings, given)
    return Result(
        instrument=instrument.code,
        parts=parts,
        total=total,
        most=instrument.most,
        preliminary=level,
        preliminary_name=instrument.levels[level],
        rule=rule,
        rule_text=text,
        mark=mark,
        changes=tuple(applied),
        level=final,
        level_name=instrument.levels[final],
        flags=tuple(flags),
        parameters={name: instrument.parameter(name, given) for name in instrument.parameters},
    )


def _part(instrument: Instrument, part: Part, scores: dict[str, int]) -> PartScore:
    total = sum(scores[i.code] for i in part.items)
    if not part.rules:
        return PartScore(part.code, part.name, total, part.most, mark=part.mark)
    rule = _first(part.rules, total, scores)
    return PartScore(
        part.code,
        part.name,
        total,
        part.most,
        rule.level,
        instrument.part_levels[rule.level],
        rule.code,
        rule.text,
        rule.mark,
    )


def _first(rules: tuple[LevelRule, ...], total: int, values: dict[str, int]) -> LevelRule:
    return next(r for r in rules if r.holds(total, values))


def _preliminary(instrument: Instrument, parts: tuple[PartScore, ...], total: int) -> tuple[int, str, str, str]:
    levels = {p.code: p.level for p in parts if p.level is not None}
    if instrument.matrix is None:
        rule = _first(instrument.rules, total, levels)
        return rule.level, rule.code, rule.text, rule.mark
    m = instrument.matrix
    row, column = levels[m.rows], max(levels[c] for c in m.columns)
    text = f"{instrument.part_levels[row]} × {instrument.part_levels[column]}"
    return m.table[row][column], f"level.{row}.{column}", text, m.mark


def _changed(
    instrument: Instrument, level: int, flags: list[str], findings: dict[str, Any], given: dict[str, str]
) -> tuple[int, list[Applied]]:
    """The final level and the changes that held. A level set outright wins; the others count once, or each, as the
    parameter ``stacking`` says; never worse than the worst, and a level that the scale fixes is not raised.
    """
    counting = instrument.parameter(COUNTING, given) if COUNTING in instrument.parameters else "sum"
    held = [(c, why) for c in instrument.changes if (why := _reason(instrument, c, flags, findings, counting))]
    each = STACKING in instrument.parameters and instrument.parameter(STACKING, given) == "each"
    now, applied, raised = level, [], False
    placed = [(c, why) for c, why in held if c.to]
    for change, why in placed:
        target = max(now, int(instrument.parameter(change.to, given)))
        applied.append(_applied(change, why, now, target))
        now = target
    for change, why in held:
        if change.to:
            continue
        note, target = "", min(now + change.worse, instrument.worst)
        if placed:
            note, target = "placed", now
        elif level in instrument.fixed_levels:
            note, target = "fixed", now
        elif raised and not each:
            note, target = "once", now
        elif now == instrument.worst:
            note = "worst"
        applied.append(_applied(change, why, now, target, note))
        raised, now = True, target
    return now, applied


def _applied(change: Change, reason: str, before: int, after: int, note: str = "") -> Applied:
    return Applied(change.code, change.name, change.text, change.mark, reason, before, after, note)


def _reason(instrument: Instrument, change: Change, flags: list[str], findings: dict[str, Any], counting: str) -> str:
    """Why the change holds, in words; "" when it does not."""
    known = {f.code: f for f in instrument.findings}
    said = [
        o.text
        for p in instrument.parts
        for i in p.items
        for o in i.options
        if o.flag and o.flag in flags and o.flag in change.flags
    ]
    for code in change.findings:
        if (value := findings.get(code)) not in NOTHING:
            words = known[code].choices.get(str(value), "")
            said.append(known[code].name + (f"：{words}" if words else ""))
    if change.counts:
        counts = {c: int(findings.get(c) or 0) for c in change.counts}
        reached = max(counts.values()) if counting == "kind" else sum(counts.values())
        if reached >= change.at_least:
            said.append("，".join(f"{known[c].name} {n} 次" for c, n in counts.items() if n))
    return "；".join(dict.fromkeys(said))
