"""What a rule would cost: the same people, the same day, today's text and another one; nobody is paid anything (issue 4 §2)."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from django.utils import timezone

from sangyu.engines.columnar import pl
from sangyu.engines.policy import UNMATCHED, Period, Policy, evaluate, readings
from sangyu.kernel.actor import Actor
from sangyu.registry.regions import selectors as regions

from . import budgets, selectors
from .enums import PeriodKind
from .frames import Store
from .models import PolicyVersion
from .vocabulary import entries

#: Years of age at which the bands begin.
BANDS = (60, 70, 80, 90, 100)
#: How long a table of facts may serve one session of what-if, and how many are kept in a process.
KEEP, MOST = timedelta(minutes=10), 2
#: Texts whose lines are kept with the facts: today's is asked for again with every change.
TEXTS = 4

_stores: OrderedDict[tuple, tuple[datetime, Store]] = OrderedDict()
_lock = threading.Lock()
#: A store is filled by one thread; a process works one what-if out at a time.
_one_at_a_time = threading.Lock()


# ---------------------------------------------------------------- facts, kept for the session
def _key(actor: Actor, path: str) -> tuple:
    return path, actor.path, actor.audience, actor.account_id


def store_for(actor: Actor, path: str, now: datetime | None = None) -> tuple[Store, datetime]:
    """The facts that ``actor`` works with, and when they were read: those of the last minutes, or fresh ones."""
    now = now or timezone.now()
    with _lock:
        for key, (read_at, _store) in list(_stores.items()):
            if now - read_at > KEEP:
                del _stores[key]
        found = _stores.get(_key(actor, path))
        if found is None:
            found = _stores[_key(actor, path)] = (now, Store(path))
            while len(_stores) > MOST:
                _stores.popitem(last=False)
        _stores.move_to_end(_key(actor, path))
    return found[1], found[0]


def is_warm(actor: Actor, path: str, now: datetime | None = None) -> bool:
    """Whether the facts of ``path`` are at hand in this process."""
    found = _stores.get(_key(actor, path))
    return found is not None and (now or timezone.now()) - found[0] <= KEEP


def forget() -> None:
    """Drop all kept facts."""
    with _lock:
        _stores.clear()


# ---------------------------------------------------------------- the question
@dataclass(frozen=True)
class Question:
    """``text`` instead of ``against`` (None: nothing, the rule is new) for the people of ``path`` from the month on."""

    version: PolicyVersion
    text: str
    against: PolicyVersion | None
    path: str
    month: date


def question(actor: Actor, version: PolicyVersion, text: str, against: PolicyVersion | None, month: date) -> Question:
    """The people are those of the actor's region under the policy's region."""
    path = actor.path if actor.path.startswith(version.path) else version.path
    return Question(version, text, against, path, month.replace(day=1))


def in_place_of(version: PolicyVersion, day: date) -> PolicyVersion | None:
    """What ``version`` is compared with unless somebody chooses: the approved text itself, or for a draft what holds today."""
    if version.state == "approved":
        return version
    return selectors.applicable(version.path, version.code, day)


# ---------------------------------------------------------------- the answer
@dataclass
class Answer:
    """``figures`` for the screen, the file and the trial's row; ``changes`` a row a subject, for the sample of people."""

    figures: dict[str, Any]
    changes: pl.DataFrame


def run(actor: Actor, asked: Question, advance: Callable[[int], None] = lambda n: None) -> Answer:
    """Evaluate both texts over the same facts. Runs in the actor's scope; raises PolicyErrors for a text with problems."""
    with _one_at_a_time:
        return _run(actor, asked, advance)


def _run(actor: Actor, asked: Question, advance: Callable[[int], None]) -> Answer:
    began = time.perf_counter()
    plan = selectors.read_text(asked.text)
    store, read_at = store_for(actor, asked.path)
    month = _due_month(plan, asked.month)
    after = _lines(store, asked, plan, month)
    advance(1)
    before = _nothing()
    today = selectors.policy_of(asked.against) if asked.against is not None else None
    if today is not None:
        before = _lines(store, asked, today, _due_month(today, asked.month))
    advance(1)
    changes = _changes(before, after, plan.code, _facts(store, plan, month))
    figures = _figures(changes, plan, today, asked.path)
    figures["funds"] = budgets.compared(
        actor, path=asked.path, month=asked.month, read_at=read_at, lines=(before, after),
        rules=(_always(today) if today else None, _always(plan)), base=store.base(plan.subject),
    )  # fmt: skip
    figures |= {
        "month": f"{month:%Y-%m}",
        "read_at": timezone.localtime(read_at).strftime("%Y-%m-%d %H:%M"),
        "seconds": round(time.perf_counter() - began, 2),
        "subjects": len(store.base(plan.subject)[0]),
    }
    advance(1)
    return Answer(figures, changes)


