"""From facts to computed lines: tables out of the database, the engine over them, form and holds of each person."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import connection

from sangyu.care.applications import selectors as applications
from sangyu.care.policies import selectors as policies
from sangyu.engines.columnar import pl
from sangyu.engines.policy import Period, Policy, Reading, evaluate, readings
from sangyu.kernel.actor import Actor
from sangyu.kernel.scoping import as_system

from . import computing
from .enums import SubjectKind
from .models import Run

#: Kinds of subject of the engine that are persons.
PERSONS = ("person", "resident")


@dataclass
class Evaluated:
    """What a run's months gave. ``explain(run)`` completes new and stopped lines once they are written."""

    lines: pl.DataFrame
    past: list[date]
    versions: list[dict[str, Any]]
    input_digest: str
    notice_days: int
    moved: pl.DataFrame
    explain: Callable[[Run], None] | None = None


@dataclass
class _Work:
    """One run's evaluation: the store of facts, and what was read for which policy."""

    run: Run
    store: Any
    #: Who belonged elsewhere in a month than now, and the facts of those who belonged here and left since.
    moved: pl.DataFrame
    gone: Any = None
    digest: Any = field(default_factory=hashlib.sha256)
    hashed: set[Reading] = field(default_factory=set)
    #: Tables are hashed beside the reading of the next ones, one after the other.
    beside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    hashing: list[Future] = field(default_factory=list)

    def frame(self, reading: Reading, month: date) -> pl.DataFrame:
        """The table of a reading: who belonged to the region on the month's first day, with the path of that day."""
        found = self.store.frame(reading)
        if reading not in self.hashed:
            self.hashed.add(reading)
            self._digest(reading, found)
        moved = self.moved.filter(pl.col("month") == month)
        if reading.subject not in PERSONS or moved.is_empty():
            return found
        then = moved.select("subject_id", "then")
        if left := self.left(month):
            with as_system("who moved away is counted by the region of that time"):
                others = self.gone.frame(reading)
            self._digest(reading, others)
            others = others.filter(pl.col("subject_id").is_in(left))
            found = pl.concat([found, others.select(found.columns)]).sort("subject_id", "from", maintain_order=True)
        found = found.join(then, on="subject_id", how="left", maintain_order="left")
        found = found.with_columns(path=pl.coalesce("then", "path")).drop("then")
        return found.filter(pl.col("path").str.starts_with(self.run.path))

    def left(self, month: date) -> list[int]:
        """Who belonged here on the first day of ``month`` and belongs elsewhere now."""
        own = pl.col("then").str.starts_with(self.run.path) & ~pl.col("now").str.starts_with(self.run.path)
        return self.moved.filter(own & (pl.col("month") == month))["subject_id"].to_list()

    def _digest(self, reading: Reading, found: pl.DataFrame) -> None:
        self.hashing.append(self.beside.submit(self._hash, reading, found))

    def digested(self) -> str:
        """The digest of all that was read so far."""
        for table in self.hashing:
            table.result()
        return self.digest.hexdigest()

    def _hash(self, reading: Reading, found: pl.DataFrame) -> None:
        out = io.BytesIO()
        found.rechunk().write_ipc(out)
        self.digest.update(repr((reading.subject, reading.mode, reading.day, reading.start)).encode())
        self.digest.update(out.getbuffer())


def month_of(day: date) -> Period:
    return Period.month(day.year, day.month)


