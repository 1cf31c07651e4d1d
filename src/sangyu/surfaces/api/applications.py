"""Applications for policies with what a panel decided; objections and appeals; stops. Money in fen."""

from datetime import date
from typing import Annotated, Any, Literal

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router
from pydantic import Field

from sangyu.care.applications import selectors as applications
from sangyu.care.applications import services as applying
from sangyu.care.applications.enums import BodyKind, Channel, HoldReason, ObjectionState, State, Vote
from sangyu.care.applications.services import Member

from .values import (
    Bytes64,
    Code,
    Day,
    Fen,
    Id,
    In,
    Line,
    Moment,
    Paging,
    Reason,
    Schema,
    Short,
    decode,
    one_of,
    operation,
    upto,
)

router = Router(tags=["entitlements"])
ApplicationStates, ObjectionStates = one_of(State), one_of(ObjectionState)
HoldReasons, Votes, BodyKinds = one_of(HoldReason), one_of(Vote), one_of(BodyKind)


class ForBody(In):
    """A facility, an organisation or a worker: a provider's own, or one of the office's area."""

    body_kind: BodyKinds
    body_id: Id


class BodyFilter(Paging):
    body_kind: BodyKinds | None = None
    body_id: Id | None = None


# ---------------------------------------------------------------- applications
class ApplicationOut(Schema):
    """``next_step`` is who looks at it next, "" when nobody does; ``approved_from`` the first day of the entitlement. For a body
    ``person_id`` is empty; ``decided_amount`` (fen) is what a panel decided.
    """

    id: int
    number: str
    person_id: int | None
    body_kind: str
    body_id: int | None
    decided_amount: int | None
    policy_code: str
    policy_name: str
    channel: one_of(Channel)
    applied_on: date
    state: ApplicationStates
    next_step: str
    due_on: date
    approved_from: date | None
    answer: str


class ApplicationPage(Schema):
    items: list[ApplicationOut]
    next: str


class ApplicationFilter(BodyFilter):
    person_id: Id | None = None
    state: ApplicationStates | None = None


@operation(
    router, "GET", "/applications", "applications.list", "applications.view", ApplicationPage, _("List applications")
)  # fmt: skip
def application_list(request, given: Query[ApplicationFilter]) -> Any:
    return given.page(applications.applications_visible(request.actor), "pk")


@operation(
    router, "GET", "/applications/{application_id}", "applications.get", "applications.view", ApplicationOut,
    _("Read one application"),
)  # fmt: skip
def application_get(request, application_id: Id) -> Any:
    return applications.get_application(request.actor, application_id)


class ApplyIn(In):
    person_id: Id
    policy_code: Code
    text: upto(500) = ""


@operation(router, "POST", "/applications", "applications.apply", "applications.apply", ApplicationOut, _("Apply"))
def apply(request, given: ApplyIn) -> Any:
    """Hand in an application for a policy of the person's area that is given on application."""
    return applying.apply(actor=request.actor, **given.dict())


class ApplyForBodyIn(ForBody):
    policy_code: Code
    text: upto(500) = ""


@operation(
    router, "POST", "/bodies/applications", "applications.apply_for_body", "applications.apply", ApplicationOut,
    _("Apply for a facility, an organisation or a worker"),
)  # fmt: skip
def apply_for_body(request, given: ApplyForBodyIn) -> Any:
    """Hand in an application for a policy that is given to such bodies on application."""
    return applying.apply_for_body(actor=request.actor, **given.dict())


class StepIn(In):
    reason: Line = ""


@operation(
    router, "POST", "/applications/{application_id}/step", "applications.step", "applications.review", ApplicationOut,
    _("Take the step that waits"),
)  # fmt: skip
def step(request, application_id: Id, given: StepIn) -> Any:
    """Pass on, or with the last step approve."""
    return applying.approve_step(actor=request.actor, application_id=application_id, **given.dict())


class RefuseIn(In):
    reason: Reason