def _due_month(policy: Policy, month: date) -> date:
    """The first month from ``month`` on in which the rule pays, whenever it begins and ends."""
    policy = _always(policy)
    for _n in range(24):
        if policy.due(month) is not None:
            return month
        month = (month + timedelta(days=32)).replace(day=1)
    return month


def _always(policy: Policy) -> Policy:
    """As if it had always held: a what-if asks for people and money, not for the day."""
    return replace(policy.as_if_applied(), valid_from=date(1900, 1, 1), valid_to=None)


_COLUMNS = ["subject_id", "policy", "amount", "quantity", "row"]


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema={c: pl.String if c == "policy" else pl.Int64 for c in _COLUMNS})


def _lines(store: Store, asked: Question, policy: Policy, month: date) -> pl.DataFrame:
    """Lines of ``policy`` and of those that stack with it, where nobody further down has a rule of their own for its code."""
    others = [v for v in selectors.due_in(asked.path, month) if v.code != policy.code]
    own = PolicyVersion(code=policy.code, path=asked.version.path, text=policy.text)
    nearer = [
        v
        for v in selectors.approved(asked.path).on(month).filter(code=policy.code)
        if len(v.path) > len(own.path) and v.path.startswith(own.path)
    ]
    met = {p.code for p in _related(policy, [selectors.policy_of(v) for v in (*nearer, *others)])}
    others = [v for v in others if v.code in met]
    key = policy.digest, month, own.path, tuple(v.pk for v in (*nearer, *others))
    if key in store.answers:
        return store.answers[key]
    parts = []
    for area in selectors.areas(asked.path, [own, *nearer, *others]):
        if own not in area.versions:
            continue
        parsed = [_always(policy) if v is own else selectors.policy_of(v).as_if_applied() for v in area.versions]
        used = _related(next(p for p in parsed if p.code == policy.code), parsed)
        store.policies = tuple(used)
        frames = {}
        for reading in readings(used, Period.month(month.year, month.month)):
            frame = store.frame(reading)
            if area.prefix != asked.path:
                frame = frame.filter(pl.col("path").str.starts_with(area.prefix))
            for prefix in area.without:
                frame = frame.filter(~pl.col("path").str.starts_with(prefix))
            frames[reading] = frame
        lines = evaluate(used, frames, Period.month(month.year, month.month))
        parts.append(lines.filter(pl.col("row") != UNMATCHED).select(_COLUMNS))
    while len(store.answers) >= TEXTS:
        store.answers.pop(next(iter(store.answers)))
    store.answers[key] = pl.concat(parts) if parts else _nothing()
    return store.answers[key]


def _related(policy: Policy, others: list[Policy]) -> list[Policy]:
    """The policy itself and those of ``others`` whose lines can change its own or be changed by them, however far around."""
    found, wanted = [policy], [policy]
    while wanted:
        one = wanted.pop()
        for other in others:
            if all(other is not p for p in found) and other.code != one.code and _touches(one, other):
                found.append(other)
                wanted.append(other)
    return sorted(found, key=lambda p: p.code)


def _touches(one: Policy, other: Policy) -> bool:
    a, b = one.stacking, other.stacking
    named = other.code in (*a.excludes, *a.excluded_by) or one.code in (*b.excludes, *b.excluded_by)
    return named or (a.group != "" and a.group == b.group)


def _facts(store: Store, policy: Policy, month: date) -> pl.DataFrame:
    """Who the subjects are, for the tables: path, and of people the birth date and the payment level on the first of the month."""
    known, paths = store.base(policy.subject)
    terms = [n for n in ("birth_date", "payment_level") if policy.subject in entries()[n].sources]
    if terms:
        return store.day_table(policy.subject, month, month, month, terms)
    return pl.DataFrame([pl.Series("subject_id", known), paths])


def _changes(before: pl.DataFrame, after: pl.DataFrame, code: str, facts: pl.DataFrame) -> pl.DataFrame:
    """A row a subject that gets something before or after: own amounts, and the change over all that stacks with it."""

    def summed(lines: pl.DataFrame, name: str) -> pl.DataFrame:
        own = pl.col("policy") == code
        return lines.group_by("subject_id").agg(
            pl.col("amount").filter(own).sum().alias(name),
            ((pl.col("amount") != 0) | (pl.col("quantity") > 0)).filter(own).any().alias(f"{name}_has"),
            pl.col("amount").sum().alias(f"{name}_all"),
            pl.col("row").filter(own & (pl.col("amount") != 0)).first().alias(f"{name}_row"),
        )

    both = summed(before, "before").join(summed(after, "after"), on="subject_id", how="full", coalesce=True)
    amounts = [f"{s}{e}" for s in ("before", "after") for e in ("", "_all")]
    both = both.with_columns(
        *(pl.col(c).fill_null(0) for c in amounts), *(pl.col(f"{s}_has").fill_null(False) for s in ("before", "after"))
    )
    both = both.with_columns(change=pl.col("after_all") - pl.col("before_all"))
    kept = pl.col("before_has") | pl.col("after_has") | (pl.col("change") != 0)
    both = both.filter(kept)
    # Of the city only those few go through the join.
    own = facts.filter(pl.col("subject_id").is_in(both["subject_id"].implode()))
    return both.join(own, on="subject_id", how="left").sort("subject_id")


