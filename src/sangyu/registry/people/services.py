"""What people do to the register of persons. Beside it: ``contacts`` (and household), ``status`` (and life events), ``consents``, ``health``,
``looks`` (whole numbers, guarded notes)."""

from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.db.utils import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import facts
from sangyu.kernel.actor import Actor
from sangyu.kernel.crypto import blind_indexes
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.scoping import say_why
from sangyu.kernel.services import service

from . import events, values
from .bulk_status import state_facts, take_facts_back
from .completeness import recompute as recompute_completeness
from .consents import (
    end_relative_access,
    give_consent,
    give_listed_consents,
    invite_relative,
    link_account,
    link_contact_account,
    open_family_access,
    withdraw_consent,
)
from .contacts import add_contact, remove_contact, set_household, update_contact
from .enums import FactKind, Sex
from .health import end_health_note, note_health
from .looks import close_guarded_note, read_guarded_notes, reveal, reveal_contact, write_guarded_note
from .merges import merge, preview_merge, preview_undo, undo_merge
from .models import Person, PersonFact
from .restricting import lift_restriction, restrict
from .sharing import end_all, give_back
from .status import (
    admit_to_institution,
    discharge_from_institution,
    end_fact,
    enter_hospital,
    move,
    record_death,
    record_fact,
    revoke_death,
    revoke_residence,
)
from .store import locked, plain, refresh_completeness, region_in_scope

__all__ = [
    "DuplicatePerson",
    "add_contact",
    "admit_to_institution",
    "close_guarded_note",
    "confirm_checks",
    "discharge_from_institution",
    "end_all",
    "end_fact",
    "end_health_note",
    "end_relative_access",
    "enter_hospital",
    "give_back",
    "give_consent",
    "give_listed_consents",
    "invite_relative",
    "lift_restriction",
    "link_account",
    "link_contact_account",
    "merge",
    "move",
    "note_health",
    "open_family_access",
    "preview_merge",
    "preview_undo",
    "read_guarded_notes",
    "recompute_completeness",
    "record_death",
    "record_fact",
    "register",
    "remove_contact",
    "restrict",
    "reveal",
    "reveal_contact",
    "revoke_death",
    "revoke_residence",
    "set_household",
    "state_facts",
    "take_checks_back",
    "take_facts_back",
    "undo_merge",
    "update_basic",
    "update_contact",
    "withdraw_consent",
    "write_guarded_note",
]  # fmt: skip


class DuplicatePerson(Refused):
    """The identity number is registered. ``person_id`` names the person when the actor may see it, else None."""

    def __init__(self, person_id: int | None) -> None:
        self.person_id = person_id
        if person_id:
            message = _("A person with this ID number is registered already. Open that file instead.")
        else:
            message = _("This ID number is registered in another area. Ask for a transfer instead.")
        super().__init__(message, code="people.duplicate" if person_id else "people.registered_elsewhere")


def _refuse_duplicate(id_number: str, but: int | None = None) -> None:
    sought = blind_indexes(id_number, values.ID_PURPOSE)
    own = Person.objects.filter(id_index__in=sought).values_list("pk", flat=True).first() if sought else None
    if own is not None and own != but:
        raise DuplicatePerson(own)
    for index in sought if own is None else ():
        with connection.cursor() as cursor:
            cursor.execute("SELECT sangyu.person_exists(%s)", [index])
            if cursor.fetchone()[0]:
                raise DuplicatePerson(None)


@service("people.register")
def register(
    *,
    actor: Actor,
    name: str,
    region_id: int,
    source: str,
    sex: str = "",
    birth_date: date | None = None,
    id_number: str = "",
    phone: str = "",
    elder: bool = True,
    registered_on: date | None = None,
    today: date | None = None,
    now: datetime | None = None,
    **more: Any,
) -> Person:
    """Enter a person in the register of ``region_id`` (street or community, in the actor's region); R-013, R-016.

    ``source`` says where the data come from. ``more``: address, registered_address, latitude, longitude (WGS-84),
    ethnicity, marriage, education, needs, household_id, photo_id. Raises Invalid, NotVisible (region), DuplicatePerson.
    """
    today = today or timezone.localdate()
    given = {"name": name, "sex": sex, "birth_date": birth_date, "id_number": id_number, "phone": phone, **more}
    columns = values.read_basic(given, today=today)
    if columns.get("sex") not in Sex.values:
        raise Invalid({"sex": [_("Say the sex, or give an ID number.")]})
    if elder and not columns.get("birth_date"):
        raise Invalid({"birth_date": [_("Say the birth date, or give an ID number.")]})
    region = region_in_scope(actor, region_id)
    _refuse_duplicate(columns["id_number"])
    start = registered_on or today
    try:
        with transaction.atomic():
            person = Person.objects.create(
                **columns, region=region, path=region.path, source=source, registered_on=start if elder else None
            )
    except IntegrityError as error:
        if "person_id_once" in str(error):  # somebody else registered the same number a moment ago
            raise DuplicatePerson(None) from None
        raise
    facts.record(
        PersonFact, subject=person, kind=FactKind.REGION, value=str(region.pk), valid_from=start, source=source, now=now
    )
    refresh_completeness(person)
    emit(events.REGISTERED, path=person.path, id=person.pk)
    return person


