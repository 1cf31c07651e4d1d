"""Work on files: pairs that may be one person, requests for files between counties, requests about personal data."""

from datetime import date
from typing import Any, Literal

from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from sangyu.registry.duplicates import selectors as duplicates
from sangyu.registry.duplicates import services as duplicates_services
from sangyu.registry.duplicates.enums import State as PairState
from sangyu.registry.people import services as people_services
from sangyu.registry.privacy import selectors as privacy
from sangyu.registry.privacy import services as privacy_services
from sangyu.registry.privacy.enums import Kind
from sangyu.registry.privacy.enums import State as RequestState
from sangyu.registry.transfers import selectors as transfers
from sangyu.registry.transfers import services as transfers_services
from sangyu.registry.transfers.enums import State as TransferState

from .values import Day, Id, In, Line, Moment, Paging, Reason, Schema, Short, one_of, operation, upto

router = Router(tags=["file work"])


class ReasonIn(In):
    reason: Reason


class RemarkIn(In):
    reason: Line = ""


# ---------------------------------------------------------------- possible duplicates
class PairOut(Schema):
    """Two files that may be one person's; ``findings`` say why, the words are those of the room."""

    id: int
    first_id: int
    second_id: int
    score: float
    findings: list[str]
    state: one_of(PairState)
    decided_at: Moment | None
    decided_by: str
    reason: str

    @staticmethod
    def resolve_findings(row: Any) -> list[str]:
        return row.levels


class PairPage(Schema):
    items: list[PairOut]
    next: str


class PairFilter(Paging):
    state: one_of(PairState) | None = "open"


class MergeIn(In):
    """``choices``: field → "kept" or "gone"; what is not chosen is the kept file's, or the other's where that is empty."""

    kept_id: Id
    gone_id: Id
    reason: Reason
    choices: dict[Short, Literal["kept", "gone"]] = {}


class MergeOut(Schema):
    id: int
    kept_id: int
    gone_id: int


@operation(router, "GET", "/duplicates", "duplicates.list", "duplicates.review", PairPage, _("Pairs to review"))
def pairs(request, given: Query[PairFilter]) -> Any:
    return given.page(duplicates.pairs().visible_to(request.actor), "-score")


@operation(
    router, "POST", "/duplicates/{candidate_id}/apart", "duplicates.apart", "duplicates.review", PairOut,
    _("Two persons: keep them apart"),
)  # fmt: skip
def apart(request, candidate_id: Id, given: ReasonIn) -> Any:
    return duplicates_services.keep_apart(actor=request.actor, candidate_id=candidate_id, reason=given.reason)


@operation(
    router, "POST", "/duplicates/{candidate_id}/later", "duplicates.later", "duplicates.review", PairOut,
    _("Put a pair off"),
)  # fmt: skip
def later(request, candidate_id: Id, given: RemarkIn) -> Any:
    return duplicates_services.put_off(actor=request.actor, candidate_id=candidate_id, reason=given.reason)


@operation(router, "POST", "/people/merge", "people.merge", "people.merge", MergeOut, _("Merge two files"))
def merge(request, given: MergeIn) -> Any:
    """The gone file leads to the kept one; taken back on screen, where what stays is named."""
    record = people_services.merge(actor=request.actor, **given.dict())
    if request.actor.may("duplicates.review"):
        duplicates_services.note_merge(request.actor, given.kept_id, given.gone_id, record.pk, given.reason)
    return record


# ---------------------------------------------------------------- files between counties
class TransferOut(Schema):
    """A request that both sides see; ``person_id`` is a number to the asking side until the file is handed over."""

    id: int
    number: str
    person_id: int
    name: str
    id_masked: str
    region_id: int
    held_region_id: int
    moved_on: date
    address: str
    reason: str
    evidence: str
    state: one_of(TransferState)
    requested_at: Moment
    requested_by: str
    answer_by: Moment
    closed_at: Moment | None
    answer: str


class TransferPage(Schema):
    items: list[TransferOut]
    next: str


class TransferFilter(Paging):
    state: one_of(TransferState) | None = None


class TransferIn(In):
    id_number: upto(30, 1)
    name: upto(50, 1)
    region_id: Id
    moved_on: Day
    reason: Reason
    evidence: upto(200, 1)
    address: upto(200) = ""


@operation(router, "GET", "/transfers", "transfers.list", "transfers.view", TransferPage, _("Requests for files"))
def list_transfers(request, given: Query[TransferFilter]) -> Any:
    return given.page(transfers.transfers_visible(request.actor))


