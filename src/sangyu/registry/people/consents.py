"""Consent by purpose, and the sharing that follows from it (R-027). Imported through ``services``."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import BadValue, Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.identity import parse_phone
from sangyu.kernel.models import Share
from sangyu.kernel.names import clean_name
from sangyu.kernel.scoping import as_system, say_why
from sangyu.kernel.services import service
from sangyu.registry.accounts import services as accounts

from . import events, values
from .enums import GivenBy, Part, Proof, Purpose, Relation
from .models import Consent, Contact, Person
from .sharing import share_file, unshare_file
from .store import locked, refresh_completeness

#: Why an elder's own account sees the file; ``_require_own`` asks for it.
OWN_FILE = "own file"


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
    parts: list[str] | None = None,
    proof: str = "",
    witness: str = "",
    today: date | None = None,
) -> Consent:
    """Record consent to ``purpose`` under ``version`` of the text; the paper or recording is ``evidence_id``.

    ``family_view`` names the relative (``contact_id``), whose account sees the file and the ``parts`` (None = all) from now
    on; ``given_by`` guardian needs a contact who is the guardian. Raises Invalid, NotVisible, Refused when the same
    consent holds already or the person has died.
    """
    return _give(
        person_id, purpose=purpose, version=version, given_on=given_on, given_by=given_by, contact_id=contact_id,
        extent=extent, evidence_id=evidence_id, parts=parts, proof=proof, witness=witness, today=today,
    )  # fmt: skip


def _give(
    person_id: int,
    *,
    purpose: str,
    version: str,
    given_on: date,
    given_by: str,
    contact_id: int | None,
    extent: str = "",
    evidence_id: int | None,
    parts: list[str] | None,
    proof: str,
    witness: str,
    today: date | None,
) -> Consent:
    person = locked(person_id)
    if person.died_on is not None:
        raise Refused(_("The person has died."), code="people.dead")
    if proof == Proof.ORAL and not witness.strip():
        raise Invalid({"witness": [_("A spoken consent needs a witness.")]})
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
        parts=_parts(purpose, parts),
        proof=proof,
        witness=witness.strip(),
    )
    if purpose == Purpose.FAMILY_VIEW and contact.account_id:
        share_file(contact.account_id, person, consent.parts, f"consent {consent.pk}")
    emit(events.CONSENT_GIVEN, path=person.path, id=person.pk, purpose=purpose, consent=consent.pk)
    return consent


def _parts(purpose: str, parts: list[str] | None) -> list[str]:
    if purpose != Purpose.FAMILY_VIEW:
        return []
    if parts is None:
        return list(Part.values)
    if unknown := set(parts) - set(Part.values):
        raise Invalid({"parts": [_("Unknown part: %(part)s.") % {"part": ", ".join(sorted(unknown))}]})
    return [p for p in Part.values if p in parts]


@service("people.consent")
def give_listed_consents(
    *, actor: Actor, person_ids: Iterable[int], purpose: str, version: str, given_on: date, extent: str = ""
) -> int:
    """Consent to ``purpose`` of the living persons of a list whose signed forms lie with whoever made it; who has given it
    already keeps that. Answers how many were added; persons outside the scope and restricted ones are left out."""
    if purpose not in Purpose.values or purpose == Purpose.FAMILY_VIEW:
        raise Invalid({"purpose": [_("Choose what the consent is for.")]})
    persons = Person.objects.filter(pk__in=list(person_ids), died_on__isnull=True, restricted_at__isnull=True)
    held = Consent.objects.filter(Consent.own(purpose), person__in=persons).values_list("person_id", flat=True)
    made = [
        Consent(
            person_id=pk, path=path, purpose=purpose, version=version, given_on=given_on, given_by=GivenBy.SELF,
            extent=extent, proof=Proof.PAPER,
        )
        for pk, path in persons.exclude(pk__in=list(held)).order_by("pk").values_list("pk", "path")
    ]  # fmt: skip
    Consent.objects.bulk_create(made, batch_size=1000)
    if made:
        emit(events.CONSENTS_LISTED, path=actor.path, purpose=purpose, count=len(made))
    return len(made)


@service("people.consent")
def open_family_access(
    *,
    actor: Actor,
    person_id: int,
    contact_id: int,
    parts: list[str],
    proof: str,
    given_on: date,
    version: str,
    given_by: str = GivenBy.SELF,
    evidence_id: int | None = None,
    witness: str = "",
    today: date | None = None,
) -> Consent:
    """Let a relative see the file and ``parts`` of it on the word of the elder or guardian, with proof (R-027).

    ``proof`` paper needs the signed form (``evidence_id``), oral a ``witness``. The relative signs in with the mobile number
    of the contact; an account is opened when there is none. A consent that holds is replaced: its parts change.
    Raises Invalid, NotVisible, Refused; then nothing has changed.
    """
    if proof == Proof.PAPER and evidence_id is None:
        raise Invalid({"evidence": [_("Add the signed form, or choose a spoken consent with a witness.")]})
    if proof not in (Proof.PAPER, Proof.ORAL):
        raise Invalid({"proof": [_("Say how the consent was given.")]})
    return _open_access(
        actor, person_id, contact_id, parts=parts, proof=proof, given_on=given_on, version=version, given_by=given_by,
        evidence_id=evidence_id, witness=witness, today=today,
    )  # fmt: skip


def _open_access(
    actor: Actor, person_id: int, contact_id: int, *, given_on: date, today: date | None, **said
) -> Consent:
    person = locked(person_id)
    contact = person.contacts.select_for_update().filter(pk=contact_id).first()
    if contact is None:
        raise NotVisible
    held = Consent.objects.filter(contact=contact, purpose=Purpose.FAMILY_VIEW, withdrawn_on__isnull=True).first()
    if held is not None:
        held.withdrawn_on, held.withdrawn_reason = max(given_on, held.given_on), _("Replaced by a new consent")
        held.save(update_fields=["withdrawn_on", "withdrawn_reason"])
    if contact.account_id is None:
        if not contact.phone:
            raise Invalid({"contact_id": [_("The contact has no telephone number to sign in with.")]})
        account = accounts.open_subject_account(
            actor=actor, name=contact.name, mobile=contact.phone, role="family", region_id=person.region_id, today=today
        )
        contact.account = account
        contact.save(update_fields=["account"])
    return _give(
        person_id, purpose=Purpose.FAMILY_VIEW, given_on=given_on, contact_id=contact_id, today=today, **said
    )  # fmt: skip


@service("people.consent")
def withdraw_consent(
    *, actor: Actor, consent_id: int, withdrawn_on: date, reason: str = "", today: date | None = None
) -> Consent:
    """Withdraw a consent; the sharing that rests on it ends at once. Raises NotVisible, Invalid, Refused."""
    return _withdraw(consent_id, withdrawn_on, reason, today)


def _withdraw(consent_id: int, withdrawn_on: date, reason: str, today: date | None) -> Consent:
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
        unshare_file(consent.contact.account_id, consent.person_id, f"consent {consent.pk} withdrawn")
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
        unshare_file(contact.account_id, person.pk, "account unlinked")
    contact.account_id = account_id
    contact.save(update_fields=["account"])
    if consent is not None and account_id:
        share_file(account_id, person, consent.parts, f"consent {consent.pk}")
    return contact


@service("people.consent")
def link_account(*, actor: Actor, person_id: int, account_id: int) -> None:
    """Let the elder's own account see the elder's own file, all parts of it."""
    share_file(account_id, locked(person_id), Part.values, OWN_FILE)


# ---------------------------------------------------------------- by the elder's own account
@service("people.own_consent")
def invite_relative(
    *,
    actor: Actor,
    person_id: int,
    parts: list[str],
    version: str,
    contact_id: int | None = None,
    name: str = "",
    relation: str = "",
    phone: str = "",
    today: date | None = None,
) -> Consent:
    """The elder lets a relative in: one of the contacts, or a new one by name, relation and telephone number (R-027).

    The account itself is the proof. Raises Invalid, Refused, NotVisible for a file that is not the elder's own.
    """
    day = today or timezone.localdate()
    _require_own(actor, person_id)
    with as_system("an elder writes the consent that staff enter for others"):
        person = locked(person_id)
        if contact_id is None:
            contact_id = _new_contact(person, name, relation, phone).pk
        return _open_access(
            actor, person_id, contact_id, parts=parts, proof=Proof.ACCOUNT, given_on=day, version=version,
            given_by=GivenBy.SELF, evidence_id=None, witness="", today=day,
        )  # fmt: skip


@service("people.own_consent")
def end_relative_access(*, actor: Actor, person_id: int, contact_id: int, today: date | None = None) -> Consent:
    """The elder lets a relative look no more, at once. Raises NotVisible."""
    day = today or timezone.localdate()
    _require_own(actor, person_id)
    with as_system("an elder withdraws the consent that staff enter for others"):
        held = Consent.objects.filter(
            person_id=person_id, contact_id=contact_id, purpose=Purpose.FAMILY_VIEW, withdrawn_on__isnull=True
        ).first()
        if held is None:
            raise NotVisible
        return _withdraw(held.pk, day, _("Withdrawn by the elder"), day)


def _require_own(actor: Actor, person_id: int) -> None:
    """Raise NotVisible unless the account was linked with the file as the elder's own (``link_account``)."""
    own = Share.objects.live_for(actor, "person").filter(object_id=person_id, reason=OWN_FILE)
    if actor.audience is not Audience.FAMILY or not own.exists():
        raise NotVisible


def _new_contact(person, name: str, relation: str, phone: str) -> Contact:
    try:
        number = parse_phone(phone)
    except BadValue as bad:
        raise Invalid({"phone": [bad.message]}) from bad
    try:
        name = clean_name(name)
    except BadValue as bad:
        raise Invalid({"name": [bad.message]}) from bad
    if relation not in Relation.values:
        raise Invalid({"relation": [_("Choose the relation.")]})
    made = Contact.objects.create(
        **values.phone_columns(number), name=name, relation=relation, person=person, path=person.path,
        priority=person.contacts.count() + 1,
    )  # fmt: skip
    refresh_completeness(person)
    return made
