"""Consent by purpose, and the sharing that follows from it (R-027). Imported through ``services``."""

from datetime import date

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.scoping import say_why
from sangyu.kernel.services import service

from . import events
from .enums import GivenBy, Purpose
from .models import Consent, Contact, Person
from .store import locked


def _share(account_id: int, person: Person, why: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sangyu.share(%s, %s, 'person', %s, %s, NULL, %s)",
            [Audience.FAMILY.value, account_id, person.pk, person.path, why],
        )


def _unshare(account_id: int, person_id: int, why: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sangyu.unshare(%s, %s, 'person', %s, %s)", [Audience.FAMILY.value, account_id, person_id, why]
        )


@service("people.consent")
def give_consent(
    *,
    actor: Actor,
    person_id: int,
    purpose: str,
    version: str,
    given_on: date,
    given_by: str = GivenBy.SELF,
    contact_id: int | None = None,
    extent: str = "",
    evidence_id: int | None = None,
    today: date | None = None,
) -> Consent:
    """Record consent to ``purpose`` under ``version`` of the text; the paper or recording is ``evidence_id``.

    ``family_view`` names the relative (``contact_id``), whose account sees the file from now on; ``given_by`` guardian
    needs a contact who is the guardian. Raises Invalid, NotVisible, Refused when the same consent holds already.
    """
    person = locked(person_id)
    if purpose not in Purpose.values:
        raise Invalid({"purpose": [_("Choose what the consent is for.")]})
    if given_on > (today or timezone.localdate()):
        raise Invalid({"given_on": [_("The day lies in the future.")]})
    contact = None
    if contact_id is not None:
        contact = person.contacts.filter(pk=contact_id).first()
        if contact is None:
            raise NotVisible
    if purpose == Purpose.FAMILY_VIEW and contact is None:
        raise Invalid({"contact": [_("Choose the relative who may see the file.")]})
    if given_by == GivenBy.GUARDIAN and not person.contacts.filter(is_guardian=True).exists():
        raise Invalid({"given_by": [_("No contact is recorded as the guardian.")]})
    if Consent.objects.filter(person=person, purpose=purpose, contact=contact, withdrawn_on__isnull=True).exists():
        raise Refused(_("This consent holds already."), code="people.consent_holds")
    consent = Consent.objects.create(
        person=person,
        path=person.path,
        purpose=purpose,
        version=version,
        given_on=given_on,
        given_by=given_by,
        contact=contact,
        extent=extent,
        evidence_id=evidence_id,
    )
    if purpose == Purpose.FAMILY_VIEW and contact.account_id:
        _share(contact.account_id, person, f"consent {consent.pk}")
    emit(events.CONSENT_GIVEN, path=person.path, id=person.pk, purpose=purpose, consent=consent.pk)
    return consent


@service("people.consent")
def withdraw_consent(
    *, actor: Actor, consent_id: int, withdrawn_on: date, reason: str = "", today: date | None = None
) -> Consent:
    """Withdraw a consent; the sharing that rests on it ends at once. Raises NotVisible, Invalid, Refused."""
    consent = Consent.objects.select_for_update(of=("self",)).select_related("contact").filter(pk=consent_id).first()
    if consent is None:
        raise NotVisible
    if consent.withdrawn_on is not None:
        raise Refused(_("The consent is withdrawn already."), code="people.consent_withdrawn")
    if not consent.given_on <= withdrawn_on <= (today or timezone.localdate()):
        raise Invalid({"withdrawn_on": [_("The day must lie between the consent and today.")]})
    consent.withdrawn_on, consent.withdrawn_reason = withdrawn_on, reason
    if reason:
        say_why(reason)
    consent.save(update_fields=["withdrawn_on", "withdrawn_reason"])
    if consent.purpose == Purpose.FAMILY_VIEW and consent.contact.account_id:
        _unshare(consent.contact.account_id, consent.person_id, f"consent {consent.pk} withdrawn")
    emit(
        events.CONSENT_WITHDRAWN,
        path=consent.path,
        id=consent.person_id,
        purpose=consent.purpose,
        consent=consent.pk,
    )
    return consent


@service("people.consent")
def link_contact_account(*, actor: Actor, contact_id: int, account_id: int | None) -> Contact:
    """Say which account a contact signs in with (None unlinks). A consent that holds then shares the file at once."""
    contact = Contact.objects.select_for_update().filter(pk=contact_id).first()
    if contact is None:
        raise NotVisible
    person = locked(contact.person_id)
    consent = contact.consents.filter(Q(withdrawn_on__isnull=True), purpose=Purpose.FAMILY_VIEW.value).first()
    if contact.account_id and contact.account_id != account_id:
        _unshare(contact.account_id, person.pk, "account unlinked")
    contact.account_id = account_id
    contact.save(update_fields=["account"])
    if consent is not None and account_id:
        _share(account_id, person, f"consent {consent.pk}")
    return contact


@service("people.consent")
def link_account(*, actor: Actor, person_id: int, account_id: int) -> None:
    """Let the elder's own account see the elder's own file."""
    _share(account_id, locked(person_id), "own file")
