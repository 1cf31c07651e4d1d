"""Whom to call, and who lives together."""

from typing import Any

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import BadValue, Invalid, NotVisible, Refused
from sangyu.kernel.identity import parse_phone
from sangyu.kernel.names import clean_name
from sangyu.kernel.services import service

from . import values
from .enums import Relation
from .models import Contact, Household
from .restricting import refuse_restricted
from .store import locked, plain, refresh_completeness


def _contact_columns(given: dict[str, Any]) -> dict[str, Any]:
    columns, errors = dict(given), {}
    for field, reader in (("name", lambda v: {"name": clean_name(v)}), ("phone", _phone)):
        if field in given:
            try:
                columns |= reader(given[field] or "")
            except BadValue as bad:
                errors[field] = [bad.message]
    if "relation" in given and given["relation"] not in Relation.values:
        errors["relation"] = [_("Choose the relation.")]
    if errors:
        raise Invalid(errors)
    return columns


def _phone(text: str) -> dict[str, Any]:
    return values.phone_columns(parse_phone(text) if text else "")


@service("people.edit")
def add_contact(
    *, actor: Actor, person_id: int, name: str, relation: str, phone: str = "", priority: int | None = None, **more: Any
) -> Contact:
    """Add somebody to call. ``priority`` 1 is called first; default: after the others. ``more``: is_guardian, is_carer,
    lives_with, address, note."""
    person = locked(person_id)
    columns = _contact_columns({"name": name, "relation": relation, "phone": phone, **more})
    contact = Contact.objects.create(
        **columns, person=person, path=person.path, priority=priority or person.contacts.count() + 1
    )
    refresh_completeness(person)
    return contact


@service("people.edit")
def update_contact(*, actor: Actor, contact_id: int, changes: dict[str, Any]) -> Contact:
    """Change fields of a contact. Raises NotVisible, Invalid."""
    contact = _contact(contact_id)
    changed = {k: v for k, v in _contact_columns(changes).items() if plain(getattr(contact, k)) != plain(v)}
    for field, value in changed.items():
        setattr(contact, field, value)
    if changed:
        contact.save(update_fields=list(changed))
    return contact


@service("people.edit")
def remove_contact(*, actor: Actor, contact_id: int) -> None:
    """Delete a contact. Refused while a consent names it: withdraw that first (the record of it must stay)."""
    contact = _contact(contact_id)
    if contact.consents.exists():
        raise Refused(
            _("A consent names this contact. Withdraw the consent; the contact stays in the record."),
            code="people.contact_in_consent",
        )
    person = locked(contact.person_id)
    contact.delete()
    refresh_completeness(person)


def _contact(pk: int) -> Contact:
    contact = Contact.objects.select_for_update(of=("self",)).select_related("person").filter(pk=pk).first()
    if contact is None:
        raise NotVisible
    refuse_restricted(contact.person)
    return contact


@service("people.edit")
def set_household(*, actor: Actor, person_id: int, household_id: int | None = None, **new: Any) -> Household | None:
    """Put the person into a household, or a ``new`` one (address, housing, floor, has_lift, note), or none."""
    person = locked(person_id)
    household = None
    if household_id is not None:
        household = Household.objects.filter(pk=household_id).first()
        if household is None:
            raise NotVisible
    elif new:
        household = Household.objects.create(
            **{"address": person.address, **new}, region_id=person.region_id, path=person.path
        )
    person.household = household
    person.save(update_fields=["household", "updated_at"])
    refresh_completeness(person)
    return household