def evaluate_run(actor: Actor, run: Run, past: Sequence[date], op: Any) -> Evaluated:
    """Compute the run's month and ``past`` as known at ``run.known_at``, with the versions approved for them now."""
    months = [run.month, *past]
    due = {m: policies.due_in(run.path, m) for m in months}
    parsed = {v.pk: policies.policy_of(v) for versions in due.values() for v in versions}
    born = policies.born_until(parsed.values(), month_of(run.month)) if parsed else None
    given = {"policies": list(parsed.values()), "born_until": born, "span": _span(looked_at(run, past))}
    work = _Work(
        run,
        policies.Store(run.path, run.known_at, **given),
        policies.moved(run.path, looked_at(run, past), run.known_at),
    )
    work.gone = policies.Store(run.path, run.known_at, only=_ever_left(work, months), **given)
    work.digest.update(work.moved.write_csv().encode())
    for pk in sorted(parsed):
        work.digest.update(f"{pk}:{parsed[pk].digest}\n".encode())
    op.total(len(months) + 2)
    parts = []
    with _roomy():
        for month in months:
            given = [v for v in due[month] if month == run.month or parsed[v.pk].period != "once"]
            parts += _month(work, month, given, parsed)
            op.advance(1)
    lines = pl.concat(parts) if parts else computing.frame([])
    used = {v.pk: v for versions in due.values() for v in versions}
    return Evaluated(
        lines, list(past), [_said(v, parsed[v.pk]) for v in used.values()], work.digested(),
        max((parsed[v.pk].notice_days for v in due[run.month]), default=0), work.moved, lambda r: _reasons(work, r, used, parsed),
    )  # fmt: skip


@contextmanager
def _roomy() -> Iterator[None]:
    """A city's arrays are made in memory: half of the time. Lines that are written nearly in their order are sorted faster without."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '128MB'")
        yield
        cursor.execute("SET LOCAL work_mem = DEFAULT")


def looked_at(run: Run, past: Sequence[date]) -> list[date]:
    """The months of which it matters who belonged where: those computed, and that of the last run."""
    return [run.month, *past, *([run.previous.month] if run.previous else [])]


def _span(months: Sequence[date]) -> tuple[date, date]:
    """Every day that a reading of ``months`` may ask for: the day before the first of them, to the first after the last."""
    return min(months) - timedelta(days=1), month_of(max(months)).end


def _ever_left(work: _Work, months: Iterable[date]) -> set[int]:
    return {subject for month in months for subject in work.left(month)}


def _said(version: Any, policy: Policy) -> dict[str, Any]:
    """What a run keeps of a version it used."""
    document = getattr(version, "document", None)
    return {
        "id": version.pk, "code": version.code, "number": version.number, "name": version.name, "digest": version.digest,
        "period": policy.period, "path": version.path, "document": str(document) if document else "",
    }  # fmt: skip


def _month(work: _Work, month: date, versions: Sequence[Any], parsed: dict[int, Policy]) -> list[pl.DataFrame]:
    period, parts = month_of(month), []
    for area in policies.areas(work.run.path, versions):
        used = [parsed[v.pk] for v in area.versions]
        if not used:
            continue
        frames = {r: _within(work.frame(r, month), area, work.run.path) for r in readings(used, period)}
        lines = evaluate(used, frames, period, paid=_paid(work.run, used, month))
        for index, (version, policy) in enumerate(zip(area.versions, used, strict=True)):
            reading = policy.reading(month)
            if reading is not None and len(own := lines.filter(pl.col("index") == index)):
                parts.append(_fresh(own, frames[reading], reading, version, policy, month))
    if not parts:
        return []
    whole, left = pl.concat(parts), work.left(month)
    return [_held(_formed(whole, work.run.path, month, left), work.run.path, period, left)]


def _within(frame: pl.DataFrame, area: Any, path: str) -> pl.DataFrame:
    if area.prefix != path:
        frame = frame.filter(pl.col("path").str.starts_with(area.prefix))
    for prefix in area.without:
        frame = frame.filter(~pl.col("path").str.starts_with(prefix))
    return frame


def facts_of(frame: pl.DataFrame, terms: Iterable[str], code: str) -> pl.DataFrame:
    """subject_id, path and ``facts`` as JSON: what the policy read of each. Of several stretches the last one, and all under
    ``stretches``.
    """
    named = {t: t if t in frame.columns else f"{t}@{code}" for t in sorted(terms)}
    values = [
        (pl.col(c).cast(pl.String) if frame.schema[c] == pl.Date else pl.col(c)).alias(t)
        for t, c in named.items()
        if c in frame.columns
    ]
    if not values:
        return frame.select("subject_id", "path", facts=pl.lit("{}")).unique("subject_id", maintain_order=True)
    one = frame.select("subject_id", "path", facts=pl.struct(values).struct.json_encode())
    if one["subject_id"].is_unique().all():
        return one
    span = [pl.col("from").cast(pl.String), pl.col("to").cast(pl.String)]
    several = frame.filter(pl.len().over("subject_id") > 1).select("subject_id", stretch=pl.struct([*span, *values]))
    return _stretched(one, several)


def _stretched(one: pl.DataFrame, several: pl.DataFrame) -> pl.DataFrame:
    """Facts of subjects with several stretches: the last one's values, and the list of all."""
    listed = several.group_by("subject_id", maintain_order=True).agg(
        pl.col("stretch").struct.json_encode().str.join(",").alias("all"),
        pl.col("stretch").last().struct.json_encode().alias("last"),
    )
    made = listed.select(
        "subject_id",
        facts=pl.col("last").str.strip_suffix("}") + pl.lit(',"stretches":[') + pl.col("all") + pl.lit("]}"),
    )
    last = one.unique("subject_id", keep="last", maintain_order=True)
    return last.join(made, on="subject_id", how="left", suffix="_all").select(
        "subject_id", "path", facts=pl.coalesce("facts_all", "facts")
    )


