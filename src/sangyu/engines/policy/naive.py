"""The same rules, one row at a time in plain Python: for the tests, and to explain one subject's case ("why not")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Any

from .calendar import Due, Period, age_on, months_between, next_month
from .policy import FORMULA, UNMATCHED, Amount, Edge, Policy, Reading
from .sentences import sentence
from .stacking import excluders, settling_order
from .tree import And, Arith, Call, Compare, Expr, In, Known, Literal, Name, Not, Or
from .vocabulary import AGE, APPLIED_ON, BIRTH_DATE

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Reader:
    """Facts of one subject on one day (in segments: of one stretch), read by one policy's birthday rule."""

    facts: Facts
    day: date
    birthday: str
    age_day: date | None = None

    def value(self, expr: Expr):
        """A condition's True, False or None for unknown; a number as a Fraction."""
        match expr:
            case And(items=items):
                return _all(self.value(i) for i in items)
            case Or(items=items):
                return _not(_all(_not(self.value(i)) for i in items))
            case Not(item=item):
                return _not(self.value(item))
            case In(term=term, codes=codes):
                found = self.facts.get(term.name)
                return None if found is None else found in codes
            case Known(term=term):
                return self.facts.get(BIRTH_DATE if term.name == AGE else term.name) is not None
            case Compare(op=op, left=left, right=right):
                a, b = self.value(left), self.value(right)
                return (
                    None
                    if a is None or b is None
                    else {"=": a == b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]
                )
            case Literal(value=value):
                return value
            case Name(term=term) if term.name == AGE:
                birth = self.facts.get(BIRTH_DATE)
                return None if birth is None else age_on(birth, self.age_day or self.day, self.birthday)
            case Name(term=term):
                return self.facts.get(term.name)
            case Arith(op=op, left=left, right=right):
                a, b = self.value(left), self.value(right)
                return None if a is None or b is None else _reckoned(op, Fraction(a), Fraction(b))
            case Call(name=name, args=args):
                values = [self.value(a) for a in args]
                if None in values:
                    return None
                if name in ("min", "max"):
                    return min(values) if name == "min" else max(values)
                months = months_between(values[0], values[1] if name == "months_between" else self.day)
                return months // 12 if name == "years_since" else months
        raise TypeError(type(expr))

    def chosen(self, amount: Amount | None) -> tuple[int, Fraction | None]:
        """The row that fits and its full sum between the limits; (UNMATCHED, None) when none does."""
        if amount is None or not amount.rows:
            return FORMULA, Fraction(0)
        for n, row in enumerate(amount.rows):
            if row.when is None or self.value(row.when.expr) is True:
                found = self.value(row.value)
                if found is not None:
                    found = Fraction(found)
                    found = max(found, amount.minimum) if amount.minimum is not None else found
                    found = min(found, amount.maximum) if amount.maximum is not None else found
                return (n if amount.table else FORMULA), found
        return UNMATCHED, None


def _all(values) -> bool | None:
    known = list(values)
    return False if False in known else None if None in known else True


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _reckoned(op: str, a: Fraction, b: Fraction) -> Fraction:
    return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b}[op]()


def rounded(value: Fraction, to: int, way: str) -> int:
    """To a multiple of ``to`` fen."""
    parts = value / to
    return (
        to
        * {"half_up": lambda: floor(parts + Fraction(1, 2)), "up": lambda: ceil(parts), "down": lambda: floor(parts)}[
            way
        ]()
    )


# ---------------------------------------------------------------- one policy
def _starts(edge: Edge, day: date) -> date:
    return {"day": day, "month": day.replace(day=1), "next_month": next_month(day)}[edge.rule]


def _stops(edge: Edge, day: date) -> date:
    return {"day": day, "month": next_month(day), "month_before": day.replace(day=1)}[edge.rule]


def stretch(policy: Policy, facts: Facts) -> Period | None:
    """Between start and stop by the policy's edges; None while the start is unknown."""
    start, end = date.min, date.max
    if policy.starts is not None:
        if (day := facts.get(policy.starts.term)) is None:
            return None
        start = _starts(policy.starts, day)
    if policy.stops is not None and (day := facts.get(policy.stops.term)) is not None:
        end = _stops(policy.stops, day)
    return Period(start, end)


def _rows_of_day(policy: Policy, due: Due, reading: Reading, facts: Facts) -> list[tuple[Period, Reader]]:
    between, day = stretch(policy, facts), reading.day
    judged = day if day in due.window else due.window.start
    return [(due.window, Reader(facts, day, policy.birthday))] if between and judged in between else []