@operation(
    router, "POST", "/applications/{application_id}/refuse", "applications.refuse", "applications.review", ApplicationOut,
    _("Refuse with the reason"),
)  # fmt: skip
def refuse(request, application_id: Id, given: RefuseIn) -> Any:
    return applying.refuse(actor=request.actor, application_id=application_id, **given.dict())


class MemberIn(In):
    """One member of a panel; who is concerned withdraws and does not count."""

    name: upto(50, 1)
    position: Short = ""
    vote: Votes = Vote.FOR.value


class DecideIn(In):
    """``amount`` in fen. ``held_on`` and ``members`` are asked for where the policy names a panel; ``minutes`` are base64, with their
    ``minutes_type``, a PDF or a picture.
    """

    amount: Fen
    document: upto(100, 1)
    held_on: Day | None = None
    members: Annotated[list[MemberIn], Field(max_length=50)] = []
    minutes: Bytes64 | None = None
    minutes_type: upto(100) = "application/pdf"


@operation(
    router, "POST", "/applications/{application_id}/decide", "applications.decide", "applications.review", ApplicationOut,
    _("Write down the amount that a panel or office decided"),
)  # fmt: skip
def decide(request, application_id: Id, given: DecideIn) -> Any:
    """Where the policy leaves the amount to a decision, within its bounds. Somebody else takes the last step."""
    values = given.dict()
    values["members"] = [Member(**m) for m in values["members"]]
    minutes = decode("minutes", values.pop("minutes"))
    content_type = values.pop("minutes_type")
    values["file"] = minutes and SimpleUploadedFile(given.document, minutes, content_type)
    return applying.decide(actor=request.actor, application_id=application_id, **values)


# ---------------------------------------------------------------- objections
class ObjectionOut(Schema):
    """To a refused application, or to a ``month`` (its first day) of a policy. ``appeal`` is the second instance."""

    id: int
    number: str
    person_id: int | None
    body_kind: str
    body_id: int | None
    application_id: int | None
    policy_code: str
    policy_name: str
    month: date | None
    channel: one_of(Channel)
    state: ObjectionStates
    text: str
    answer: str
    appeal: str
    appeal_answer: str
    due_on: date
    made_at: Moment
    closed_at: Moment | None


class ObjectionPage(Schema):
    items: list[ObjectionOut]
    next: str


class ObjectionFilter(BodyFilter):
    person_id: Id | None = None
    state: ObjectionStates | None = None


@operation(
    router, "GET", "/objections", "objections.list", "applications.view", ObjectionPage, _("List objections")
)  # fmt: skip
def objection_list(request, given: Query[ObjectionFilter]) -> Any:
    return given.page(applications.objections_visible(request.actor), "pk")


@operation(
    router, "GET", "/objections/{objection_id}", "objections.get", "applications.view", ObjectionOut,
    _("Read one objection"),
)  # fmt: skip
def objection_get(request, objection_id: Id) -> Any:
    return applications.get_objection(request.actor, objection_id)


class ObjectIn(In):
    """``month``: any day of it; without one today's policy is meant."""

    person_id: Id
    policy_code: Code
    month: Day | None = None
    text: upto(500, 1)


@operation(
    router, "POST", "/objections", "objections.make", "applications.apply", ObjectionOut,
    _("Object to what a policy gave or did not give"),
)  # fmt: skip
def object_to(request, given: ObjectIn) -> Any:
    return applying.object_to(actor=request.actor, **given.dict())


class ObjectForBodyIn(ForBody):
    """As ``ObjectIn``."""

    policy_code: Code
    month: Day | None = None
    text: upto(500, 1)


@operation(
    router, "POST", "/bodies/objections", "objections.make_for_body", "applications.apply", ObjectionOut,
    _("Object for a facility, an organisation or a worker"),
)  # fmt: skip
def object_for_body(request, given: ObjectForBodyIn) -> Any:
    return applying.object_for_body(actor=request.actor, **given.dict())


class WhyIn(In):
    text: upto(500, 1)


