"""From the application to two assessors with a day (R-029, R-030, R-033)."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.db.utils import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.numbering import next_number
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people

from .. import events
from ..enums import Action, DueReason, Reason, State
from ..instruments import ABILITY
from ..models import Assessment, Assessor, Commission
from ._shared import FLOW, hide_person, seen, show_person, step
from .registers import use_version


@service("assessments.apply")
def apply(
    *,
    actor: Actor,
    person_id: int,
    reason: str,
    instrument: str = ABILITY,
    note: str = "",
    now: datetime | None = None,
) -> Assessment:
    """Ask for an assessment of a person of the actor's area by the scale ``instrument``.

    Raises NotVisible, Invalid, Refused ("people.dead", "assessments.open", "assessments.history").
    """
    if reason not in (Reason.FIRST, Reason.REGULAR, Reason.CHANGE, Reason.DEMAND, Reason.OTHER):
        raise Invalid({"reason": [_("Choose one of the options.")]})
    return open_new(actor, person_id, instrument, reason, note=note, now=now)


def open_new(
    actor: Actor,
    person_id: int,
    instrument: str,
    reason: str,
    *,
    note: str = "",
    previous: Assessment | None = None,
    now: datetime | None = None,
) -> Assessment:
    """Insert an assessment in the state applied; ``previous`` is the result that it doubts or is compared with."""
    now = now or timezone.now()
    person = people.get_person(actor, person_id)
    if person.died_on is not None:
        raise Refused(_("The person has died."), code="people.dead")
    version = previous.version if previous is not None else use_version(instrument)
    if previous is None and version.instrument.purpose == "history":
        raise Refused(_("This scale is kept for imported results only."), code="assessments.history")
    row = Assessment(
        path=person.path, person_id=person.pk, person_name=person.name, version=version, reason=reason, note=note.strip(), applied_at=now,
        applied_by=actor.name, account_id=actor.account_id, previous=previous, state=State.APPLIED,
        number=next_number("PG", timezone.localdate(now), person.region.code[:6]),
    )  # fmt: skip
    try:
        with transaction.atomic():
            FLOW.begin(actor=actor, row=row, action=Action.APPLY, now=now)
    except IntegrityError as error:
        if "assessment_one_open" in str(error):
            raise Refused(_("An assessment of this person is under way already."), code="assessments.open") from None
        raise
    return row


@service("assessments.assign")
def assign(
    *,
    actor: Actor,
    assessment_id: int,
    lead_id: int,
    second_id: int | None = None,
    planned_on: date | None = None,
    commission_id: int | None = None,
    now: datetime | None = None,
) -> Assessment:
    """Send two assessors, of the own staff or of a body with a commission that has room left (R-033).

    Raises NotVisible, Invalid, Refused ("assessments.quota", "assessments.same_people", "workflow.edge").
    """
    now = now or timezone.now()
    row = seen(assessment_id)
    day = planned_on or timezone.localdate(now)
    commission = _commission(row, commission_id, day)
    pair = _pair(row, commission, lead_id, second_id, day)
    changes = {
        "lead": pair[0], "second": pair[1] if len(pair) > 1 else None, "planned_on": planned_on,
        "commission": commission, "body_id": commission.body_id if commission else None,
        "fee": commission.fee if commission else 0,
    }  # fmt: skip
    done = step(actor, assessment_id, Action.ASSIGN, now, changes=changes)
    show_person(done)
    return done


def _commission(row: Assessment, commission_id: int | None, day: date) -> Commission | None:
    """The locked commission with room left."""
    if commission_id is None:
        return None
    found = Commission.objects.select_for_update(of=("self",)).filter(pk=commission_id).first()
    if found is None or not row.path.startswith(found.path):
        raise NotVisible
    if not found.valid_from <= day < found.valid_to:
        raise Refused(_("The contract does not hold on that day."), code="assessments.contract")
    used = found.assessments.exclude(state__in=[State.WITHDRAWN, State.REFUSED]).exclude(pk=row.pk).count()
    if used >= found.quota:
        raise Refused(
            _("The contract is used up: %(n)d assessments were bought.") % {"n": found.quota}, code="assessments.quota"
        )
    if row.reason == Reason.SAMPLE and row.previous.body_id == found.body_id:
        raise Refused(_("A sample is assessed by others than the body it checks."), code="assessments.same_people")
    return found


def _pair(
    row: Assessment, commission: Commission | None, lead_id: int, second_id: int | None, day: date
) -> list[Assessor]:
    """The assessors in order; checked against the scale's rule and the earlier result."""
    ids = [i for i in (lead_id, second_id) if i]
    if len(ids) != len(set(ids)):
        raise Invalid({"second_id": [_("Two different assessors are needed.")]})
    instrument = row.version.instrument
    if len(ids) < instrument.assessors:
        raise Invalid({"second_id": [_("This scale needs two assessors in the home.")]})
    found = {a.pk: a for a in Assessor.objects.filter(pk__in=ids)}
    if set(found) != set(ids):
        raise NotVisible
    pair = [found[i] for i in ids]
    for key, one in zip(("lead_id", "second_id"), pair, strict=False):
        if one.body_id != (commission.body_id if commission else None):
            raise Invalid({key: [_("%(name)s belongs to another body.") % {"name": one.name}]})
        if day < one.valid_from or (one.valid_to is not None and day >= one.valid_to):
            raise Invalid({key: [_("%(name)s is no assessor on that day.") % {"name": one.name}]})
    if sum(a.qualified for a in pair) < instrument.qualified:
        raise Invalid({"second_id": [_("At least one assessor needs a background in care or medicine.")]})
    if row.previous_id and {row.previous.lead_id, row.previous.second_id} & set(ids):
        raise Refused(_("Others than the first time must assess again."), code="assessments.same_people")
    return pair