def _figures(changes: pl.DataFrame, plan: Policy, today: Policy | None, path: str) -> dict[str, Any]:
    times = (PeriodKind(today.period).times_a_year if today else 0), PeriodKind(plan.period).times_a_year
    found: dict[str, Any] = {
        "period": plan.period,
        "subject": plan.subject,
        "total": _row(changes, times),
        "others": int((changes["change"] - changes["after"] + changes["before"]).sum()) * times[1],
        "places": _by_place(changes, times, path),
    }
    if "birth_date" in changes.columns:
        day = timezone.localdate()
        found["ages"] = _by_age(changes, times, day)
    if "payment_level" in changes.columns:
        labels = entries()["payment_level"].term.values
        found["levels"] = _grouped(changes, times, pl.col("payment_level"), [*labels.items(), (None, "")])
    return found


@cache
def _sums() -> dict[str, pl.Expr]:
    return {
        "before_people": pl.col("before_has").sum(),
        "after_people": pl.col("after_has").sum(),
        "before": pl.col("before").sum(),
        "after": pl.col("after").sum(),
        "more": (pl.col("change") > 0).sum(),
        "less": (pl.col("change") < 0).sum(),
        "begin": (~pl.col("before_has") & pl.col("after_has")).sum(),
        "stop": (pl.col("before_has") & ~pl.col("after_has")).sum(),
    }


def _told(row: dict[str, int], times: tuple[int, int]) -> dict[str, int]:
    row = {k: int(v or 0) for k, v in row.items()}
    return row | {"before_year": row["before"] * times[0], "after_year": row["after"] * times[1]}


def _row(changes: pl.DataFrame, times: tuple[int, int]) -> dict[str, int]:
    return _told(changes.select(**_sums()).row(0, named=True), times)


def _grouped(changes: pl.DataFrame, times: tuple[int, int], by: pl.Expr, labels: list[tuple[Any, str]]) -> list[dict]:
    """Figures per value of ``by`` in the order of ``labels``; groups without anybody are left out."""
    grouped = {row.pop("by"): _told(row, times) for row in changes.group_by(by=by).agg(**_sums()).to_dicts()}
    return [{"key": key, "label": label, **grouped[key]} for key, label in labels if key in grouped]


def _by_place(changes: pl.DataFrame, times: tuple[int, int], path: str) -> list[dict]:
    """By the regions one step below ``path``; deeper while there is only one."""
    step = len(path) + 3
    while step < 18 and not changes.is_empty() and changes["path"].str.slice(0, step).n_unique() == 1:
        step += 3
    groups = changes["path"].str.slice(0, step).unique().drop_nulls().to_list()
    names = {r.path: r.name for r in regions.below(path).filter(path__in=groups)}
    return _grouped(changes, times, pl.col("path").str.slice(0, step), [(p, names.get(p, p)) for p in sorted(groups)])


def _by_age(changes: pl.DataFrame, times: tuple[int, int], day: date) -> list[dict]:
    age = pl.lit(None, dtype=pl.Int64)
    for start in BANDS:
        born = date(day.year - start, day.month, min(day.day, 28))
        age = pl.when(pl.col("birth_date") <= born).then(start).otherwise(age)
    labels = [(a, f"{a}–{b - 1}" if b else f"{a}+") for a, b in zip(BANDS, (*BANDS[1:], None), strict=True)]
    return _grouped(changes, times, age.fill_null(0), [(0, f"<{BANDS[0]}"), *labels])


def sample(answer: Answer, count: int, seed: int) -> list[dict]:
    """Some subjects to look at by hand: half of them among those whose amount changes."""
    moved = answer.changes.filter(pl.col("change") != 0)
    rest = answer.changes.filter(pl.col("change") == 0)
    take = min(len(moved), count if rest.is_empty() else (count + 1) // 2)
    found = [moved.sample(take, seed=seed)] if take else []
    if len(rest):
        found.append(rest.sample(min(len(rest), count - take), seed=seed))
    return pl.concat(found).to_dicts() if found else []