def _rows_of_days(policy: Policy, due: Due, rows: Sequence[Facts]) -> list[tuple[Period, Reader]]:
    """Every stretch, cut where the age changes and clipped to start and stop."""
    found = []
    for facts in rows:
        if (between := stretch(policy, facts)) is None:
            continue
        start = max(facts["from"], between.start, due.window.start)
        end = min(facts["to"], between.end, due.window.end)
        if start >= end:
            continue
        cuts = [start]
        if BIRTH_DATE in policy.terms and (birth := facts.get(BIRTH_DATE)) is not None:
            days = (start + timedelta(n) for n in range(1, (end - start).days))
            cuts += [
                d for d in days if age_on(birth, d, policy.birthday) != age_on(birth, d - timedelta(1), policy.birthday)
            ]
        for begin, until in zip(cuts, [*cuts[1:], end], strict=True):
            found.append((Period(begin, until), Reader(facts, due.window.last, policy.birthday, begin)))
    return found


def _holds(policy: Policy, reader: Reader) -> bool:
    return all(reader.value(c.expr) is True for c in policy.who) and not _bears_all(policy, reader)


def _bears_all(policy: Policy, reader: Reader) -> bool:
    """An own share of the whole is no benefit."""
    share = reader.chosen(policy.copayment)[1]
    return policy.shares_only and share is not None and share >= 1


def line(policy: Policy, rows: Sequence[Facts], period: Period, paid: int | None = None) -> dict[str, Any] | None:
    """The policy's line for one subject, before stacking; None when the conditions do not hold."""
    due, reading = policy.due(period.start), policy.reading(period.start)
    if due is None:
        return None
    if reading.mode == "segments":
        rows = _rows_of_days(policy, due, rows)
    else:
        rows = [pair for facts in rows for pair in _rows_of_day(policy, due, reading, facts)]
    held = sorted(((p, r) for p, r in rows if _holds(policy, r)), key=lambda pair: pair[0].start)
    if not held:
        return None
    last = held[-1][1]
    row, _ = last.chosen(policy.ruling)
    amount = _prorated(policy, due, held)
    known = amount is not None and (row != UNMATCHED or policy.amount.prorate == "days")
    quantity, share = last.chosen(policy.quantity)[1], last.chosen(policy.copayment)[1]
    base = rounded(amount, policy.amount.round_to, policy.amount.round_way) if known else 0
    found = {
        "subject_kind": policy.subject,
        "policy": policy.code,
        "amount": base,
        "quantity": int(quantity or 0) if known else 0,
        "share": rounded((share or Fraction(0)) * 10_000, 1, "half_up"),
        "days": sum(p.days for p, _ in held),
        "row": row,
        "base": base,
        "stacked": "" if known else "unmatched",
        "winner": "",
    }
    if policy.repeat and paid is not None:
        left = base - paid
        found["amount"] = {"never": 0, "difference": max(left, 0), "settle": left}[policy.repeat]
        found["stacked"] = "paid"
        found["quantity"] *= policy.repeat != "never"
    return found


def _prorated(policy: Policy, due: Due, held: list[tuple[Period, Reader]]) -> Fraction | None:
    rule = policy.amount
    days = sum(p.days for p, _ in held)
    if rule.prorate == "days":
        sums = [(p.days, r.chosen(rule)[1]) for p, r in held]
        # A stretch whose sum is unknown adds nothing; the whole is unknown only when all of them are.
        known = [days * full for days, full in sums if full is not None]
        return Fraction(sum(known)) / due.window.days if known else None
    full = held[-1][1].chosen(rule)[1]
    if full is None or not rule.rows or rule.prorate == "none":
        return full
    if rule.prorate == "half_month":
        return full if days > 15 else full / 2
    months = due.window.months()
    touched = sum(any(p.start < m.end and p.end > m.start for p, _ in held) for m in months)
    return full * touched / len(months)


# ---------------------------------------------------------------- all policies of one subject
def lines(
    policies: Sequence[Policy],
    rows: Mapping[Reading, Sequence[Facts]],
    period: Period,
    paid: Mapping[str, int] | None = None,
) -> list[dict[str, Any]]:
    """One subject's lines under all policies, after stacking, by policy code. ``paid``: policy code → fen."""
    found: dict[str, dict[str, Any]] = {}
    for index, policy in enumerate(policies):
        reading = policy.reading(period.start)
        if reading is None:
            continue
        made = line(policy, rows.get(reading, ()), period, (paid or {}).get(policy.code))
        if made is not None:
            found[policy.code] = {**made, "index": index}
    by = {p.code: p for p in policies if p.due(period.start)}
    _exclude(found, by)
    for group in sorted({by[c].stacking.group for c in found if by[c].stacking.group}):
        _group(found, by, sorted(c for c in found if by[c].stacking.group == group))
    return [found[code] for code in sorted(found)]


