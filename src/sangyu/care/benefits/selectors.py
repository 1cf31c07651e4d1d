"""Questions about runs, lines, payments, recoveries and funds, answered for the rows that the open scope sees."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Substr

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.ledger.models import Account, Transfer
from sangyu.kernel.scoping import PATH_END, PATH_STEP, as_system, scope
from sangyu.registry.people import selectors as people
from sangyu.registry.regions import selectors as regions

from . import explaining, layouts, subjects
from .enums import RELEASED, By, FileKind, FundKind, Level, LineKind, LineState, PaymentState, RecoveryState, RunState
from .models import Fund, Line, Payment, PaymentFile, Recovery, Review, Run
from .services._shared import FUND

Explanation = explaining.Explanation
#: Least share of the welfare lottery fund that elder care must get (R-062).
LOTTERY_SHARE = 55


# ---------------------------------------------------------------- rows
def _one(rows: QuerySet, pk: int):
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


def runs(actor: Actor) -> QuerySet[Run]:
    """Runs that the actor sees: of its region, of those above and below it."""
    return Run.objects.visible_to(actor).select_related("region", "operation")


def get_run(actor: Actor, pk: int) -> Run:
    """Raises NotVisible."""
    return _one(runs(actor), pk)


def lines(actor: Actor) -> QuerySet[Line]:
    return Line.objects.visible_to(actor)


def get_line(actor: Actor, pk: int) -> Line:
    """Raises NotVisible."""
    return _one(lines(actor).select_related("run"), pk)


def lines_of(actor: Actor, person_id: int) -> QuerySet[Line]:
    """What runs decided for one person, newest first: only released lines for the person's own eyes."""
    rows = lines(actor).filter(subject_kind="person", subject_id=person_id).select_related("run")
    if actor.audience is Audience.FAMILY:
        rows = rows.filter(state=LineState.RELEASED)
    return rows.order_by("-month", "-run_id", "policy")


def payments(actor: Actor) -> QuerySet[Payment]:
    return Payment.objects.visible_to(actor).select_related("line", "run", "fund")


def payments_of(actor: Actor, person_id: int) -> QuerySet[Payment]:
    """Payments of one person, newest first."""
    return payments(actor).filter(subject_kind="person", subject_id=person_id).order_by("-line__month", "-id")


def files(actor: Actor) -> QuerySet[PaymentFile]:
    return PaymentFile.objects.visible_to(actor).select_related("region")


def recoveries(actor: Actor) -> QuerySet[Recovery]:
    return Recovery.objects.visible_to(actor).select_related("run", "fund")


def funds(actor: Actor) -> QuerySet[Fund]:
    return Fund.objects.visible_to(actor).select_related("region")


def explain(actor: Actor, line: Line, *, sources: bool = True) -> Explanation:
    """Why the line is what it is (R-068, X-06); see ``explaining``. Opens or joins the actor's scope."""
    with scope(actor):
        return explaining.explain(actor, line, sources=sources)


def names(rows) -> dict[tuple[str, int], str]:
    """(kind, id) → name of the subjects of lines, payments or recoveries. Call inside a scope."""
    return subjects.names({(r.subject_kind, r.subject_id) for r in rows})


def policy_names(codes: set[str] | None = None) -> dict[str, str]:
    """Code → name of policies, as the newest runs say it; what no run knows is its code."""
    found: dict[str, str] = {}
    for versions in Run.objects.order_by("-id").values_list("versions", flat=True)[:60]:
        for version in versions:
            found.setdefault(version["code"], version.get("name") or version["code"])
    return found if codes is None else {c: found.get(c, c) for c in codes}


# ---------------------------------------------------------------- work lists
def reviews_waiting(actor: Actor) -> QuerySet[Review]:
    """Reviews that the actor's level has to do: a street its own, a county those of streets too."""
    rows = Review.objects.visible_to(actor).filter(done_at=None, run__state=RunState.COMPUTED)
    if not actor.may("benefits.review"):
        rows = rows.filter(level=Level.STREET)
    return rows.select_related("run", "region")


def waiting(actor: Actor) -> int:
    """The number beside the navigation: runs that wait for something the actor may do."""
    if actor.audience is not Audience.STAFF:
        return 0
    found = reviews_waiting(actor).count() if actor.may("benefits.review_street") else 0
    states = [
        state
        for permission, states in (
            ("benefits.approve", (RunState.REVIEWED, RunState.PUBLISHED)), ("benefits.release", (RunState.APPROVED,)),
        )
        if actor.may(permission)
        for state in states
    ]  # fmt: skip
    return found + (Run.objects.filter(path__startswith=actor.path, state__in=states).count() if states else 0)


