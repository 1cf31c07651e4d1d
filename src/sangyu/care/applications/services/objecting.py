"""Objection and appeal: a second look that can change the result (R-029)."""

from datetime import date, datetime

from django.db import transaction
from django.db.utils import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import calendar
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.numbering import next_number
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people

from .. import bodies, offers
from ..enums import Action, Channel, ObjectionAction, ObjectionState, State
from ..models import Application, Objection
from ..workflow import APPLICATION_FLOW, OBJECTION_FLOW
from .applying import about, channel_for_body, channel_of, require_decision

#: Working days for the answer; days in which an appeal may be made.
WORKING_DAYS = 15
APPEAL_DAYS = 60


@service("applications.apply")
def object_to(
    *, actor: Actor, person_id: int, text: str, application_id: int | None = None, policy_code: str = "",
    month: date | None = None, now: datetime | None = None,
) -> Objection:  # fmt: skip
    """Object to a refused application, or to what a policy gave or did not give in a month.

    Raises NotVisible, Invalid (no reason given), Refused: "applications.not_refused", "applications.unknown",
    "applications.objected" (one is open).
    """
    now = now or timezone.now()
    person = people.get_person(actor, person_id)
    offer = offers.offer(person.path, policy_code, month or timezone.localdate(now)) if policy_code else None
    return _object(
        actor, offer, text, application_id, month, now, code=person.region.code[:6], channel=channel_of(actor), person=person,
        path=person.path,
    )  # fmt: skip


@service("applications.apply")
def object_for_body(
    *, actor: Actor, body_kind: str, body_id: int, text: str, application_id: int | None = None, policy_code: str = "",
    month: date | None = None, now: datetime | None = None,
) -> Objection:  # fmt: skip
    """Object for a facility, an organisation or a worker: the provider for its own, an office for those of its area. Raises as
    ``object_to``.
    """
    now = now or timezone.now()
    body = bodies.acted_for(actor, body_kind, body_id)
    day = month or timezone.localdate(now)
    offer = next((o for o in bodies.concerned(body, day) if o.code == policy_code), None)
    return _object(
        actor, offer, text, application_id, month, now, code=body.code, channel=channel_for_body(actor), **bodies.fields(body)
    )  # fmt: skip


@service("applications.apply")
def object_to_refusal(*, actor: Actor, application_id: int, text: str, now: datetime | None = None) -> Objection:
    """Object to a refused application for whoever applied. Raises as ``object_to``."""
    row = Application.objects.visible_to(actor).filter(pk=application_id).first()
    if row is None:
        raise NotVisible
    given = {"actor": actor, "application_id": row.pk, "text": text, "now": now}
    if row.person_id:
        return object_to(person_id=row.person_id, **given)
    return object_for_body(body_kind=row.body_kind, body_id=row.body_id, **given)


def _object(
    actor: Actor, offer: offers.Offer | None, text: str, application_id: int | None, month: date | None, now: datetime, *,
    code: str, channel: Channel, **subject,
) -> Objection:  # fmt: skip
    today = timezone.localdate(now)
    if not text.strip():
        raise Invalid({"text": [_("Say why.")]})
    application = None
    if application_id is not None:
        own = {k: v for k, v in subject.items() if k in ("person", "body_kind", "body_id")}
        application = APPLICATION_FLOW.lock(Application.objects.visible_to(actor).filter(**own), application_id)
        if application.state != State.REFUSED:
            raise Refused(_("This application was not refused."), code="applications.not_refused")
        policy, name = application.policy_code, application.policy_name
    elif offer is None:
        raise Refused(_("There is no such policy in this area on that day."), code="applications.unknown")
    else:
        policy, name = offer.code, offer.name
    row = Objection(
        number=next_number("YY", today, code), **subject, application=application, policy_code=policy, policy_name=name,
        month=month and month.replace(day=1), channel=channel, applicant=actor.name[:100], applicant_id=actor.account_id,
        text=text.strip()[:500], made_at=now, due_on=calendar.add_working_days(today, WORKING_DAYS),
    )  # fmt: skip
    try:
        with transaction.atomic():
            return OBJECTION_FLOW.begin(actor=actor, row=row, action=ObjectionAction.OBJECT, now=now)
    except IntegrityError as error:
        if "objection_one_open" in str(error):
            raise Refused(
                _("You objected to this already; it is being worked on."), code="applications.objected"
            ) from None
        raise


