"""Many persons at once: rows of a roster written by COPY, and those registered compared and brought up to date."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import bulk, facts
from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import source_of_each_row
from sangyu.kernel.crypto import encrypt
from sangyu.kernel.errors import Refused
from sangyu.kernel.identity import phone_digits
from sangyu.kernel.importing.definition import STEP, Fate, Row
from sangyu.kernel.scoping import said_why, say_why

from . import values
from .completeness import recompute
from .enums import FactKind, Relation
from .models import Contact, Person, PersonFact
from .restricting import refusal, refuse_use

#: Fields of the file that become dated facts.
FACTS = {
    "living": FactKind.LIVING,
    "income": FactKind.INCOME_CATEGORY,
    "three_no": FactKind.THREE_NO,
    "disability": FactKind.DISABILITY,
    "care_level": FactKind.CARE_LEVEL,
}
#: Fields of the file that are columns of a person and may be brought up to date.
PLAIN = ("address", "registered_address", "ethnicity", "marriage", "education")
_PERSON = (
    "id", "path", "region_id", "name", "pinyin", "initials", "sex", "birth_date", "id_kind", "id_number", "id_index",
    "id_tail", "phone", "phone_index", "phone_tail", *PLAIN, "source", "completeness",
)  # fmt: skip
_CONTACT = ("person_id", "path", "name", "relation", "phone", "phone_index", "phone_tail")
_ID, _PHONE, _CONTACT_PHONE = "people.person.id_number", "people.person.phone", "people.contact.phone"


def sealed(given: dict[str, Any]) -> dict[str, Any]:
    """Blind indexes of a row's numbers, for the search and for writing."""
    number = given.get("id_number")
    digits = phone_digits(given.get("phone") or "")
    return {
        "id_index": values.blind_index(number.number, values.ID_PURPOSE) if number else None,
        "phone_index": values.blind_index(digits, values.PHONE_PURPOSE),
        "phone_tail": values.tail_index(digits, values.PHONE_PURPOSE),
    }


# ---------------------------------------------------------------- new persons
def register(rows: list[Row], batch, today: date, advance: Callable[[int], None]) -> tuple[list[int], dict[str, int]]:
    """Register all ``rows``: persons, their facts and contacts. Answers the new ids and the counts."""
    now = timezone.now()
    ids = bulk.reserve_ids(Person, len(rows))
    persons, held, contacts = [], [], []
    origin = batch.origin
    for at, (pk, row) in enumerate(zip(ids, rows, strict=True), start=1):
        given, place = row.values, row.values["place"]
        source = batch.source_of(row.number)
        path, own = place.path, {kind: given[key] for key, kind in FACTS.items() if given.get(key)}
        if given.get("contact_name"):
            contacts.append(_contact(pk, path, given))
        persons.append(_person(pk, given, source, own))
        held.append((pk, path, FactKind.REGION.value, str(place.pk), source))
        held += [(pk, path, kind.value, value, source) for kind, value in own.items()]
        if at % STEP == 0:
            advance(STEP)
    same = {"valid_from": today, "recorded_at": now}
    with source_of_each_row():
        bulk.insert_rows(Person, _PERSON, persons, registered_on=today, created_at=now, updated_at=now)
        advance(0)
        bulk.insert_rows(PersonFact, ("subject_id", "path", "kind", "value", "source"), held, **same)
        advance(len(rows) % STEP)
    _write_contacts(contacts, origin)
    return ids, {"facts": len(held), "contacts": len(contacts)}


def _person(pk: int, given: dict[str, Any], source: str, own: dict[str, str]) -> tuple:
    number, phone, place = given.get("id_number"), given.get("phone", ""), given["place"]
    known = {"id_number": number, "phone": phone, "address": given.get("address")}
    return (
        pk, place.path, place.pk, given["name"], *values.pinyin_of(given["name"]), given["sex"], given["birth_date"],
        number.kind.value if number else "", encrypt(number.number, _ID) if number else None, given["id_index"],
        values.tail_index(number.number, values.ID_PURPOSE) if number else None,
        encrypt(phone, _PHONE) if phone else None, given["phone_index"], given["phone_tail"],
        *(given.get(field, "") for field in PLAIN), source,
        values.completeness(known, own.keys(), 1 if given.get("contact_name") else 0),
    )  # fmt: skip


def _contact(person_id: int, path: str, given: dict[str, Any]) -> tuple:
    phone = given.get("contact_phone", "")
    digits = phone_digits(phone)
    return (
        person_id, path, given["contact_name"], given.get("contact_relation") or Relation.OTHER.value,
        encrypt(phone, _CONTACT_PHONE) if phone else None, values.blind_index(digits, values.PHONE_PURPOSE),
        values.tail_index(digits, values.PHONE_PURPOSE),
    )  # fmt: skip


def _write_contacts(contacts: list[tuple], origin: str) -> None:
    with source_of_each_row(origin):
        bulk.insert_rows(Contact, _CONTACT, contacts)