_UNASSIGNED = {
    "lead": None, "second": None, "planned_on": None, "assigned_at": None, "commission": None, "body": None, "fee": 0,
}  # fmt: skip


@service("assessments.assign")
def take_back(*, actor: Actor, assessment_id: int, reason: str, now: datetime | None = None) -> Assessment:
    """The assessors do not go; somebody else is sent. The quota is free again."""
    row = seen(assessment_id)
    body = row.body_id
    done = step(actor, assessment_id, Action.TAKE_BACK, now, reason=_said(reason), changes=dict(_UNASSIGNED))
    hide_person(done, body)
    return done


@service("assessments.assign")
def refuse(*, actor: Actor, assessment_id: int, reason: str, now: datetime | None = None) -> Assessment:
    """Say no to an application, and why."""
    return step(actor, assessment_id, Action.REFUSE, now, reason=_said(reason))


@service("assessments.apply")
def withdraw(*, actor: Actor, assessment_id: int, reason: str, now: datetime | None = None) -> Assessment:
    """The person takes the application back before the visit."""
    row = seen(assessment_id)
    body = row.body_id
    done = step(actor, assessment_id, Action.WITHDRAW, now, reason=_said(reason), changes=dict(_UNASSIGNED))
    hide_person(done, body)
    return done


def _said(reason: str) -> str:
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    return reason.strip()[:300]


@service("assessments.apply")
def mark_due(*, actor: Actor, person_id: int, on: date, reason: str = DueReason.CHANGE) -> int:
    """The state of a person changed: its present results are due from ``on``. Answers how many."""
    rows = Assessment.objects.select_for_update(of=("self",)).filter(person_id=person_id, current=True)
    rows = list(rows.filter(Q(due_on__isnull=True) | Q(due_on__gt=on)))
    for row in rows:
        row.due_on, row.due_reason = on, reason
        row.save(update_fields=["due_on", "due_reason"])
        emit(events.DUE, path=row.path, id=row.pk, person=row.person_id, reason=str(reason))
    return len(rows)