@service("people.edit")
def update_basic(
    *,
    actor: Actor,
    person_id: int,
    changes: dict[str, Any],
    reason: str = "",
    seen_at: datetime | None = None,
    today: date | None = None,
) -> Person:
    """Change basic fields; only those in ``changes`` and only where they differ (R-016).

    ``seen_at`` is ``updated_at`` of the row the form showed: a later one is an edit conflict, Refused("people.stale").
    """
    today = today or timezone.localdate()
    person = locked(person_id)
    if seen_at is not None and person.updated_at != seen_at:
        raise Refused(_("Somebody else changed this file in the meantime. Reload to see both."), code="people.stale")
    given = {"birth_date": person.birth_date, "sex": person.sex, **changes}
    if "id_number" not in changes and person.id_number and {"birth_date", "sex"} & changes.keys():
        given["id_number"] = person.id_number
    columns = values.read_basic(given, today=today)
    changed = {k: v for k, v in columns.items() if plain(getattr(person, k)) != plain(v)}
    if not changed:
        return person
    if not reason.strip() and (asked := _needs_reason(person, changed)):
        raise Invalid({"reason": [_("Say why: %(what)s changes.") % {"what": asked}]}, code="people.reason")
    if "id_index" in changed:
        _refuse_duplicate(columns["id_number"], but=person.pk)
    for field, value in changed.items():
        setattr(person, field, value)
    if reason:
        say_why(reason)
    person.save(update_fields=[*changed, "updated_at"])
    refresh_completeness(person)
    emit(events.UPDATED, path=person.path, id=person.pk, fields=sorted(changed.keys() & changes.keys()))
    return person


def _needs_reason(person: Person, changed: dict[str, Any]) -> str:
    """The words for a change of who the person is (name, sex, birth date, ID number once known); "" when none is made."""
    known = {
        "name": person.name, "sex": person.sex in ("1", "2"), "birth_date": person.birth_date, "id_number": person.id_number,
    }  # fmt: skip
    return "、".join(str(Person._meta.get_field(f).verbose_name) for f, was in known.items() if was and f in changed)


@service("people.edit")
def confirm_checks(*, actor: Actor, person_ids: list[int], on: date, today: date | None = None) -> int:
    """Note ``on`` as the day of the last check of these files (R-015); a later day stays. The act itself is the dossier's.

    One statement; answers how many changed; restricted files do not. Raises Invalid for a day in the future.
    """
    if on > (today or timezone.localdate()):
        raise Invalid({"on": [_("The day lies in the future.")]})
    rows = Person.objects.filter(pk__in=person_ids, restricted_at=None).filter(
        Q(checked_on__isnull=True) | Q(checked_on__lt=on)
    )
    return rows.update(checked_on=on)


@service("people.edit")
def take_checks_back(*, actor: Actor, days: dict[int, tuple[str | None, str]]) -> dict[int, str]:
    """Put the day of the last check back: ``days`` is id → (day before or None, day that was noted), ISO.

    Answers {id: why not} for files that were checked again since.
    """
    known = dict(Person.objects.filter(pk__in=days).values_list("pk", "checked_on"))
    refused, groups = {}, {}
    for pk, (before, noted) in days.items():
        if known.get(pk) != date.fromisoformat(noted):
            refused[pk] = _("Was checked again since.")
        else:
            groups.setdefault(before, []).append(pk)
    for before, ids in groups.items():
        Person.objects.filter(pk__in=ids).update(checked_on=before and date.fromisoformat(before))
    return refused