def recoveries_waiting(actor: Actor) -> int:
    return Recovery.objects.visible_to(actor).filter(state=RecoveryState.OPEN).count()


# ---------------------------------------------------------------- totals
@dataclass(frozen=True)
class Total:
    """One row of totals, in fen: what was released (arrears in, over-payments taken off), and how many subjects."""

    key: str
    label: str
    amount: int
    subjects: int
    lines: int


def totals(
    actor: Actor, by: str, *, since: date, until: date, policy: str = "", fund: str = "", path: str = ""
) -> list[Total]:
    """Released amounts of the runs of ``[since, until)`` by policy, area, fund source, month or year (R-056, R-062).

    The total of a plan period equals the sum of its released runs. An area is one step below the actor's own (or ``path``).
    """
    area = path if path.startswith(actor.path) else actor.path
    rows = Line.objects.visible_to(actor).filter(
        state=LineState.RELEASED, run__month__gte=since, run__month__lt=until, path__gte=area, path__lt=area + PATH_END
    )
    rows = rows.filter(**{k: v for k, v in (("policy", policy), ("fund", fund)) if v})
    keys = {
        By.POLICY: "policy", By.FUND: "fund", By.MONTH: "run__month", By.YEAR: "run__month__year",
        By.AREA: Substr("path", 1, len(area) + PATH_STEP),
    }  # fmt: skip
    key = keys[By(by)]
    rows = rows.annotate(key=key) if by == By.AREA else rows
    name = "key" if by == By.AREA else key
    grouped = (
        rows.order_by()
        .values_list(name)
        .annotate(fen=Sum("amount"), subjects=Count("subject_id", distinct=True, filter=~Q(amount=0)), n=Count("id"))
    )
    found = sorted(grouped, key=lambda row: str(row[0]))
    label = _labels(actor, By(by), [row[0] for row in found])
    return [Total(str(k), label(k), amount or 0, count, n) for k, amount, count, n in found]


def _labels(actor: Actor, by: By, keys: list):
    if by == By.POLICY:
        known = policy_names(set(keys))
    elif by == By.AREA:
        known = regions.names_of(keys)
    elif by == By.FUND:
        known = dict(Fund.objects.visible_to(actor).order_by("-path").values_list("code", "name"))
    elif by == By.MONTH:
        return lambda month: f"{month:%Y-%m}"
    else:
        known = {}
    return lambda key: str(known.get(key, key))


def run_totals(run: Run) -> list[tuple[str, str, int, int]]:
    """(kind of change or line, its key, lines, fen) of a run as the actor sees its lines. Call inside a scope."""
    rows = (
        Line.objects.filter(run=run).order_by().values_list("kind", "change").annotate(n=Count("id"), fen=Sum("amount"))
    )
    return [
        (kind if kind != LineKind.ENTITLEMENT else change, kind, n, fen) for kind, change, n, fen in sorted(rows)
    ]  # fmt: skip


# ---------------------------------------------------------------- funds
@dataclass(frozen=True)
class FundYear:
    """One year of a fund, in fen. ``share`` is elder care's in percent of what came in; ``warns`` when R-062 is missed."""

    year: int
    received: int
    elder_care: int
    other: int
    available: int
    kind: str
    budget: int | None = None

    @property
    def left(self) -> int | None:
        """What is left of the budget; negative when more was spent."""
        return None if self.budget is None else self.budget - self.elder_care - self.other

    @property
    def share(self) -> float | None:
        return round(100 * self.elder_care / self.received, 1) if self.received else None

    @property
    def warns(self) -> bool:
        return self.kind == FundKind.LOTTERY and self.share is not None and self.share < LOTTERY_SHARE


_ABOVE = "the account of a fund above the actor's region"
_IN, _OUT = ("benefits.receive",), ("benefits.release", "benefits.unkept")
_BACK = ("benefits.offset", "benefits.takeback", "benefits.recall", "benefits.back", "benefits.kept")


def fund_years(actor: Actor, fund: Fund) -> list[FundYear]:
    """Years in which the fund moved or has a budget, newest first. Call inside a scope; the fund was read in it."""
    return _fund_years(fund, None)


