"""Service agreements and the recurring visits that need one (R-083)."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.files import save as save_file
from sangyu.kernel.numbering import next_number
from sangyu.kernel.services import service
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.people import selectors as people

from ..enums import AgreementState, Channel
from ..models import Agreement, Order
from .intake import request_and_receive, require_agreement

#: A plan is published a quarter at a time, so that prices and contracts are those of the time.
MAX_PLAN_DAYS = 92


@service("orders.agree")
def draft_agreement(
    *,
    actor: Actor,
    person_id: int,
    organisation_id: int,
    items: list[str],
    valid_from: date,
    valid_to: date,
    risk_notice: str,
    terms: str = "",
    today: date | None = None,
) -> Agreement:
    """Write down parties, items, term and risk notice. Raises Invalid for unknown items, an empty notice or a
    reversed term.
    """
    today = today or localtime().date()
    person = people.get_person(actor, person_id)
    people.refuse_use(person)
    organisations.get_organisation(actor, organisation_id)
    errors: dict[str, list[str]] = {}
    if valid_to < valid_from:
        errors["valid_to"] = [_("The end must not be before the start.")]
    if not risk_notice.strip():
        errors["risk_notice"] = [_("The risk notice must not be empty.")]
    unknown = [code for code in items if catalogue.get_item(code, person.path, valid_from) is None]
    if not items or unknown:
        errors["items"] = [
            _("Unknown services: %(codes)s") % {"codes": ", ".join(unknown)}
            if unknown
            else _("Choose at least one service.")
        ]
    if errors:
        raise Invalid(errors)
    return Agreement.objects.create(
        number=next_number("XY", today, person.region.code[:6]),
        region_id=person.region_id,
        path=person.path,
        person_id=person.pk,
        person_name=person.name,
        organisation_id=organisation_id,
        items=items,
        terms=terms,
        risk_notice=risk_notice,
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _locked(agreement_id: int) -> Agreement:
    agreement = Agreement.objects.select_for_update().filter(pk=agreement_id).first()
    if agreement is None:
        raise NotVisible
    return agreement


@service("orders.agree")
def sign_agreement(
    *, actor: Actor, agreement_id: int, signed_by: str, signed_on: date, signature: bytes | None = None
) -> Agreement:
    """Record the signature of the elder or guardian. A signed agreement is never edited; it ends, and a new one is
    drafted.
    """
    agreement = _locked(agreement_id)
    if agreement.state != AgreementState.DRAFT:
        raise Refused(_("Only a draft can be signed."), code="orders.agreement_state")
    if not signed_by.strip():
        raise Invalid({"signed_by": [_("Say who signed.")]})
    if signature:
        agreement.signature = save_file(
            actor, owner=agreement, title=_("Signature"), content_type="image/png", data=signature
        )
    agreement.state, agreement.signed_by, agreement.signed_on = AgreementState.SIGNED, signed_by, signed_on
    agreement.save()
    emit("orders.agreement_signed", path=agreement.path, id=agreement.pk)
    return agreement


@service("orders.agree")
def end_agreement(*, actor: Actor, agreement_id: int, ended_on: date) -> Agreement:
    """End a signed agreement; visits planned after that day are not touched here, the page lists them."""
    agreement = _locked(agreement_id)
    if agreement.state != AgreementState.SIGNED:
        raise Refused(_("Only a signed agreement can be ended."), code="orders.agreement_state")
    agreement.state, agreement.ended_on = AgreementState.ENDED, ended_on
    agreement.save(update_fields=["state", "ended_on"])
    emit("orders.agreement_ended", path=agreement.path, id=agreement.pk)
    return agreement


@service("orders.agree")
def end_agreements_of(*, actor: Actor, person_id: int, ended_on: date) -> int:
    """End all signed agreements of a person (death); how many. Repeatable."""
    rows = Agreement.objects.filter(person_id=person_id, state=AgreementState.SIGNED)
    found = list(rows.order_by("pk").values_list("pk", "valid_from"))
    for pk, begins in found:
        end_agreement(actor=actor, agreement_id=pk, ended_on=max(ended_on, begins))
    return len(found)


@service("orders.agree")
def plan_recurring(
    *,
    actor: Actor,
    agreement_id: int,
    item_code: str,
    weekdays: list[int],
    at: time,
    first: date,
    last: date,
    now: datetime | None = None,
) -> list[Order]:
    """Make the visits on ``weekdays`` (0 = Monday) between ``first`` and ``last``, each priced with its vouchers held.

    Raises Refused without a signed agreement for the whole period; a repeat of the same plan makes nothing twice.
    """
    now = now or timezone.now()
    if not weekdays or not set(weekdays) <= set(range(7)):
        raise Invalid({"weekdays": [_("Choose at least one day of the week.")]})
    if not first <= last <= first + timedelta(days=MAX_PLAN_DAYS):
        raise Invalid({"last": [_("Plan at most %(days)s days at a time.") % {"days": MAX_PLAN_DAYS}]})
    agreement = Agreement.objects.filter(pk=agreement_id).first()
    if agreement is None:
        raise NotVisible
    require_agreement(agreement_id, person_id=agreement.person_id, item_code=item_code, first=first, last=last)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [
        request_and_receive(
            actor=actor,
            person_id=agreement.person_id,
            item_code=item_code,
            planned_start=make_aware(datetime.combine(day, at)),
            channel=Channel.PLAN,
            requested_by=agreement.number,
            agreement_id=agreement.pk,
            key=f"{agreement.number}:{item_code}:{day}:{at:%H%M}",
            now=now,
        )
        for day in days
        if day.weekday() in weekdays
    ]
