"""From the application to the decision (R-029, R-038 … R-052)."""

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

from .. import offers
from ..enums import Action, Channel, Step
from ..models import Application, ApplicationPaper
from ..workflow import APPLICATION_FLOW

#: Working days in which a step is taken.
WORKING_DAYS = 20


def channel_of(actor: Actor) -> Channel:
    """Who hands something in."""
    if actor.audience is Audience.FAMILY:
        return Channel.SELF if actor.role == "elder" else Channel.FAMILY
    return Channel.COMMUNITY


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
    offer = offers.offer(person.path, policy_code, applied_on)
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
        number=next_number("SQ", today, person.region.code[:6]), person=person, path=person.path,
        policy_code=offer.code, policy_name=offer.name, version_id=offer.version_id, channel=channel_of(actor),
        applicant=actor.name[:100], applicant_id=actor.account_id, applied_on=applied_on, text=text.strip()[:500],
        asked=list(offer.evidence), steps=[Step(s).value for s in offer.review] or [Step.COUNTY.value], submitted_at=now,
        due_on=calendar.add_working_days(today, WORKING_DAYS),
    )  # fmt: skip
    with as_system("an application that is open or approved is one, whoever handed it in"):
        same = Application.objects.filter(person=person, policy_code=offer.code, state="approved").first()
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
        changes |= {"approved_from": approved_from or row.applied_on, "answer": reason.strip()}
    return APPLICATION_FLOW.apply(
        actor=actor, queryset=Application.objects.all(), pk=row.pk, row=row, now=now, reason=reason.strip(),
        action=Action.APPROVE if last else Action.PASS, changes=changes, data=_about(row, step=step),
    )  # fmt: skip


@service("applications.review")
def refuse(*, actor: Actor, application_id: int, reason: str, now: datetime | None = None) -> Application:
    """Refuse with the reason that the applicant reads. Raises NotVisible, Invalid, Refused."""
    row = _lock(actor, application_id)
    return APPLICATION_FLOW.apply(
        actor=actor, queryset=Application.objects.all(), pk=row.pk, row=row, now=now, reason=reason.strip(),
        action=Action.REFUSE, changes={"answer": reason.strip()}, data=_about(row, step=row.next_step),
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


def _lock(actor: Actor, application_id: int) -> Application:
    return APPLICATION_FLOW.lock(Application.objects.visible_to(actor), application_id)


def _missing(row: Application) -> list[str]:
    given = set(row.papers.values_list("asked", flat=True))
    return [a for a in row.asked if a not in given]


def _about(row: Application, **more) -> dict:
    return {"person": row.person_id, "policy": row.policy_code, **more}