def fund_year(fund: Fund, year: int) -> FundYear:
    """One year of a fund, also one in which nothing has moved. Call inside a scope; the fund was read in it."""
    found = [y for y in _fund_years(fund, year) if y.year == year]
    return found[0] if found else FundYear(year, 0, 0, 0, _balance(fund), fund.kind)


def _own(fund: Fund) -> Account | None:
    return Account.objects.filter(owner_kind=FUND, owner_id=fund.pk, purpose="available").first()


def _balance(fund: Fund) -> int:
    with as_system(_ABOVE):
        own = _own(fund)
        return own.balance if own else 0


def _fund_years(fund: Fund, year: int | None) -> list[FundYear]:
    budgets = dict(fund.budgets.values_list("year", "amount"))
    with as_system(_ABOVE):
        own = _own(fund)
        rows = Transfer.objects.filter(Q(debit=own) | Q(credit=own)) if own else Transfer.objects.none()
        if year is not None:
            rows = rows.filter(effective_on__gte=date(year, 1, 1), effective_on__lt=date(year + 1, 1, 1))
        sums = rows.order_by().values_list("effective_on__year", "kind").annotate(fen=Sum("amount"))
        by_year: dict[int, dict[str, int]] = {y: {} for y in budgets}
        for at, kind, fen in sums:
            by_year.setdefault(at, {})[kind] = fen
    return [
        FundYear(
            at,
            sum(moved.get(k, 0) for k in _IN),
            sum(moved.get(k, 0) for k in _OUT) - sum(moved.get(k, 0) for k in _BACK),
            moved.get("benefits.other_use", 0),
            own.balance if own else 0,
            fund.kind,
            budgets.get(at),
        )
        for at, moved in sorted(by_year.items(), reverse=True)
    ]


def open_payments(actor: Actor) -> dict[str, tuple[int, int]]:
    """State → (payments, fen) of what is not paid yet, for the finance page."""
    rows = payments(actor).filter(state__in=[PaymentState.DUE, PaymentState.IN_FILE, PaymentState.REJECTED])
    return {
        s: (n, fen) for s, n, fen in rows.order_by().values_list("state").annotate(n=Count("id"), fen=Sum("amount"))
    }


def forms_due(actor: Actor) -> list[tuple[str, str, int, int]]:
    """(form, policy, payments, fen) of what waits to be paid."""
    rows = payments(actor).filter(state=PaymentState.DUE).order_by().values_list("form", "policy")
    return sorted(rows.annotate(n=Count("id"), fen=Sum("amount")))


def released_runs(actor: Actor) -> QuerySet[Run]:
    return runs(actor).filter(state__in=RELEASED)


def get_file(actor: Actor, pk: int) -> PaymentFile:
    """Raises NotVisible."""
    return _one(files(actor), pk)


def file_items(made: PaymentFile) -> list[layouts.Item]:
    """The rows of a payment file, with whole account numbers (and ID numbers for an insurer). Call inside a scope."""
    items = list(made.items.select_related("payment", "payment__line").order_by("number"))
    known = names(i.payment for i in items)
    people_ids = [i.payment.person_id for i in items if i.payment.person_id] if made.kind == FileKind.INSURER else []
    numbers = people.id_numbers(people_ids) if people_ids else {}
    said = policy_names({i.payment.policy for i in items})
    return [
        layouts.Item(
            i.number, i.payment.reference, i.amount, i.payee, i.payee_account or "", i.bank,
            known.get((i.payment.subject_kind, i.payment.subject_id), i.payee), numbers.get(i.payment.person_id, ""),
            f"{i.payment.line.month:%Y-%m}", said[i.payment.policy],
        )
        for i in items
    ]  # fmt: skip


def run_sums(actor: Actor, run: Run, by: str) -> list[tuple[str, int, int]]:
    """(label, lines, fen) of one run as the actor sees its lines, whatever its state. Call inside a scope."""
    length = len(actor.path if actor.path.startswith(run.path) else run.path) + PATH_STEP
    rows = Line.objects.filter(run=run).exclude(amount=0).annotate(area=Substr("path", 1, length)).order_by()
    key = {By.POLICY: "policy", By.FUND: "fund", By.AREA: "area"}[By(by)]
    found = sorted(rows.values_list(key).annotate(n=Count("id"), fen=Sum("amount")))
    label = _labels(actor, By(by), [k for k, _n, _fen in found])
    return [(label(k), n, fen) for k, n, fen in found]
