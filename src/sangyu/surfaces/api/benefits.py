"""Benefit runs, their lines with the explanation, payments and recoveries: for reading. Money in fen."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from sangyu.care.benefits import selectors as benefits
from sangyu.care.benefits.enums import Change, LineKind, LineState, PaymentState, RecoveryState, RunState, SubjectKind

from .values import Id, Moment, Paging, Schema, one_of, operation

router = Router(tags=["benefits"])
RunStates, LineKinds, LineStates = one_of(RunState), one_of(LineKind), one_of(LineState)
Changes, PaymentStates, RecoveryStates, Kinds = (
    one_of(Change),
    one_of(PaymentState),
    one_of(RecoveryState),
    one_of(SubjectKind),
)


class RunOut(Schema):
    """One month of one region. ``total`` is what is to pay, ``withheld`` is kept back; ``counts`` lines by kind of change."""

    id: int
    number: str
    region_id: int
    month: date
    state: RunStates
    known_at: Moment
    line_count: int
    subject_count: int
    total: int
    withheld: int
    counts: dict[str, int]
    input_digest: str
    lines_digest: str
    approved_at: Moment | None
    released_at: Moment | None


class RunPage(Schema):
    items: list[RunOut]
    next: str


class RunFilter(Paging):
    state: RunStates | None = None


class LineOut(Schema):
    """``amount`` is negative for an over-payment; ``previous`` is the last run's, ``before`` what was released for the month."""

    id: int
    run_id: int
    subject_kind: Kinds
    subject_id: int
    policy: str
    version_id: int
    month: date
    kind: LineKinds
    change: Changes
    amount: int
    before: int
    previous: int | None
    days: int
    stacked: str
    state: LineStates


class LinePage(Schema):
    items: list[LineOut]
    next: str


class LineFilter(Paging):
    run_id: Id | None = None
    person_id: Id | None = None
    change: Changes | None = None
    kind: LineKinds | None = None


class StepOut(Schema):
    """One thing the policy asks; ``holds`` is null when the fact is unknown."""

    text: str
    sentence: str
    holds: bool | None


class FactUsed(Schema):
    name: str
    label: str
    value: str


class ExplanationOut(Schema):
    """Why the line is what it is, from the facts stored with it and its policy version."""

    sentence: str
    policy: str
    document: str
    clause: str
    steps: list[StepOut]
    facts: list[FactUsed]


class PaymentOut(Schema):
    id: int
    reference: str
    line_id: int
    policy: str
    amount: int
    offset: int
    state: PaymentStates
    refusal: str
    paid_at: Moment | None


class PaymentPage(Schema):
    items: list[PaymentOut]
    next: str


class PaymentFilter(Paging):
    state: PaymentStates | None = None
    run_id: Id | None = None


class RecoveryOut(Schema):
    id: int
    number: str
    subject_kind: Kinds
    subject_id: int
    amount: int
    repaid: int
    left: int
    state: RecoveryStates


class RecoveryPage(Schema):
    items: list[RecoveryOut]
    next: str


@operation(router, "GET", "/benefit-runs", "benefits.runs", "benefits.view", RunPage, _("List benefit runs"))
def run_list(request, given: Query[RunFilter]) -> Any:
    return given.page(benefits.runs(request.actor))


@operation(router, "GET", "/benefit-runs/{run_id}", "benefits.run", "benefits.view", RunOut, _("One benefit run"))
def run_get(request, run_id: Id) -> Any:
    return benefits.get_run(request.actor, run_id)


@operation(
    router, "GET", "/benefit-lines", "benefits.lines", "benefits.view", LinePage, _("List lines of benefit runs")
)
def line_list(request, given: Query[LineFilter]) -> Any:
    return given.page(benefits.lines(request.actor))


@operation(
    router, "GET", "/benefit-lines/{line_id}/explanation", "benefits.explain", "benefits.view", ExplanationOut,
    _("Why this amount"),
)  # fmt: skip
def explain(request, line_id: Id) -> Any:
    told = benefits.explain(request.actor, benefits.get_line(request.actor, line_id), sources=False)
    return {
        "sentence": told.sentence, "policy": told.policy_name, "document": told.document, "clause": told.clause,
        "steps": [{"text": s.text, "sentence": s.sentence, "holds": s.value} for s in told.steps],
        "facts": [{"name": f.name, "label": f.label, "value": f.value} for f in told.facts],
    }  # fmt: skip


@operation(router, "GET", "/benefit-payments", "benefits.payments", "benefits.pay", PaymentPage, _("List payments"))
def payment_list(request, given: Query[PaymentFilter]) -> Any:
    return given.page(benefits.payments(request.actor))


@operation(
    router, "GET", "/benefit-recoveries", "benefits.recoveries", "benefits.recover", RecoveryPage, _("List recoveries")
)
def recovery_list(request, given: Query[Paging]) -> Any:
    return given.page(benefits.recoveries(request.actor))