@service("applications.answer")
def answer_objection(
    *, actor: Actor, objection_id: int, agree: bool, reason: str, approved_from: date | None = None,
    now: datetime | None = None,
) -> Objection:  # fmt: skip
    """Answer an objection or an appeal. Agreeing approves the refused application in the same transaction (from
    ``approved_from``, default the day it was handed in); a month is computed again by the region's next run, however long ago it was.

    Raises NotVisible, Invalid (no reason), Refused ("applications.four_eyes", "applications.step", "applications.undecided" when
    the policy leaves the amount to a decision, "workflow.*").
    """
    row = OBJECTION_FLOW.lock(Objection.objects.visible_to(actor), objection_id)
    appealed = row.state == ObjectionState.APPEALED
    row = OBJECTION_FLOW.apply(
        actor=actor, queryset=Objection.objects.all(), pk=row.pk, row=row, now=now, reason=reason.strip(),
        action=ObjectionAction.UPHOLD if agree else ObjectionAction.REJECT,
        changes={"appeal_answer" if appealed else "answer": reason.strip()[:500], "answered_path": actor.path,
                 "answered_id": actor.account_id, "answered_by": actor.name[:100]},
        data=about(row, month=row.month.isoformat() if row.month else ""),
    )  # fmt: skip
    if agree and row.application_id:
        application = APPLICATION_FLOW.lock(Application.objects.all(), row.application_id)
        require_decision(application)
        APPLICATION_FLOW.apply(
            actor=actor, queryset=Application.objects.all(), pk=application.pk, row=application, now=now,
            reason=reason.strip(), action=Action.OVERTURN,
            changes={"approved_from": approved_from or application.applied_on, "answer": reason.strip()[:500]},
            data=about(row, objection=row.pk),
        )  # fmt: skip
    return row


@service("applications.apply")
def appeal(*, actor: Actor, objection_id: int, text: str, now: datetime | None = None) -> Objection:
    """Do not accept the answer: the level above answers. Raises NotVisible, Invalid, Refused ("applications.too_late")."""
    now = now or timezone.now()
    row = OBJECTION_FLOW.lock(Objection.objects.visible_to(actor), objection_id)
    if not text.strip():
        raise Invalid({"text": [_("Say why.")]})
    answered = row.trail.filter(action=ObjectionAction.REJECT).order_by("-id").values_list("at", flat=True).first()
    if answered and (timezone.localdate(now) - timezone.localdate(answered)).days > APPEAL_DAYS:
        raise Refused(_("An appeal is possible within %(n)s days.") % {"n": APPEAL_DAYS}, code="applications.too_late")
    return OBJECTION_FLOW.apply(
        actor=actor, queryset=Objection.objects.all(), pk=row.pk, row=row, now=now, action=ObjectionAction.APPEAL,
        changes={
            "appeal": text.strip()[:500],
            "due_on": calendar.add_working_days(timezone.localdate(now), WORKING_DAYS),
        },
    )  # fmt: skip


@service("applications.apply")
def withdraw_objection(*, actor: Actor, objection_id: int, now: datetime | None = None) -> Objection:
    """Take an objection back; a relative only their own."""
    row = OBJECTION_FLOW.lock(Objection.objects.visible_to(actor), objection_id)
    if actor.audience is Audience.FAMILY and row.applicant_id != actor.account_id and actor.role != "elder":
        raise Forbidden("applications.apply")
    return OBJECTION_FLOW.apply(
        actor=actor, queryset=Objection.objects.all(), pk=row.pk, row=row, now=now, action=ObjectionAction.WITHDRAW
    )
