"""Hiring, changing and releasing workers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, DecimalField, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.audit import log_read
from sangyu.kernel.crypto import blind_index, tail_index
from sangyu.kernel.errors import BadValue, Invalid, NotVisible, Refused
from sangyu.kernel.identity import age_on, parse_id_number, parse_phone, phone_digits
from sangyu.kernel.names import clean_name, pinyin_of
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service
from sangyu.registry.accounts import services as accounts
from sangyu.registry.organisations import selectors as organisations

from ..enums import Action, Post, Sex, State
from ..models import Worker
from ..workflow import ENGAGEMENT
from ._shared import own_worker, share_employer, unshare_employer

ID_PURPOSE = "workforce.worker.id_number"
PHONE_PURPOSE = "workforce.worker.phone"
FIELDS = (
    "name",
    "sex",
    "birth_date",
    "id_number",
    "phone",
    "post",
    "graduate_of",
    "languages",
    "introduction",
    "latitude",
    "longitude",
)


@service("workforce.manage")
def hire(*, actor: Actor, organisation_id: int, name: str, today: date, **fields: Any) -> Worker:
    """Open the file of a worker of the organisation, as a candidate. ``fields`` are those of FIELDS.

    Sex and birth date come from the ID number when it is given. Raises Invalid, NotVisible, or Refused when the same ID number
    is engaged there already.
    """
    place = organisations.place_of(actor, organisation_id)
    row = Worker(organisation_id=organisation_id, region_id=place.region_id, path=place.path)
    _apply(row, {"name": name, **fields}, today)
    row.save(force_insert=True)
    share_employer(row)
    return row


@service("workforce.manage")
def change_worker(*, actor: Actor, worker_id: int, today: date, **fields: Any) -> Worker:
    """Correct the file; same checks as hiring."""
    row = own_worker(actor, worker_id)
    _apply(row, fields, today)
    columns = {
        f"{f}_{end}" for f in ("id", "phone") for end in ("index", "tail") if f in fields or f"{f}_number" in fields
    }
    derived = {"sex", "birth_date"} if "id_number" in fields else set()
    derived |= {"pinyin", "initials"} if "name" in fields else set()
    row.save(update_fields=sorted(set(fields) | columns | derived))
    return row


@service("workforce.manage")
def link_account(*, actor: Actor, worker_id: int, account_id: int | None) -> Worker:
    """Say which account signs in as this worker, so that leaving can end its access."""
    row = own_worker(actor, worker_id)
    row.account_id = account_id
    row.save(update_fields=["account_id"])
    return row


@service("workforce.manage")
def transfer(*, actor: Actor, worker_id: int, organisation_id: int) -> Worker:
    """Move a worker to another organisation that the actor answers for: a site of the same chain (R-007)."""
    row = own_worker(actor, worker_id)
    place = organisations.place_of(actor, organisation_id)
    previous = row.organisation_id
    row.organisation_id, row.region_id, row.path = organisation_id, place.region_id, place.path
    _refuse_duplicate(row)
    row.save(update_fields=["organisation", "region", "path"])
    share_employer(row, previous)
    return row


def _move(
    actor: Actor, worker_id: int, action: Action, reason: str, now: datetime | None, expect: str | None
) -> Worker:
    now = now or timezone.now()
    row = own_worker(actor, worker_id)
    return ENGAGEMENT.apply(
        actor=actor,
        queryset=Worker.objects.all(),
        pk=worker_id,
        action=action,
        now=now,
        reason=reason,
        changes={"admitted_at": now} if action is Action.ADMIT else {},
        data={
            "organisation_id": row.organisation_id,
            "account_id": row.account_id,
            "on": timezone.localdate(now).isoformat(),
        },
        expect=expect,
    )


@service("workforce.manage")
def admit(
    *, actor: Actor, worker_id: int, reason: str = "", now: datetime | None = None, expect: str | None = None
) -> Worker:
    """CANDIDATE → ACTIVE. Training, checks and duties still gate each visit (``selectors.blocks``)."""
    return _move(actor, worker_id, Action.ADMIT, reason, now, expect)


@service("workforce.manage")
def suspend(
    *, actor: Actor, worker_id: int, reason: str, now: datetime | None = None, expect: str | None = None
) -> Worker:
    """ACTIVE → SUSPENDED: no new visits. Needs a reason."""
    return _move(actor, worker_id, Action.SUSPEND, reason, now, expect)


@service("workforce.manage")
def resume(
    *, actor: Actor, worker_id: int, reason: str = "", now: datetime | None = None, expect: str | None = None
) -> Worker:
    """SUSPENDED → ACTIVE."""
    return _move(actor, worker_id, Action.RESUME, reason, now, expect)


@service("workforce.manage")
def leave(
    *, actor: Actor, worker_id: int, reason: str, now: datetime | None = None, expect: str | None = None
) -> Worker:
    """→ LEFT: closes the file and ends access; open visits go back to dispatch (event). Needs a reason."""
    now = now or timezone.now()
    row = _move(actor, worker_id, Action.LEAVE, reason, now, expect)
    unshare_employer(row)
    with as_system("who left signs in no more, whatever region gave the role"):
        accounts.end_access_of(audience=Audience.WORKER, subject_id=row.pk, day=timezone.localdate(now))
    return row


@service("workforce.reveal")
def reveal(*, actor: Actor, worker_id: int, field: str, purpose: str) -> str:
    """The whole ``id_number`` or ``phone`` of a worker; the look is logged with its purpose."""
    row = Worker.objects.filter(pk=worker_id).first()
    if row is None:
        raise NotVisible
    if field not in ("id_number", "phone") or not purpose.strip():
        raise Invalid({"purpose": [_("Say what you need it for.")]})
    with as_system("the log of reads is written for every audience"):
        log_read(actor=actor, what=field, objects=[row], purpose=purpose)
    return getattr(row, field)


@service("workforce.rate")
def rate_workers(*, actor: Actor, ratings: dict[int, Decimal]) -> int:
    """Store ratings (1.00 to 5.00) that quality computed, in one statement; returns how many rows were seen and changed."""
    if not ratings:
        return 0
    cases = [When(pk=pk, then=Value(rating)) for pk, rating in ratings.items()]
    rated = Case(*cases, output_field=DecimalField(max_digits=3, decimal_places=2))
    return Worker.objects.filter(pk__in=list(ratings)).update(rating=rated)


def _apply(row: Worker, fields: dict[str, Any], today: date) -> None:
    check_fields(row, fields, today)
    _refuse_duplicate(row)


def check_fields(row: Worker, fields: dict[str, Any], today: date) -> None:
    """Set ``fields`` on ``row`` and check them, without asking the register. Raises Invalid."""
    errors: dict[str, list[str]] = {name: [_("Unknown field.")] for name in set(fields) - set(FIELDS)}
    if errors:
        raise Invalid(errors)
    readers = {
        "name": clean_name,
        "phone": lambda text: parse_phone(text) if text else "",
        "id_number": lambda text: parse_id_number(text, today=today) if text else None,
    }
    for name, value in fields.items():
        try:
            value = readers[name](value) if name in readers else value
        except BadValue as e:
            errors[name] = [e.message]
            continue
        if name == "id_number":
            _take_id(row, value)
        else:
            setattr(row, name, value)
    if row.sex not in Sex.values:
        errors["sex"] = [_("Choose one of: %(words)s") % {"words": ", ".join(Sex.values)}]
    if row.post not in Post.values:
        errors["post"] = [_("Choose one of: %(words)s") % {"words": ", ".join(Post.values)}]
    if (row.latitude is None) != (row.longitude is None):
        errors["latitude"] = [_("Give both latitude and longitude, or neither.")]
    if row.birth_date and age_on(row.birth_date, today) < 16:
        errors["birth_date"] = [_("A worker must be 16 or older.")]
    if errors:
        raise Invalid(errors)
    row.pinyin, row.initials = pinyin_of(row.name)
    if "phone" in fields:
        digits = phone_digits(row.phone)
        row.phone_index, row.phone_tail = blind_index(digits, PHONE_PURPOSE), tail_index(digits, PHONE_PURPOSE)


def _take_id(row: Worker, found: Any) -> None:
    number = found.number if found else ""
    row.id_number, row.id_index, row.id_tail = number, blind_index(number, ID_PURPOSE), tail_index(number, ID_PURPOSE)
    if found:
        row.birth_date, row.sex = found.birth_date or row.birth_date, found.sex or row.sex


def _refuse_duplicate(row: Worker) -> None:
    same = Worker.objects.filter(organisation_id=row.organisation_id, id_index=row.id_index).exclude(state=State.LEFT)
    if row.id_index and same.exclude(pk=row.pk).exists():
        raise Refused(_("Somebody with this ID number is engaged there already."), code="workforce.duplicate")