def _fresh(
    lines: pl.DataFrame, frame: pl.DataFrame, reading: Reading, version: Any, policy: Policy, month: date
) -> pl.DataFrame:
    """Lines of one policy with the columns that a run compares."""
    met = frame.filter(pl.col("subject_id").is_in(lines["subject_id"].implode()))
    whole = lines.join(facts_of(met, policy.terms, policy.code), on="subject_id", how="left", maintain_order="left")
    same = {
        "subject_kind": _kind(reading.subject), "policy": policy.code, "version_id": version.pk, "month": month, "period": policy.period, "form": policy.form,
        "fund": policy.fund,
    }  # fmt: skip
    columns = [
        pl.lit(same[n], dtype=t).alias(n) if n in same else pl.col(n).cast(t) for n, t in computing.schema().items()
    ]
    return whole.select(columns)


def _formed(lines: pl.DataFrame, path: str, month: date, left: Sequence[int]) -> pl.DataFrame:
    """The form that a person chose for what a policy gives (R-049) instead of the policy's own."""
    chosen = applications.forms_on(path, month, left)
    if not chosen:
        return lines
    rows = [(person, code, form) for (person, code), form in chosen.items()]
    wanted = pl.DataFrame(rows, schema={"subject_id": pl.Int64, "policy": pl.String, "chosen": pl.String}, orient="row")
    joined = lines.join(wanted, on=["subject_id", "policy"], how="left", maintain_order="left")
    person = pl.col("subject_kind") == SubjectKind.PERSON.value
    form = pl.when(person & pl.col("chosen").is_not_null()).then(pl.col("chosen")).otherwise(pl.col("form"))
    return joined.with_columns(form=form).select(lines.columns)


def _held(lines: pl.DataFrame, path: str, period: Period, left: Sequence[int]) -> pl.DataFrame:
    """A hold that covers the month's first day: the line stays with amount 0, ``stacked`` says why. Once the hold is taken
    back, a later run finds the difference.
    """
    rows = [(k, p, c) for k, p, c, start, end in applications.held(path, period.start, period.end, left)
            if start <= period.start and (end is None or end > period.start)]  # fmt: skip
    if not rows:
        return lines
    whose = {"subject_kind": pl.String, "subject_id": pl.Int64, "policy": pl.String}
    holds = pl.DataFrame(rows, schema=whose, orient="row").unique()
    of_all = holds.filter(pl.col("policy") == "").select("subject_kind", "subject_id", of_all=pl.lit(True))
    of_one = holds.filter(pl.col("policy") != "").with_columns(of_one=pl.lit(True))
    joined = lines.join(of_one, on=list(whose), how="left", maintain_order="left")
    joined = joined.join(of_all, on=["subject_kind", "subject_id"], how="left", maintain_order="left")
    held = pl.col("of_one").fill_null(False) | pl.col("of_all").fill_null(False)
    return joined.with_columns(
        amount=pl.when(held).then(0).otherwise(pl.col("amount")),
        stacked=pl.when(held).then(pl.lit("held")).otherwise(pl.col("stacked")),
    ).select(lines.columns)


