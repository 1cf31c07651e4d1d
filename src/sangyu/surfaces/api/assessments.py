"""Assessments: application, assignment, the sheet of answers, second look, notice, decision, objection; needs (R-029 … R-037)."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from ninja import Query, Router
from pydantic import Field

from sangyu.care.assessments import selectors, services
from sangyu.care.assessments.enums import Informant, NeedKind, Special, State
from sangyu.care.assessments.enums import Reason as Why
from sangyu.registry.people import selectors as people

from .values import (
    Bytes64,
    Code,
    Day,
    Id,
    In,
    Line,
    Moment,
    Paging,
    Reason,
    Schema,
    Short,
    When,
    decode,
    one_of,
    operation,
    upto,
)

router = Router(tags=["assessments"])
States, Reasons, Needs = one_of(State), one_of(Why), one_of(NeedKind)


class AssessmentOut(Schema):
    """``level`` counts from 0 (best) by the scale ``scale``; it holds from ``effective_on`` once the state is decided."""

    id: int
    number: str
    person_id: int
    scale: str
    reason: Reasons
    state: States
    level: int | None
    level_name: str
    applied_at: Moment
    planned_on: date | None
    visited_at: Moment | None
    notice_to: date | None
    decided_at: Moment | None
    effective_on: date | None
    due_on: date | None
    previous_id: int | None

    @staticmethod
    def resolve_scale(row: Any) -> str:
        return row.version.code


class AssessmentDetail(AssessmentOut):
    """``result``: sub-totals, preliminary level, changes with reasons, each with rule and mark; null until complete."""

    answers: dict[str, str]
    result: dict[str, Any] | None
    version: int

    @staticmethod
    def resolve_answers(row: Any) -> dict[str, str]:
        return row.sheet.answers if row.sheet else {}

    @staticmethod
    def resolve_result(row: Any) -> dict[str, Any] | None:
        return row.sheet.result if row.sheet else None

    @staticmethod
    def resolve_version(row: Any) -> int:
        return row.sheet.number if row.sheet else 0


class AssessmentPage(Schema):
    items: list[AssessmentOut]
    next: str


class AssessmentFilter(Paging):
    person_id: Id | None = None
    state: States | None = None


class AssessmentIn(In):
    person_id: Id
    reason: one_of(Why)
    scale: Code = "gbt-42195-2022"
    note: Line = ""


class AssignIn(In):
    lead_id: Id
    second_id: Id | None = None
    planned_on: Day | None = None
    commission_id: Id | None = None


class Signatures(In):
    """PNG bytes as base64."""

    lead: Bytes64 | None = None
    second: Bytes64 | None = None
    informant: Bytes64 | None = None


class SheetIn(In):
    """``base``: the version that the device began from; ``needs``: most important first. ``client_id`` again changes nothing."""

    answers: Annotated[dict[Short, Short], Field(max_length=100)]
    findings: Annotated[dict[Short, Short], Field(max_length=50)] = {}
    special: Annotated[list[one_of(Special)], Field(max_length=20)] = []
    needs: Annotated[list[one_of(NeedKind)], Field(max_length=15)] = []
    remark: upto(500) = ""
    informant: one_of(Informant) | None = None
    informant_name: upto(50) = ""
    base: Annotated[int, Field(ge=0, le=30_000)] = 0
    client_id: UUID | None = None
    entered_at: When | None = None
    signatures: Signatures = Signatures()


class SheetOut(Schema):
    """``conflict``: another version came in between; both are kept and a person chooses."""

    id: int
    number: int
    conflict: bool
    complete: bool


class ObjectIn(In):
    objection: Reason
    objected_by: upto(100, 1)


class NeedOut(Schema):
    kind: Needs
    rank: int
    noted_on: date


class DemandOut(Schema):
    """``people`` name the need at all, ``first`` name it first."""

    place: int
    kind: Needs
    people: int
    first: int


@operation(router, "GET", "/assessments", "assessments.list", "assessments.view", AssessmentPage, _("List assessments"))
def assessment_list(request, given: Query[AssessmentFilter]) -> Any:
    return given.page(selectors.assessments_visible(request.actor))


@operation(
    router, "GET", "/assessments/{assessment_id}", "assessments.get", "assessments.view", AssessmentDetail,
    _("Read one assessment with its result"),
)  # fmt: skip
def assessment_get(request, assessment_id: Id) -> Any:
    return selectors.get_assessment(request.actor, assessment_id)


@operation(
    router, "POST", "/assessments", "assessments.apply", "assessments.apply", AssessmentOut, _("Apply for an assessment"),
    status=201,
)  # fmt: skip
def apply(request, given: AssessmentIn) -> Any:
    return 201, services.apply(
        actor=request.actor, person_id=given.person_id, reason=given.reason, instrument=given.scale, note=given.note
    )


@operation(
    router, "POST", "/assessments/{assessment_id}/assign", "assessments.assign", "assessments.assign", AssessmentOut,
    _("Send two assessors"),
)  # fmt: skip
def assign(request, assessment_id: Id, given: AssignIn) -> Any:
    return services.assign(actor=request.actor, assessment_id=assessment_id, **given.dict())


@operation(
    router, "POST", "/assessments/{assessment_id}/sheets", "assessments.save_sheet", "assessments.assess", SheetOut,
    _("Keep one version of the answers"), status=201,
)  # fmt: skip
def save_sheet(request, assessment_id: Id, given: SheetIn) -> Any:
    values = given.dict(exclude={"signatures", "informant"})
    signed = {k: decode(k, v) for k, v in given.signatures.dict(exclude_none=True).items()}
    return 201, services.save_sheet(
        actor=request.actor, assessment_id=assessment_id, informant=given.informant or "", signatures=signed, **values
    )


@operation(
    router, "POST", "/assessments/{assessment_id}/finish", "assessments.finish", "assessments.assess", AssessmentOut,
    _("Hand the signed sheet in"),
)  # fmt: skip
def finish(request, assessment_id: Id) -> Any:
    return services.finish_visit(actor=request.actor, assessment_id=assessment_id)


@operation(
    router, "POST", "/assessments/{assessment_id}/review", "assessments.review", "assessments.review", AssessmentOut,
    _("The second look agrees"),
)  # fmt: skip
def review(request, assessment_id: Id) -> Any:
    return services.review(actor=request.actor, assessment_id=assessment_id)


@operation(
    router, "POST", "/assessments/{assessment_id}/publish", "assessments.publish", "assessments.review", AssessmentOut,
    _("Put the result on the public notice"),
)  # fmt: skip
def publish(request, assessment_id: Id) -> Any:
    return services.publish(actor=request.actor, assessment_id=assessment_id)


@operation(
    router, "POST", "/assessments/{assessment_id}/decide", "assessments.decide", "assessments.decide", AssessmentOut,
    _("Decide the level"),
)  # fmt: skip
def decide(request, assessment_id: Id) -> Any:
    return services.decide(actor=request.actor, assessment_id=assessment_id)


@operation(
    router, "POST", "/assessments/{assessment_id}/object", "assessments.object", "assessments.apply", AssessmentOut,
    _("Enter an objection; answers the new assessment"), status=201,
)  # fmt: skip
def object_to(request, assessment_id: Id, given: ObjectIn) -> Any:
    return 201, services.object_to(actor=request.actor, assessment_id=assessment_id, **given.dict())


@operation(
    router, "GET", "/people/{person_id}/needs", "assessments.needs", "assessments.view", list[NeedOut],
    _("What a person needs, most important first"),
)  # fmt: skip
def needs(request, person_id: Id) -> Any:
    people.get_person(request.actor, person_id)
    return selectors.needs_of_person(request.actor, person_id)


@operation(
    router, "GET", "/needs", "assessments.demand", "assessments.view", list[DemandOut], _("Demand of the own area")
)
def demand(request) -> Any:
    return selectors.demand(request.actor)
