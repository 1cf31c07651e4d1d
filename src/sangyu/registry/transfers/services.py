"""Asking for a file, handing it over, refusing, withdrawing (迁入迁出; R-026, X-01, docs/adr/0014-transfers.md)."""

from datetime import date, datetime

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.utils import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import calendar, files
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import BadValue, Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.identity import parse_id_number
from sangyu.kernel.names import clean_name
from sangyu.kernel.numbering import next_number
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service
from sangyu.kernel.workflow import Workflow
from sangyu.registry.people import selectors as people
from sangyu.registry.people import services as people_services
from sangyu.registry.regions import selectors as regions

from . import events
from .enums import Action, State
from .models import Transfer, TransferLog

#: Working days in which the holding side answers.
DAYS_TO_ANSWER = 5


def _holds(row: Transfer, *, actor: Actor, **more) -> None:
    """Only the side that holds the file, or a region above it, decides."""
    if not row.held_path.startswith(actor.path):
        raise Forbidden("transfers.decide")


def _asks(row: Transfer, *, actor: Actor, **more) -> None:
    if not row.path.startswith(actor.path):
        raise Forbidden("transfers.request")


FLOW = Workflow(
    name="transfers",
    edges=(
        (Action.AGREE, State.REQUESTED, State.AGREED),
        (Action.REFUSE, State.REQUESTED, State.REFUSED),
        (Action.WITHDRAW, State.REQUESTED, State.WITHDRAWN),
    ),
    log=lambda: TransferLog,
    log_fk="transfer",
    stamps={State.AGREED: "closed_at", State.REFUSED: "closed_at", State.WITHDRAWN: "closed_at"},
    guards={Action.AGREE: (_holds,), Action.REFUSE: (_holds,), Action.WITHDRAW: (_asks,)},
)


@service("transfers.request")
def request(
    *,
    actor: Actor,
    id_number: str,
    name: str,
    region_id: int,
    moved_on: date,
    reason: str,
    evidence: str,
    address: str = "",
    paper: UploadedFile | None = None,
    now: datetime | None = None,
) -> Transfer:
    """Ask for the file of the person with ``id_number``, who moved to ``region_id`` (in the actor's area) on ``moved_on``.

    The asking side learns that somebody has the number, nothing else. ``paper`` is the picture of what was shown; both sides
    can open it. Raises Invalid, NotVisible (region), Refused
    ("transfers.unknown" | "transfers.own" | "transfers.open").
    """
    now = now or timezone.now()
    today = timezone.localdate(now)
    errors: dict[str, list[str]] = {}
    number = None
    try:
        number = parse_id_number(id_number, today=today).number
    except BadValue as bad:
        errors["id_number"] = [bad.message]
    try:
        name = clean_name(name)
    except BadValue as bad:
        errors["name"] = [bad.message]
    for field, value in (("reason", reason), ("evidence", evidence)):
        if not value.strip():
            errors[field] = [_("Please fill in.")]
    if moved_on > today:
        errors["moved_on"] = [_("The day lies in the future.")]
    if errors:
        raise Invalid(errors)
    region = regions.region(region_id, current=True)
    if not region.path.startswith(actor.path):
        raise NotVisible
    if people.find_ids(actor, number):
        raise Refused(_("This person belongs to your area. Move the file instead."), code="transfers.own")
    with as_system("who holds the file is not told to who asks"):
        held = people.holder_of(number)
    if held is None:
        raise Refused(_("Nobody has this ID number. Register the person instead."), code="transfers.unknown")
    try:
        with as_system("the request names a file that the actor does not see"), transaction.atomic():
            made = Transfer.objects.create(
                number=next_number("QZ", today, region.code[:6]), path=region.path, region=region, held_path=held.path,
                held_region_id=held.region_id, person_id=held.pk, name=name, id_number=number,
                name_agrees=held.name == name, moved_on=moved_on, address=address.strip(), reason=reason.strip(),
                evidence=evidence.strip(), requested_at=now, requested_by=actor.name, account_id=actor.account_id,
                assigned_id=actor.account_id, answer_by=calendar.deadline(now, working_days=DAYS_TO_ANSWER),
            )  # fmt: skip
    except IntegrityError as error:
        if "transfer_one_open" in str(error):
            raise Refused(_("Somebody asked for this file already."), code="transfers.open") from None
        raise
    if paper is not None:
        files.attach(actor, made, paper, field="paper")
    _tell(events.REQUESTED, made)
    return made


def _tell(name: str, row: Transfer) -> None:
    """Both sides hear of it."""
    for path in dict.fromkeys((row.path, row.held_path)):
        emit(name, path=path, id=row.pk)


def _apply(actor: Actor, transfer_id: int, action: Action, answer: str, now: datetime | None) -> Transfer:
    row = FLOW.apply(
        actor=actor, queryset=Transfer.objects.all(), pk=transfer_id, action=action, now=now, reason=answer,
        changes={"closed_by": actor.name, "answer": answer},
    )  # fmt: skip
    emit(f"transfers.{row.state}", path=row.held_path, id=row.pk, action=str(action))
    return row


@service("transfers.decide")
def agree(*, actor: Actor, transfer_id: int, answer: str = "", now: datetime | None = None) -> Transfer:
    """Hand the file over: the living file moves with its rooms' rows that follow it; what happened stays with the county of
    its time. Raises NotVisible, Forbidden, Refused.
    """
    now = now or timezone.now()
    row = _apply(actor, transfer_id, Action.AGREE, answer.strip(), now)
    people_services.move(
        actor=actor, person_id=row.person_id, region_id=row.region_id, moved_on=row.moved_on, address=row.address,
        source=_("transfer %(number)s") % {"number": row.number}, today=timezone.localdate(now), now=now,
    )  # fmt: skip
    return row


@service("transfers.decide")
def refuse(*, actor: Actor, transfer_id: int, answer: str, now: datetime | None = None) -> Transfer:
    """Say no, and why: the asking side reads it."""
    if not answer.strip():
        raise Invalid({"answer": [_("Say why.")]})
    return _apply(actor, transfer_id, Action.REFUSE, answer.strip(), now)


@service("transfers.request")
def withdraw(*, actor: Actor, transfer_id: int, answer: str = "", now: datetime | None = None) -> Transfer:
    """Take the request back."""
    return _apply(actor, transfer_id, Action.WITHDRAW, answer.strip(), now)


@service("transfers.decide")
def tell_overdue(*, actor: Actor, now: datetime) -> int:
    """Tell both sides, and the region above both, once, that the time for the answer is over. Answers how many."""
    rows = list(
        Transfer.objects.select_for_update().filter(
            state=State.REQUESTED, answer_by__lt=now, overdue_told_at__isnull=True
        )[:200]
    )
    for row in rows:
        row.overdue_told_at = now
        row.save(update_fields=["overdue_told_at"])
        _tell(events.OVERDUE, row)
        emit(events.OVERDUE, path=_above(row.path, row.held_path), id=row.pk)
    return len(rows)


def _above(one: str, other: str) -> str:
    n = 0
    while one[: n + 3] == other[: n + 3] and n < min(len(one), len(other)):
        n += 3
    return one[:n] or one[:3]
