"""From the application to the decision (R-029, R-038 … R-052)."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.utils import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import calendar, files
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, Refused
from sangyu.kernel.numbering import next_number
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people

from .. import bodies, offers, panels
from ..enums import Action, Channel, Step
from ..models import Application, ApplicationPaper, Objection, PanelDecision
from ..offers import decision_bounds
from ..panels import Member
from ..workflow import APPLICATION_FLOW

#: Working days in which a step is taken.
WORKING_DAYS = 20


def channel_of(actor: Actor) -> Channel:
    """Who hands something in."""
    if actor.audience is Audience.FAMILY:
        return Channel.SELF if actor.role == "elder" else Channel.FAMILY
    return Channel.COMMUNITY


def channel_for_body(actor: Actor) -> Channel:
    """Who hands something in for a body."""
    return Channel.PROVIDER if actor.audience is Audience.PROVIDER else Channel.OFFICE


@service("applications.apply")
def apply(
    *, actor: Actor, person_id: int, policy_code: str, text: str = "", applied_on: date | None = None,
    now: datetime | None = None,
) -> Application:  # fmt: skip
    """Hand in an application of the person for a policy of their region that is given on application.

    Raises NotVisible (person), Refused: "applications.unknown" (no such policy there), "applications.automatic" (it needs no
    application), "applications.window" (outside its windows), "applications.dead", "applications.open" (one is open or approved).
    """
    now = now or timezone.now()
    today = timezone.localdate(now)
    applied_on = applied_on or today
    person = people.get_person(actor, person_id)
    people.refuse_restricted(person)
    if person.died_on is not None:
        raise Refused(_("The person has died."), code="applications.dead")
    if applied_on > today:
        raise Invalid({"applied_on": [_("The day lies in the future.")]})
    return _hand_in(
        actor, offers.offer(person.path, policy_code, applied_on), applied_on, text, now, code=person.region.code[:6],
        channel=channel_of(actor), person=person, path=person.path,
    )  # fmt: skip


@service("applications.apply")
def apply_for_body(
    *, actor: Actor, body_kind: str, body_id: int, policy_code: str, text: str = "", applied_on: date | None = None,
    now: datetime | None = None,
) -> Application:  # fmt: skip
    """Hand in an application of a facility, an organisation or a worker (R-057 … R-061): by the provider for its own, by an
    office for those of its area. Raises as ``apply``.
    """
    now = now or timezone.now()
    applied_on = applied_on or timezone.localdate(now)
    body = bodies.acted_for(actor, body_kind, body_id)
    if applied_on > timezone.localdate(now):
        raise Invalid({"applied_on": [_("The day lies in the future.")]})
    offer = next((o for o in bodies.offered(body, applied_on) if o.code == policy_code), None)
    return _hand_in(
        actor, offer, applied_on, text, now, code=body.code, channel=channel_for_body(actor), **bodies.fields(body)
    )


def _hand_in(
    actor: Actor, offer: offers.Offer | None, applied_on: date, text: str, now: datetime, *, code: str, channel: Channel, **subject
) -> Application:  # fmt: skip
    today = timezone.localdate(now)
    if offer is None:
        raise Refused(_("There is no such policy in this area on that day."), code="applications.unknown")
    if not offer.on_application:
        raise Refused(_("“%(name)s” needs no application.") % {"name": offer.name}, code="applications.automatic")
    if not offer.open_on(applied_on):
        raise Refused(
            _("Applications for “%(name)s” are taken %(windows)s.")
            % {"name": offer.name, "windows": offer.windows_text},
            code="applications.window",
        )
    row = Application(
        number=next_number("SQ", today, code), **subject,
        policy_code=offer.code, policy_name=offer.name, version_id=offer.version_id, channel=channel,
        applicant=actor.name[:100], applicant_id=actor.account_id, applied_on=applied_on, text=text.strip()[:500],
        asked=list(offer.evidence), steps=[Step(s).value for s in offer.review] or [Step.COUNTY.value], submitted_at=now,
        due_on=calendar.add_working_days(today, WORKING_DAYS),
    )  # fmt: skip
    with as_system("an application that is open or approved is one, whoever handed it in"):
        own = {k: v for k, v in subject.items() if k in ("person", "body_kind", "body_id")}
        same = Application.objects.filter(**own, policy_code=offer.code, state="approved").first()
    if same is not None:
        raise Refused(
            _("“%(name)s” was approved already, from %(day)s.") % {"name": offer.name, "day": same.approved_from},
            code="applications.open",
        )
    try:
        with transaction.atomic():
            return APPLICATION_FLOW.begin(actor=actor, row=row, action=Action.SUBMIT, now=now)
    except IntegrityError as error:
        if "application_one_open" in str(error):
            raise Refused(
                _("An application for “%(name)s” is being worked on.") % {"name": offer.name}, code="applications.open"
            ) from None
        raise


@service("applications.apply")
def add_paper(*, actor: Actor, application_id: int, asked: str, file, now: datetime | None = None) -> ApplicationPaper:
    """Add one piece of evidence that the policy asks for. Raises NotVisible, Invalid, Refused when decided already."""
    row = APPLICATION_FLOW.lock(Application.objects.visible_to(actor), application_id)
    APPLICATION_FLOW.require(row, Action.WITHDRAW)
    if row.asked and asked not in row.asked:
        raise Invalid({"asked": [_("Choose one of the options.")]})
    stored = files.save(
        actor, title=file.name, content_type=file.content_type, stream=file, owner=row, photo=False, now=now
    )
    with as_system("a relative adds to a row of the region's queue"):
        return ApplicationPaper.objects.create(
            application=row, asked=asked[:100], file=stored, added_at=now or timezone.now(), actor=actor.name
        )


@service("applications.review")
def approve_step(
    *, actor: Actor, application_id: int, reason: str = "", approved_from: date | None = None, expect: int | None = None,
    now: datetime | None = None,
) -> Application:  # fmt: skip
    """Take the step that waits: pass on, or with the last step approve; the entitlement holds from ``approved_from``
    (default: the day of the application).

    ``expect`` is the number of steps that the page showed as done. Raises NotVisible, Refused ("applications.step",
    "applications.four_eyes", "applications.evidence" when asked papers are missing at the first step, "workflow.*").
    """
    row = _lock(actor, application_id)
    if expect is not None and expect != row.done:
        raise Refused(
            _("Somebody else changed this in the meantime. Reload to see the current state."), code="workflow.stale"
        )
    missing = _missing(row)
    last = row.done + 1 >= len(row.steps)
    if missing and last:
        raise Refused(
            _("These papers are missing: %(papers)s.") % {"papers": "、".join(missing)}, code="applications.evidence"
        )
    step, changes = row.next_step, {"done": row.done + 1}
    if last:
        require_decision(row)
        changes |= {"approved_from": approved_from or row.applied_on, "answer": reason.strip()}
    return APPLICATION_FLOW.apply(
        actor=actor, queryset=Application.objects.all(), pk=row.pk, row=row, now=now, reason=reason.strip(),
        action=Action.APPROVE if last else Action.PASS, changes=changes, data=about(row, step=step),
    )  # fmt: skip


@service("applications.review")
def decide(
    *, actor: Actor, application_id: int, amount: int, document: str, held_on: date | None = None,
    members: Sequence[Member] = (), file=None, now: datetime | None = None,
) -> Application:  # fmt: skip
    """Write down what a panel or office decided, in fen, with the document of it (R-057). Who writes it down does not take the
    last step. It may be corrected until the application is approved; of a refused one while an objection waits for its answer.

    Where the policy names a panel, its day and ``members`` with their votes are kept, with the minutes as a ``file`` or without.
    Raises Refused("applications.no_decision") when the policy itself says the amount, Invalid outside its bounds and when the
    panel does not carry the decision.
    """
    now = now or timezone.now()
    row = _lock(actor, application_id)
    bounds = decision_bounds(row)
    if bounds is None:
        raise Refused(_("The policy itself says the amount."), code="applications.no_decision")
    errors = {}
    if not bounds[0] <= amount <= bounds[1]:
        errors["amount"] = [
            _("The policy allows %(least)s to %(most)s yuan.") % {"least": bounds[0] // 100, "most": bounds[1] // 100}
        ]
    if not document.strip():
        errors["document"] = [_("Name the minutes or the document of the decision.")]
    panel = panels.asked(row)
    if panel and (held_on is None or not row.applied_on <= held_on <= timezone.localdate(now)):
        errors["held_on"] = [_("A panel decides after the application and not in the future.")]
    if errors:
        raise Invalid(errors)
    if panel:
        panels.require_carried(members)
    document = document.strip()[:100]
    row = APPLICATION_FLOW.apply(
        actor=actor, queryset=Application.objects.all(), pk=row.pk, row=row, now=now, reason=document, action=Action.DECIDE,
        changes={"decided_amount": amount, "decided_document": document, "decided_at": row.decided_at},
        data=about(row, amount=amount),
    )  # fmt: skip
    if panel:
        kept = file and files.save(
            actor, title=file.name, content_type=file.content_type, stream=file, owner=row, now=now
        )
        PanelDecision.objects.create(
            application=row, held_on=held_on, amount=amount, document=document, file=kept or None, made_at=now,
            members=[m._asdict() for m in members], actor=actor.name[:100],
        )  # fmt: skip
    return row


@service("applications.review")
def refuse(*, actor: Actor, application_id: int, reason: str, now: datetime | None = None) -> Application:
    """Refuse with the reason that the applicant reads. Raises NotVisible, Invalid, Refused."""
    row = _lock(actor, application_id)
    return APPLICATION_FLOW.apply(
        actor=actor, queryset=Application.objects.all(), pk=row.pk, row=row, now=now, reason=reason.strip(),
        action=Action.REFUSE, changes={"answer": reason.strip()}, data=about(row, step=row.next_step),
    )  # fmt: skip


@service("applications.apply")
def withdraw(*, actor: Actor, application_id: int, reason: str = "", now: datetime | None = None) -> Application:
    """Take an application back. A relative takes back only their own. Raises NotVisible, Forbidden, Refused."""
    row = APPLICATION_FLOW.lock(Application.objects.visible_to(actor), application_id)
    if actor.audience is Audience.FAMILY and row.applicant_id != actor.account_id and actor.role != "elder":
        raise Forbidden("applications.apply")
    return APPLICATION_FLOW.apply(
        actor=actor, queryset=Application.objects.all(), pk=row.pk, row=row, now=now, reason=reason.strip(),
        action=Action.WITHDRAW,
    )  # fmt: skip


def require_decision(row: Application) -> None:
    """Raises Refused("applications.undecided") while nobody has decided the amount that the policy leaves open."""
    if row.decided_amount is None and (bounds := decision_bounds(row)):
        raise Refused(
            _("The policy leaves the amount to a decision: decide it first, between %(least)s and %(most)s yuan.")
            % {"least": bounds[0] // 100, "most": bounds[1] // 100},
            code="applications.undecided",
        )


def _lock(actor: Actor, application_id: int) -> Application:
    return APPLICATION_FLOW.lock(Application.objects.visible_to(actor), application_id)


def _missing(row: Application) -> list[str]:
    given = set(row.papers.values_list("asked", flat=True))
    return [a for a in row.asked if a not in given]


def about(row: Application | Objection, **more) -> dict:
    return {"person": row.person_id, "body": [row.body_kind, row.body_id], "policy": row.policy_code, **more}