@operation(
    router, "POST", "/transfers", "transfers.request", "transfers.request", TransferOut, _("Ask for a file"), status=201
)
def request_transfer(request, given: TransferIn) -> Any:
    return 201, transfers_services.request(actor=request.actor, **given.dict())


@operation(
    router, "POST", "/transfers/{transfer_id}/agree", "transfers.agree", "transfers.decide", TransferOut,
    _("Hand the file over"),
)  # fmt: skip
def agree(request, transfer_id: Id, given: RemarkIn) -> Any:
    return transfers_services.agree(actor=request.actor, transfer_id=transfer_id, answer=given.reason)


@operation(
    router, "POST", "/transfers/{transfer_id}/refuse", "transfers.refuse", "transfers.decide", TransferOut,
    _("Refuse the file"),
)  # fmt: skip
def refuse_transfer(request, transfer_id: Id, given: ReasonIn) -> Any:
    return transfers_services.refuse(actor=request.actor, transfer_id=transfer_id, answer=given.reason)


@operation(
    router, "POST", "/transfers/{transfer_id}/withdraw", "transfers.withdraw", "transfers.request", TransferOut,
    _("Take the request for a file back"),
)  # fmt: skip
def withdraw_transfer(request, transfer_id: Id, given: RemarkIn) -> Any:
    return transfers_services.withdraw(actor=request.actor, transfer_id=transfer_id, answer=given.reason)


# ---------------------------------------------------------------- requests about personal data
class DataRequestOut(Schema):
    """What a person asks about their data; the value that is wrong and the wanted one are not in it."""

    id: int
    person_id: int
    kind: one_of(Kind)
    state: one_of(RequestState)
    asked_name: str
    details: str
    field: str
    received_at: Moment
    due_on: date
    answered_at: Moment | None
    answer: str


class DataRequestPage(Schema):
    items: list[DataRequestOut]
    next: str


class DataRequestFilter(Paging):
    state: one_of(RequestState) | None = None


class AskIn(In):
    """``field`` and ``wanted`` belong to a correction."""

    person_id: Id
    kind: one_of(Kind)
    details: upto(500) = ""
    field: Short = ""
    wanted: upto(200) = ""


class PaperIn(AskIn):
    asked_name: upto(50, 1)


class AnswerIn(In):
    answer: upto(500) = ""


@operation(
    router, "GET", "/data-requests", "privacy.list", "privacy.view", DataRequestPage, _("Requests about personal data")
)
def data_requests(request, given: Query[DataRequestFilter]) -> Any:
    return given.page(privacy.requests_visible(request.actor))


@operation(
    router,
    "POST",
    "/data-requests",
    "privacy.ask",
    "privacy.ask",
    DataRequestOut,
    _("Ask about one's data"),
    status=201,
)
def ask(request, given: AskIn) -> Any:
    return 201, privacy_services.ask(actor=request.actor, **given.dict())


@operation(
    router, "POST", "/data-requests/paper", "privacy.enter", "privacy.handle", DataRequestOut,
    _("Enter a request that came on paper"), status=201,
)  # fmt: skip
def enter(request, given: PaperIn) -> Any:
    return 201, privacy_services.enter_paper(actor=request.actor, **given.dict())


@operation(
    router, "POST", "/data-requests/{request_id}/take", "privacy.take", "privacy.handle", DataRequestOut,
    _("Take a request on"),
)  # fmt: skip
def take(request, request_id: Id) -> Any:
    return privacy_services.take(actor=request.actor, request_id=request_id)


@operation(
    router, "POST", "/data-requests/{request_id}/correct", "privacy.correct", "privacy.handle", DataRequestOut,
    _("Approve a correction"),
)  # fmt: skip
def correct(request, request_id: Id, given: AnswerIn) -> Any:
    return privacy_services.correct(actor=request.actor, request_id=request_id, answer=given.answer)


@operation(
    router, "POST", "/data-requests/{request_id}/refuse", "privacy.refuse", "privacy.handle", DataRequestOut,
    _("Refuse a request about data"),
)  # fmt: skip
def refuse(request, request_id: Id, given: ReasonIn) -> Any:
    return privacy_services.refuse(actor=request.actor, request_id=request_id, reason=given.reason)


@operation(
    router, "POST", "/data-requests/{request_id}/withdraw", "privacy.withdraw", "privacy.ask", DataRequestOut,
    _("Take a request about data back"),
)  # fmt: skip
def withdraw(request, request_id: Id) -> Any:
    return privacy_services.withdraw(actor=request.actor, request_id=request_id)