@operation(
    router, "POST", "/applications/{application_id}/object", "objections.to_refusal", "applications.apply", ObjectionOut,
    _("Object to a refused application"),
)  # fmt: skip
def object_to_refusal(request, application_id: Id, given: WhyIn) -> Any:
    return applying.object_to_refusal(actor=request.actor, application_id=application_id, **given.dict())


class AnswerIn(In):
    """``approved_from``: from when a refused application is approved, without one from the day it was handed in."""

    agree: bool
    reason: Reason
    approved_from: Day | None = None


@operation(
    router, "POST", "/objections/{objection_id}/answer", "objections.answer", "applications.answer", ObjectionOut,
    _("Answer an objection or an appeal"),
)  # fmt: skip
def answer(request, objection_id: Id, given: AnswerIn) -> Any:
    """Agreeing approves the refused application; a month is computed again by the region's next run."""
    return applying.answer_objection(actor=request.actor, objection_id=objection_id, **given.dict())


@operation(
    router, "POST", "/objections/{objection_id}/appeal", "objections.appeal", "applications.apply", ObjectionOut,
    _("Appeal to the level above"),
)  # fmt: skip
def appeal(request, objection_id: Id, given: WhyIn) -> Any:
    return applying.appeal(actor=request.actor, objection_id=objection_id, **given.dict())


@operation(
    router, "POST", "/objections/{objection_id}/withdraw", "objections.withdraw", "applications.apply", ObjectionOut,
    _("Take an objection back"),
)  # fmt: skip
def objection_withdraw(request, objection_id: Id) -> Any:
    return applying.withdraw_objection(actor=request.actor, objection_id=objection_id)


# ---------------------------------------------------------------- stops
class HoldOut(Schema):
    """The policy (``policy_code`` "": every policy) pays nothing in ``[valid_from, valid_to)``."""

    id: int
    person_id: int | None
    body_kind: str
    body_id: int | None
    policy_code: str
    policy_name: str
    kind: HoldReasons
    reason: str
    valid_from: date
    valid_to: date | None
    resumed_because: str


class HoldPage(Schema):
    items: list[HoldOut]
    next: str


class HoldFilter(BodyFilter):
    person_id: Id | None = None


@operation(router, "GET", "/holds", "holds.list", "applications.view", HoldPage, _("List stops of payments"))
def hold_list(request, given: Query[HoldFilter]) -> Any:
    return given.page(applications.holds_visible(request.actor), "pk")


class HoldIn(In):
    """``policy_code`` "": every policy."""

    person_id: Id
    policy_code: Code | Literal[""] = ""
    kind: HoldReasons
    reason: Reason
    valid_from: Day
    valid_to: Day | None = None


@operation(
    router, "POST", "/holds", "holds.stop", "applications.hold", HoldOut, _("Stop what a policy or every policy pays")
)  # fmt: skip
def stop(request, given: HoldIn) -> Any:
    return applying.hold(actor=request.actor, **given.dict())


class HoldBodyIn(ForBody):
    """As ``HoldIn``."""

    policy_code: Code | Literal[""] = ""
    kind: HoldReasons
    reason: Reason
    valid_from: Day
    valid_to: Day | None = None


@operation(
    router, "POST", "/bodies/holds", "holds.stop_body", "applications.hold", HoldOut,
    _("Stop what a facility, an organisation or a worker is given"),
)  # fmt: skip
def stop_body(request, given: HoldBodyIn) -> Any:
    return applying.hold_body(actor=request.actor, **given.dict())


class ResumeIn(In):
    """``on`` is the first day that is paid for again; at or before its start the stop never was."""

    on: Day
    reason: Reason


@operation(
    router, "POST", "/holds/{hold_id}/resume", "holds.resume", "applications.hold", None, _("Go on with payments"), status=204
)  # fmt: skip
def resume(request, hold_id: Id, given: ResumeIn) -> Any:
    applying.resume(actor=request.actor, hold_id=hold_id, **given.dict())
    return 204, None