# ---------------------------------------------------------------- registered persons
def compare(known: list[tuple[Row, int]], *, decided: bool = False) -> None:
    """Say for each row what differs from the person: unchanged, changed, or held when they contradict each other.

    ``row.known`` becomes (person id, path, columns to set, facts to set, contact). What the row leaves empty stays.
    ``decided``: a person has said that they are the same, so nothing is held.
    """
    ids = [pk for _row, pk in known]
    own = (
        "id",
        "path",
        "name",
        "sex",
        "birth_date",
        "region_id",
        "died_on",
        "restricted_at",
        "id_index",
        "phone_index",
        *PLAIN,
    )
    persons = {p["id"]: p for p in Person.objects.filter(pk__in=ids).values(*own)}
    live: dict[int, dict[str, str]] = defaultdict(dict)
    for subject, kind, value in (
        PersonFact.objects.filter(subject__in=ids).on(timezone.localdate()).values_list("subject_id", "kind", "value")
    ):
        live[subject][kind] = value
    calls: dict[int, dict[str, tuple[int, bytes | None]]] = defaultdict(dict)
    for pk, person, name, index in Contact.objects.filter(person__in=ids).values_list(
        "pk", "person_id", "name", "phone_index"
    ):
        calls[person][name] = (pk, index and bytes(index))
    for row, pk in known:
        person = persons.get(pk)
        if person is None:  # merged or moved away a moment ago
            row.refuse("id_number", _("Registered in another area. Ask for a transfer instead."), "elsewhere")
            continue
        if person["restricted_at"]:
            row.refuse("name", refusal().message, "restricted")
            continue
        against = _contradiction(row.values, person)
        if against and not decided:
            row.hold(*against, [pk])
            continue
        row.known = (pk, person["path"], *_differences(row.values, person, live[pk], calls[pk]))
        row.fate = Fate.CHANGED if any(row.known[2:]) else Fate.UNCHANGED


def _contradiction(given: dict[str, Any], person: dict[str, Any]) -> tuple[str, str, str] | None:
    """Field, message and code of what says that the row may be somebody else, or that a life event is due."""
    if person["died_on"]:
        return "name", _("Registered as dead on %(day)s.") % {"day": person["died_on"]}, "dead"
    if person["name"] != given["name"]:
        return "name", _("Registered under another name: %(name)s.") % {"name": person["name"]}, "name"
    if person["birth_date"] != given["birth_date"]:
        return "birth_date", _("Registered with the birth date %(day)s.") % {"day": person["birth_date"]}, "birth_date"
    if person["sex"] in ("1", "2") and person["sex"] != given["sex"]:
        return "sex", _("Registered with the other sex."), "sex"
    if person["region_id"] != given["place"].pk:
        return "region", _("Registered in another community. If the person moved, record the move."), "region"
    return None


def _differences(given, person, live, calls) -> tuple[dict[str, Any], dict[str, str], tuple | None]:
    columns = {f: given[f] for f in PLAIN if given.get(f) and given[f] != person[f]}
    if given.get("phone") and given["phone_index"] != (person["phone_index"] and bytes(person["phone_index"])):
        columns |= {"phone": given["phone"], "phone_index": given["phone_index"], "phone_tail": given["phone_tail"]}
    if given.get("id_number") and person["id_index"] is None:
        columns["id_number"] = given["id_number"]
    changed = {kind.value: given[key] for key, kind in FACTS.items() if given.get(key) and given[key] != live.get(kind)}
    contact = None
    if name := given.get("contact_name"):
        index = values.blind_index(phone_digits(given.get("contact_phone", "")), values.PHONE_PURPOSE)
        if name not in calls:
            contact = (None, given)
        elif index and calls[name][1] != index:
            contact = (calls[name][0], given)
    return columns, changed, contact


_SET = ("id", "id_kind", "id_number", "id_index", "id_tail", "phone", "phone_index", "phone_tail", *PLAIN, "source")


def update(rows: list[Row], batch, today: date, advance: Callable[[int], None]) -> None:
    """Write what ``compare`` found: columns in one UPDATE, facts from today on, contacts."""
    if not rows:
        return
    now = timezone.now()
    persons, stated, added, numbers = [], [], [], []
    for row in rows:
        pk, path, columns, changed, contact = row.known
        source = batch.source_of(row.number)
        persons.append(_changes(pk, columns, source))
        stated += [(pk, path, kind, value, source) for kind, value in changed.items()]
        if contact and contact[0] is None:
            added.append(_contact(pk, path, contact[1]))
        elif contact:
            numbers.append((contact[0], *_contact(pk, path, contact[1])[4:]))
    with source_of_each_row():
        bulk.update_rows(Person, _SET, persons, updated_at=now)
        facts.record_many(PersonFact, stated, valid_from=today, now=now)
    _write_contacts(added, batch.origin)
    with source_of_each_row(batch.origin):
        bulk.update_rows(Contact, ("id", "phone", "phone_index", "phone_tail"), numbers)
    recompute(Person.objects.filter(pk__in=[p[0] for p in persons]))
    advance(len(rows))


def _changes(pk: int, columns: dict[str, Any], source: str) -> tuple:
    number, phone = columns.get("id_number"), columns.get("phone")
    found = values.id_columns(number) if number else dict.fromkeys(("id_kind", "id_index", "id_tail"))
    return (
        pk, found["id_kind"], encrypt(number.number, _ID) if number else None, found["id_index"], found["id_tail"],
        encrypt(phone, _PHONE) if phone else None, columns.get("phone_index"), columns.get("phone_tail"),
        *(columns.get(f) for f in PLAIN), source,
    )  # fmt: skip


def settle_same(actor: Actor, row: Row, person_id: int, batch, today: date) -> int:
    """The row is ``person_id``: bring the person up to date; another community is recorded as a move."""
    from .services import move

    person = Person.objects.select_for_update().filter(pk=person_id).first()
    if person is None:
        raise Refused(_("This person is not in your area any more."), code="import.candidate_gone")
    refuse_use(person)
    place = row.values["place"]
    if person.region_id != place.pk and person.died_on is None:
        why = said_why()
        move(
            actor=actor, person_id=person_id, region_id=place.pk, moved_on=today, source=batch.source_of(row.number),
            address=row.values.get("address") or person.address, today=today,
        )  # fmt: skip
        say_why(why)
    compare([(row, person_id)], decided=True)
    if row.fate == Fate.CHANGED:
        update([row], batch, today, lambda n: None)
    return person_id
