"""The policy library and the policies that rest on it: reading only; what is paid is decided by people on screen."""

from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from sangyu.care.policies import selectors as policies
from sangyu.care.policies.enums import PeriodKind, Standing, Subject
from sangyu.registry.documents import selectors as documents
from sangyu.registry.documents.enums import Kind, Level

from .values import Code, Day, Id, Moment, Paging, Schema, one_of, operation

router = Router(tags=["policies"])
Kinds, Levels = one_of(Kind), one_of(Level)


class DocumentOut(Schema):
    """Holds in ``[valid_from, valid_to)``; ``valid_to`` null: without end."""

    id: int
    number: str
    title: str
    issuer: str
    level: Levels
    kind: Kinds
    issued_on: date
    valid_from: date
    valid_to: date | None
    summary: str
    region_id: int
    replaces_id: int | None


class DocumentPage(Schema):
    items: list[DocumentOut]
    next: str


class DocumentFilter(Paging):
    """``day``: only documents that hold on it."""

    kind: Kinds | None = None
    day: Day | None = None


@operation(router, "GET", "/documents", "documents.list", "documents.view", DocumentPage, _("List documents"))
def document_list(request, given: Query[DocumentFilter]) -> Any:
    rows = documents.documents(request.actor, given.day)
    return given.page(rows.filter(kind=given.kind) if given.kind else rows, "pk", filtered=False)


@operation(
    router, "GET", "/documents/{document_id}", "documents.get", "documents.view", DocumentOut, _("Read one document")
)  # fmt: skip
def document_get(request, document_id: Id) -> Any:
    return documents.document(request.actor, document_id)


class PolicyOut(Schema):
    """One version of one policy. ``digest`` is the SHA-256 of ``text``; ``standing`` is that of today."""

    id: int
    code: str
    number: int
    name: str
    subject: one_of(Subject)
    period: one_of(PeriodKind)
    region_id: int
    valid_from: date
    valid_to: date | None
    document_id: int | None
    clause: str
    standing: one_of(Standing)
    approved_at: Moment | None
    digest: str


class PolicyText(PolicyOut):
    text: str


@operation(router, "GET", "/policies", "policies.list", "policies.view", list[PolicyOut], _("Policies in force"))
def policy_list(request, day: Day | None = None) -> Any:
    """Approved versions that concern the caller's area on ``day`` (default today), those of regions above and below included."""
    return policies.in_force(request.actor.path, day or timezone.localdate())


@operation(
    router, "GET", "/policies/{version_id}", "policies.get", "policies.view", PolicyText, _("Read one policy version")
)
def policy_get(request, version_id: Id) -> Any:
    """The text as it was approved, or as it stands in a draft of the caller's area."""
    return policies.version(request.actor, version_id)


@operation(
    router, "GET", "/policies/by-code/{code}", "policies.by_code", "policies.view", PolicyText, _("The policy that holds")
)  # fmt: skip
def policy_by_code(request, code: Code, day: Day | None = None) -> Any:
    """The version of ``code`` that holds for the caller's area on ``day``: that of the nearest region."""
    return policies.applicable_or_404(request.actor.path, code, day or timezone.localdate())
