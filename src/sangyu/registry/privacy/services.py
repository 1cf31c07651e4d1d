"""Requests about personal data, from the question to the answer; incidents and assessments (PIPL 44–57, X-01)."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import calendar, files, printing
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.audit import log_read
from sangyu.kernel.crypto import EncryptedTextField
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.scoping import as_system, say_why
from sangyu.kernel.services import service
from sangyu.kernel.subjects import rows_about
from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.people import selectors as people
from sangyu.registry.people import services as people_services
from sangyu.registry.regions import selectors as regions

from . import held, rules
from .blocks import reasons_against
from .enums import Action, Channel, Kind
from .fields import CORRECTABLE, written
from .models import Assessment, Incident, Request, Restriction
from .workflow import REQUEST_FLOW

#: Days for the answer: "promptly" of PIPL 45–50 as working days.
WORKING_DAYS = 15
#: A copy can be fetched for so long.
KEEP_DAYS = 30
COPY = Path(__file__).parent / "templates/privacy/copy.typ"
ASSESSMENT_YEARS = 3


# ---------------------------------------------------------------- asking
@service("privacy.ask")
def ask(*, actor: Actor, person_id: int, kind: str, details: str = "", field: str = "", wanted: str = "",
        now: datetime | None = None) -> Request:  # fmt: skip
    """The elder or a relative who sees the elder asks. Raises NotVisible, Invalid, Refused("privacy.asked")."""
    channel = Channel.SELF if actor.role == "elder" else Channel.FAMILY
    return _ask(actor, person_id, kind, channel, actor.name, details, field, wanted, None, now)


@service("privacy.handle")
def enter_paper(*, actor: Actor, person_id: int, kind: str, asked_name: str, details: str = "", field: str = "",
                wanted: str = "", evidence_id: int | None = None, now: datetime | None = None) -> Request:  # fmt: skip
    """Staff enter what was asked on paper or at the counter. Raises as ``ask``."""
    if not asked_name.strip():
        raise Invalid({"asked_name": [_("Say who asked.")]})
    return _ask(actor, person_id, kind, Channel.PAPER, asked_name.strip(), details, field, wanted, evidence_id, now)


def _ask(actor, person_id, kind, channel, name, details, field, wanted, evidence_id, now) -> Request:
    now = now or timezone.now()
    person = people.get_person(actor, person_id)
    if kind not in Kind.values:
        raise Invalid({"kind": [_("Choose what you ask for.")]})
    correction = kind == Kind.CORRECTION
    if correction and field not in CORRECTABLE:
        raise Invalid({"field": [_("Choose what is wrong.")]})
    if correction and not wanted.strip():
        raise Invalid({"wanted": [_("Say what it should be.")]})
    row = Request(
        person=person, path=person.path, kind=kind, channel=channel, asked_name=name[:50],
        asked_id=actor.subject_id if actor.audience is Audience.FAMILY else None,
        details=details.strip()[:500], field=field if correction else "", evidence_id=evidence_id,
        shown=written(person, field) if correction else "", wanted=wanted.strip()[:200] if correction else "",
        received_at=now, due_on=calendar.add_working_days(timezone.localdate(now), WORKING_DAYS),
    )  # fmt: skip
    try:
        with transaction.atomic():
            return REQUEST_FLOW.begin(actor=actor, row=row, action="ask", now=now)
    except IntegrityError as error:
        if "privacy_request_open_once" not in str(error):
            raise
        raise Refused(_("This has been asked already and is being worked on."), code="privacy.asked") from error


@service("privacy.ask")
def withdraw(*, actor: Actor, request_id: int, now: datetime | None = None) -> Request:
    """Whoever asked takes the request back."""
    row = REQUEST_FLOW.lock(Request.objects.all(), request_id)
    REQUEST_FLOW.require(row, Action.WITHDRAW)
    with as_system("a relative writes a row of the region's queue"):
        return REQUEST_FLOW.apply(
            actor=actor, queryset=Request.objects.all(), pk=row.pk, action=Action.WITHDRAW, now=now
        )


# ---------------------------------------------------------------- working
@service("privacy.handle")
def take(*, actor: Actor, request_id: int, account_id: int | None = None, now: datetime | None = None) -> Request:
    """Take the request on, or give it to a colleague of the area (``account_id``). Raises NotVisible, Refused."""
    chosen = account_id or actor.account_id
    if account_id and account_id not in {a.pk for a in accounts.colleagues(actor)}:
        raise NotVisible
    return REQUEST_FLOW.apply(
        actor=actor, queryset=Request.objects.all(), pk=request_id, action=Action.TAKE, now=now,
        changes={"assigned_id": chosen},
    )  # fmt: skip


@service("privacy.handle")
def refuse(*, actor: Actor, request_id: int, reason: str, now: datetime | None = None) -> Request:
    """Answer with no, and why; the answer names where to complain. Raises Invalid, Refused."""
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    return REQUEST_FLOW.apply(
        actor=actor, queryset=Request.objects.all(), pk=request_id, action=Action.REFUSE, now=now,
        reason=reason.strip(), changes={"answer": reason.strip()[:500]},
    )  # fmt: skip


@service("privacy.handle")
def give_copy(*, actor: Actor, request_id: int, answer: str = "", now: datetime | None = None) -> Request:
    """Make PDF and JSON of everything held and answer with them. The making is itself a logged read. Raises Refused."""
    now = now or timezone.now()
    row = _open(request_id, Kind.ACCESS, Kind.COPY)
    person = people.get_person(actor, row.person_id)
    with as_system("the copy has what every room holds"):
        found = held.collect(person, now)
    log_read(actor=actor, what="copy", objects=[person], purpose=f"{row.get_kind_display()} {row.pk}")
    name = _("Data of %(name)s") % {"name": person.name}
    common = {"owner": row, "keep_days": KEEP_DAYS, "now": now}
    paper = files.save(actor, title=f"{name}.pdf", content_type="application/pdf", data=_pdf(found), **common)
    text = json.dumps(found.as_json(), ensure_ascii=False, indent=1).encode()
    data = files.save(actor, title=f"{name}.json", content_type="application/json", data=text, **common)
    return _answer(actor, row, answer or _("The copy is ready."), now, paper_id=paper.pk, data_id=data.pk)


def _pdf(found: held.Held) -> bytes:
    words = {
        "title": _("What is kept about %(name)s") % {"name": found.name},
        "made": f"{timezone.localtime(found.made_at):%Y-%m-%d %H:%M}",
        "reads": _("Who looked at the record"), "none": _("Nobody has looked at sealed data."), "rows": _("rows"),
        "columns": [_("Time"), _("Who"), _("What"), _("Purpose")],
        "withheld": _("Not printed:"),
    }  # fmt: skip
    sections = [
        {"title": s.title, "count": s.count, "withheld": s.withheld, "rows": [[list(p) for p in r] for r in s.rows]}
        for s in found.sections
    ]
    return printing.pdf(COPY, {"words": words, "sections": sections, "reads": [list(r) for r in found.reads]})


@service("privacy.handle")
def correct(*, actor: Actor, request_id: int, answer: str = "", now: datetime | None = None) -> Request:
    """Approve a correction: the people room applies it in the same transaction, under its own rules and permission.

    Raises Refused("privacy.stale") when what stands there is no longer what was shown, Invalid for a value the room
    does not take, Forbidden without the right to edit.
    """
    now = now or timezone.now()
    row = _open(request_id, Kind.CORRECTION)
    person = people.get_person(actor, row.person_id)
    if written(person, row.field) != (row.shown or ""):
        raise Refused(
            _("The record has changed since the request. Look at it again and refuse or ask anew."),
            code="privacy.stale",
        )
    people_services.update_basic(
        actor=actor, person_id=row.person_id, changes={row.field: CORRECTABLE[row.field].read(row.wanted)},
        reason=_("Correction request %(id)d") % {"id": row.pk}, today=timezone.localdate(now),
    )  # fmt: skip
    return _answer(actor, row, answer or _("Corrected as asked."), now)


@service("privacy.erase")
def erase(*, actor: Actor, request_id: int, answer: str = "", now: datetime | None = None) -> Request:
    """Delete what no statute keeps (retention.yaml), also in the history; withdraw consents; restrict the rest.

    Raises Refused("privacy.open_work") with what still runs for the person.
    """
    now = now or timezone.now()
    row = _open(request_id, Kind.DELETION)
    person = people.get_person(actor, row.person_id)
    with as_system("open work of all rooms"):
        against = reasons_against(row.person_id)
    if against:
        raise Refused(
            _("This cannot be deleted yet: %(what)s.") % {"what": "；".join(against)}, code="privacy.open_work"
        )
    reason = _("Deletion request %(id)d") % {"id": row.pk}
    for consent in person.consents.filter(withdrawn_on__isnull=True):
        day = max(timezone.localdate(now), consent.given_on)
        people_services.withdraw_consent(actor=actor, consent_id=consent.pk, withdrawn_on=day, reason=reason, today=day)
    say_why(reason)
    with as_system("a deletion reaches all rows about the person, and their history"):
        cleared = [part for label, rule in rules.retention().items() for part in _clear(label, rule, row.person_id)]
        Restriction.objects.get_or_create(
            person_id=row.person_id, defaults={"path": row.path, "request": row, "since": now, "cleared": cleared}
        )
    people_services.restrict(actor=actor, person_id=row.person_id, reason=reason, now=now)
    return _answer(
        actor, row, answer or _("Deleted: %(n)d fields. The rest is kept by statute and restricted.") % {"n": len(cleared)}, now
    )  # fmt: skip


@service("privacy.erase")
def lift(*, actor: Actor, request_id: int, reason: str) -> None:
    """Open a restricted file again: the person wants services again, or the deletion was asked by the wrong one.

    What was cleared stays cleared. Raises NotVisible, Invalid without a reason, Refused("privacy.not_restricted").
    """
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    row = Request.objects.filter(pk=request_id).first()
    if row is None:
        raise NotVisible
    found = Restriction.objects.select_for_update().filter(person_id=row.person_id).first()
    if found is None:
        raise Refused(_("The data of this person are not restricted."), code="privacy.not_restricted")
    people_services.lift_restriction(actor=actor, person_id=row.person_id, reason=reason.strip())
    found.delete()


def _clear(label: str, rule: rules.Retention, person_id: int) -> list[str]:
    """Empty the fields of ``rule`` in the rows of ``label`` about the person; answers "label.field" of those that had values."""
    model = apps.get_model(label)
    rows = next((found for m, found in rows_about(held.PERSON, person_id) if m is model), None)
    if rows is None:
        return []
    ids = list(rows.values_list("pk", flat=True))
    empty: dict[str, Any] = {}
    for name in rule.clear:
        field = model._meta.get_field(name)
        empty[field.attname] = None if field.null and not isinstance(field, EncryptedTextField) else ""
        if isinstance(field, EncryptedTextField):
            empty |= dict.fromkeys(field.indexes)
    before = list(model._default_manager.filter(pk__in=ids).values_list(*rule.clear))
    model._default_manager.filter(pk__in=ids).update(**empty)
    held.forget_in_history(model._meta.db_table, ids, list(empty))
    return [f"{label}.{name}" for at, name in enumerate(rule.clear) if any(values[at] for values in before)]


def _open(request_id: int, *kinds: Kind) -> Request:
    row = REQUEST_FLOW.lock(Request.objects.all(), request_id)
    if row.kind not in kinds:
        raise Refused(_("This request asks for something else."), code="privacy.kind")
    REQUEST_FLOW.require(row, Action.ANSWER)
    return row


def _answer(actor: Actor, row: Request, answer: str, now: datetime, **changes: Any) -> Request:
    return REQUEST_FLOW.apply(
        actor=actor, queryset=Request.objects.all(), pk=row.pk, row=row, action=Action.ANSWER, now=now,
        changes={"answer": answer[:500], **changes},
    )  # fmt: skip


# ---------------------------------------------------------------- registers
def _area(actor: Actor, region_id: int):
    region = regions.region(region_id)
    if not region.path.startswith(actor.path):
        raise NotVisible
    return region


@service("privacy.registers")
def record_incident(*, actor: Actor, incident_id: int | None = None, region_id: int, **fields: Any) -> Incident:
    """Enter an incident or bring it up to date. Raises NotVisible, Invalid (days), Refused when it is closed."""
    region = _area(actor, region_id)
    row = Incident.objects.select_for_update().filter(pk=incident_id).first() if incident_id else Incident()
    if row is None:
        raise NotVisible
    if row.closed_on:
        raise Refused(_("The incident is closed."), code="privacy.closed")
    row.region, row.path, row.recorded_by = region, region.path, actor.name
    for name, value in fields.items():
        setattr(row, name, value)
    if row.found_on < row.happened_on:
        raise Invalid({"found_on": [_("It cannot be found before it happened.")]})
    if row.closed_on and not row.told_authority_on:
        raise Invalid({"told_authority_on": [_("Tell the authority before closing (PIPL 57).")]})
    row.save()
    return row


@service("privacy.registers")
def record_assessment(*, actor: Actor, region_id: int, done_on: date, **fields: Any) -> Assessment:
    """Enter an impact assessment; kept three years. Raises NotVisible."""
    region = _area(actor, region_id)
    keep = date(done_on.year + ASSESSMENT_YEARS, done_on.month, min(done_on.day, 28))
    return Assessment.objects.create(region=region, path=region.path, done_on=done_on, keep_until=keep, **fields)