def _pays(made: dict[str, Any]) -> bool:
    return made["amount"] != 0 or made["quantity"] > 0


def _beat(made: dict[str, Any], winner: str, word: str) -> None:
    made |= {"amount": 0, "quantity": 0, "stacked": word, "winner": winner}


def _exclude(found: dict, by: Mapping[str, Policy]) -> None:
    # The order is that of all policies, also of those without a line here: it must not depend on the subject.
    edges = excluders([by[c] for c in by])
    order = settling_order(edges)
    for code in [c for c in order if c in found]:
        winners = [c for c in order[: order.index(code)] if c in edges[code] and c in found and _pays(found[c])]
        if winners and _pays(found[code]):
            _beat(found[code], winners[0], "excluded")


def _group(found: dict, by: Mapping[str, Policy], codes: list[str]) -> None:
    rivals = [c for c in codes if by[c].stacking.rule == "highest" and _pays(found[c])]
    best = min(rivals, key=lambda c: (-found[c]["amount"], c), default=None)
    for code in rivals:
        if code != best:
            _beat(found[code], best, "lower")
    for code in codes:
        if by[code].stacking.rule != "top_up":
            continue
        others = [c for c in codes if c != code and _pays(found[c]) and (by[c].stacking.rule != "top_up" or c < code)]
        if others and found[code]["amount"] != 0:
            left = max(0, found[code]["amount"] - sum(found[c]["amount"] for c in others))
            winner = min(others, key=lambda c: (-found[c]["amount"], c))
            found[code] |= {"amount": left, "stacked": "topped", "winner": winner}


# ---------------------------------------------------------------- why, and why not
@dataclass(frozen=True)
class Step:
    """One thing that was asked: a condition as written, in words, and what came out; True, False, or None for unknown."""

    text: str
    sentence: str
    value: bool | None
    part: str
    line: int

    def __iter__(self):
        return iter((self.text, self.sentence, self.value))


def trace(policy: Policy, facts: Facts, period: Period) -> list[Step]:
    """What the policy asks of one subject in the order in which it asks: stop, conditions, start, up to and including the first that
    fails, then the rows of the table up to the one that fits. ``facts``: vocabulary name → value, as of the day read."""
    due, reading = policy.due(period.start), policy.reading(period.start)
    if due is None:
        return []
    day = reading.day or due.window.last
    reader = Reader(facts, day, policy.birthday, facts.get("from") if reading.day is None else None)
    judged = day if day in due.window else due.window.start
    steps: list[Step] = []
    if (stop := policy.stops) is not None:
        on = facts.get(stop.term)
        value = True if on is None else judged < _stops(stop, on)
        said = f"未到终止日（{_stops(stop, on)}）" if on else "没有终止日"
        steps.append(Step(f"stops: {stop.term}", said, value, "stops", policy.lines.get("stops", 1)))
    steps += [Step(c.text, sentence(c.expr), reader.value(c.expr), "who", c.line) for c in policy.who]
    if (start := policy.starts) is not None:
        # last: who does not fit need not apply
        on = facts.get(start.term)
        value = None if on is None else _starts(start, on) <= judged
        unknown = "还没有批准的申请" if start.term == APPLIED_ON else "起始日期未知"
        said = f"已自{_starts(start, on)}起计发" if on else unknown
        line = policy.lines.get("starts", policy.lines.get("application", 1))
        steps.append(Step(f"starts: {start.term}", said, value, "starts", line))
    failed = next((n for n, step in enumerate(steps) if step.value is not True), None)
    if failed is not None:
        return steps[: failed + 1]
    return steps + _rows_asked(policy, reader)


def _rows_asked(policy: Policy, reader: Reader) -> list[Step]:
    """The rows of the table up to the one that fits; one that leaves everything to the subject is a condition not met."""
    ruling = policy.ruling
    part = "amount" if ruling is policy.amount else "quantity" if ruling is policy.quantity else "copayment"
    steps: list[Step] = []
    for row in ruling.rows:
        value = True if row.when is None else reader.value(row.when.expr)
        said = sentence(row.when.expr) if row.when else "其他情形" if ruling.table else "标准"
        step = Step(row.when.text if row.when else row.text, f"{said}：{sentence(row.value)}", value, part, row.line)
        if value is True and _bears_all(policy, reader):
            step = replace(step, sentence=f"{step.sentence}，自付全部，没有补贴", value=False, part="who")
        steps.append(step)
        if value is True:
            break
    return steps