def _kind(subject: str) -> str:
    """Whose line it is: residents are persons."""
    return SubjectKind.PERSON.value if subject in PERSONS else subject


def _paid(run: Run, used: Sequence[Policy], month: date) -> pl.DataFrame | None:
    """subject_id, policy, amount of what earlier months of the policy's cycle gave already (R-045, R-060)."""
    asked = [
        (p.code, _kind(p.subject), due.cycle.start, min(due.cycle.end, month))
        for p in used
        if p.repeat and (due := p.due(month)) is not None
    ]
    if not asked:
        return None
    with as_system("another region may have paid the subject before"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.subject_id, l.policy, sum(l.amount)::bigint FROM benefits_line l "
            "JOIN unnest(%s::text[], %s::text[], %s::date[], %s::date[]) AS p (code, kind, first, until) "
            "ON l.policy = p.code AND l.subject_kind = p.kind AND l.month >= p.first AND l.month < p.until "
            "WHERE l.run_id <> %s AND l.state IN ('released', 'open') GROUP BY 1, 2 HAVING sum(l.amount) <> 0",
            [*map(list, zip(*asked, strict=True)), run.pk],
        )
        found = cursor.fetchall()
    if not found:
        return None
    return pl.DataFrame(found, schema={"subject_id": pl.Int64, "policy": pl.String, "amount": pl.Int64}, orient="row")


# ---------------------------------------------------------------- why it began or stopped
def _reasons(work: _Work, run: Run, versions: dict[int, Any], parsed: dict[int, Policy]) -> None:
    """What differs for lines that stopped: their facts of this month against those of the last run's line; and for lines that
    began, when the month before was looked at too.
    """
    if run.previous is None:
        return
    wanted = (
        run.lines.filter(change__in=["new", "stopped"], kind="entitlement", subject_kind=SubjectKind.PERSON)
        .values_list("change", "policy", "subject_id", "id")
        .order_by("policy", "change", "subject_id")
    )
    groups: dict[tuple[str, str], dict[int, int]] = {}
    for change, code, subject, pk in wanted.iterator(chunk_size=20_000):
        groups.setdefault((change, code), {})[subject] = pk
    by_code = {v.code: parsed[pk] for pk, v in sorted(versions.items())}
    rows: list[tuple[int, str]] = []
    for (change, code), lines in groups.items():
        policy = by_code.get(code)
        month = run.month if change == "stopped" else run.previous.month
        reading = policy.reading(month) if policy else None
        if reading is None or (change == "new" and reading not in work.hashed):
            continue  # the table of a month that is not looked at again is not read for this: ``explain`` asks for one person
        frame = work.store.frame(reading).filter(pl.col("subject_id").is_in(pl.Series(list(lines)).implode()))
        found = facts_of(frame, policy.terms, code)
        rows += [(lines[s], f) for s, f in zip(found["subject_id"].to_list(), found["facts"].to_list(), strict=True)]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE benefits_other (id bigint, facts jsonb) ON COMMIT DROP")
        with cursor.copy("COPY benefits_other (id, facts) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        stopped = computing.DIFFERENCE.format(old="l.facts", new="o.facts")
        began = computing.DIFFERENCE.format(old="o.facts", new="l.facts")
        cursor.execute(
            f"UPDATE benefits_line l SET reason = CASE l.change WHEN 'stopped' THEN {stopped} ELSE {began} END, "
            "facts = CASE WHEN l.change = 'stopped' AND l.computed = 0 AND l.days = 0 THEN o.facts ELSE l.facts END "
            "FROM benefits_other o WHERE o.id = l.id AND NOT coalesce(l.reason ? 'region', false)"
        )
        cursor.execute("DROP TABLE benefits_other")
