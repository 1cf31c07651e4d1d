"""The roster of elders as a workbook (R-019, R-026): people, their status and a contact in one row each."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel import bulk, identity
from sangyu.kernel.actor import Actor
from sangyu.kernel.events import emit
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Field, Import, Row, register

from . import events, values
from .enums import FactKind, Relation
from .models import Contact, Person, PersonFact
from .placing import Places
from .words import CARE_LEVELS, CHOICES, HEADINGS, INCOME, LIVING, NOTHING, RELATIONS, disability

#: Fields of the file that become dated facts.
FACTS = {
    "living": FactKind.LIVING,
    "income": FactKind.INCOME_CATEGORY,
    "three_no": FactKind.THREE_NO,
    "disability": FactKind.DISABILITY,
    "care_level": FactKind.CARE_LEVEL,
}


def _field(key: str, label: str, parser: parsers.Parser, **more: Any) -> Field:
    return Field(key, label, parser, synonyms=HEADINGS[key], **more)


@register
class RosterImport(Import):
    """One elder a row; whoever is registered already is reported, not changed."""

    kind = "people.roster"
    title = gettext_lazy("Roster")
    permission = "people.import"

    def __init__(self, actor: Actor, today: date) -> None:
        super().__init__(actor, today)
        self._places: Places | None = None

    @property
    def places(self) -> Places:
        """Regions under the actor, loaded when first asked for."""
        if self._places is None:
            self._places = Places(self.actor, self.today)
        return self._places

    def describe(self) -> Sequence[Field]:
        word, text = parsers.choice, parsers.text
        return (
            _field("name", _("Name"), parsers.name, required=True, example="张三（示例）"),
            _field("sex", _("Sex"), parsers.SEX, choices=("男", "女"), example="男"),
            _field("birth_date", _("Birth date"), parsers.day, example="1941-03-05"),
            _field(
                "id_number",
                _("ID number"),
                parsers.id_number(self.today),
                mask=identity.mask_id_number,
                hint=_("Format the column as text."),
            ),
            _field("phone", _("Phone"), parsers.phone(), mask=identity.mask_phone, example="13800000000"),
            _field("street", _("Street"), text(60)),
            _field(
                "region",
                _("Community"),
                text(100),
                required=True,
                hint=_("Name or 12-digit code of the community or village."),
            ),
            _field("address", _("Address"), text(200)),
            _field("registered_address", _("Registered address"), text(200)),
            _field("living", _("Living arrangement"), word(LIVING, none=NOTHING), choices=CHOICES["living"]),
            _field("income", _("Income category"), word(INCOME, none=NOTHING), choices=CHOICES["income"]),
            _field("three_no", _("Three-no person"), parsers.YES_NO, choices=("是", "否")),
            _field("disability", _("Disability"), disability),
            _field("care_level", _("Ability level"), word(CARE_LEVELS, none=NOTHING), choices=CHOICES["care_level"]),
            _field("contact_name", _("Contact"), parsers.name),
            _field("contact_phone", _("Contact's phone"), parsers.phone(), mask=identity.mask_phone),
            _field("contact_relation", _("Relation"), word(RELATIONS, none=NOTHING), choices=CHOICES["relation"]),
        )

    # ------------------------------------------------------------ checks
    def check(self, rows: list[Row]) -> None:
        for row in rows:
            self._check_row(row)
        good = [r for r in rows if not r.problems]
        self._same_in_file(good)
        self._same_in_register([r for r in good if not r.problems])

    def _check_row(self, row: Row) -> None:
        given = row.values
        number = given.get("id_number")
        if number:
            for key, message in values.disagreements(given, number).items():
                row.refuse(key, message, "disagrees")
        if not given.get("sex"):
            row.refuse("sex", _("Say the sex, or give an ID number."), "missing")
        birth = given.get("birth_date")
        if not birth:
            row.refuse("birth_date", _("Say the birth date, or give an ID number."), "missing")
        elif birth > self.today or identity.age_on(birth, self.today) > identity.OLDEST:
            row.refuse("birth_date", _("The birth date lies in the future or too far back."), "date.range")
        if given.get("contact_phone") and not given.get("contact_name"):
            row.refuse("contact_name", _("A contact's phone needs the contact's name."), "missing")
        place = self.places.find(given["region"], given.get("street", ""))
        if place.region is None:
            row.refuse("region", place.problem, place.code)
        else:
            given["place"] = place.region

    def _key(self, row: Row) -> tuple:
        number = row.values.get("id_number")
        if number:
            return ("id", number.number)
        return ("who", row.values["name"], row.values["birth_date"], row.values["place"].pk)

    def _same_in_file(self, rows: list[Row]) -> None:
        first: dict[tuple, int] = {}
        for row in rows:
            seen = first.setdefault(self._key(row), row.number)
            if seen != row.number:
                key = "id_number" if row.values.get("id_number") else "name"
                row.refuse(key, _("The same person stands in row %(n)d. Keep one of the two.") % {"n": seen}, "twice")

    def _same_in_register(self, rows: list[Row]) -> None:
        by_index = {values.id_columns(r.values["id_number"])["id_index"]: r for r in rows if r.values.get("id_number")}
        own = {
            bytes(i): n for i, n in Person.objects.filter(id_index__in=list(by_index)).values_list("id_index", "name")
        }
        with connection.cursor() as cursor:
            cursor.execute("SELECT sangyu.persons_existing(%s)", [list(by_index)])
            existing = {bytes(i) for (i,) in cursor.fetchall()}
        for index in existing:
            row = by_index[index]
            if index in own:
                message = _("Registered already as %(name)s. Take the row out, or change the file there.") % {
                    "name": own[index]
                }
                row.refuse("id_number", message, "registered")
            else:
                row.refuse("id_number", _("Registered in another area. Ask for a transfer instead."), "elsewhere")
        self._same_without_number([r for r in rows if not r.values.get("id_number")])

    def _same_without_number(self, rows: list[Row]) -> None:
        if not rows:
            return
        known = Person.objects.filter(name__in={r.values["name"] for r in rows}, died_on__isnull=True)
        found = set(known.values_list("name", "birth_date", "region_id"))
        for row in rows:
            if (row.values["name"], row.values["birth_date"], row.values["place"].pk) in found:
                message = _("Somebody of this name, birth date and community is registered already. Add the ID number.")
                row.refuse("name", message, "registered")

    # ------------------------------------------------------------ writing
    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        source = (_("roster %(file)s") % {"file": batch.file_name})[:100]
        now = timezone.now()
        ids = bulk.reserve_ids(Person, len(rows))
        persons, facts, contacts = [], [], []
        for pk, row in zip(ids, rows, strict=True):
            person = self._person(pk, row, source, now)
            persons.append(person)
            own = self._facts(person, row.values, source, now)
            facts += own
            calls = self._contacts(person, row.values)
            contacts += calls
            columns = {
                f: getattr(person, f) for f in ("id_number", "phone", "address", "latitude", "household_id", "needs")
            }
            person.completeness = values.completeness(columns, {f.kind for f in own}, len(calls))
            advance(1)
        for model, made in ((PersonFact, facts), (Contact, contacts)):
            for instance, pk in zip(made, bulk.reserve_ids(model, len(made)), strict=True):
                instance.pk = pk
        for model, made in ((Person, persons), (PersonFact, facts), (Contact, contacts)):
            bulk.insert(model, made)
            advance(0)
        emit(events.IMPORTED, path=batch.path, batch=batch.pk, count=len(persons))
        return {"new": len(persons), "facts": len(facts), "contacts": len(contacts)}

    def _person(self, pk: int, row: Row, source: str, now) -> Person:
        given = row.values
        region = given["place"]
        return Person(
            pk=pk,
            **values.name_columns(given["name"]),
            **values.id_columns(given.get("id_number")),
            **values.phone_columns(given.get("phone", "")),
            sex=given["sex"],
            birth_date=given["birth_date"],
            region_id=region.pk,
            path=region.path,
            address=given.get("address", ""),
            registered_address=given.get("registered_address", ""),
            registered_on=self.today,
            source=source,
            created_at=now,
            updated_at=now,
        )

    def _facts(self, person: Person, given: dict[str, Any], source: str, now) -> list[PersonFact]:
        found = {FactKind.REGION: str(person.region_id)}
        found |= {kind: given[key] for key, kind in FACTS.items() if given.get(key)}
        return [
            PersonFact(
                subject_id=person.pk,
                path=person.path,
                kind=kind,
                value=value,
                valid_from=self.today,
                source=source,
                recorded_at=now,
            )
            for kind, value in found.items()
        ]

    def _contacts(self, person: Person, given: dict[str, Any]) -> list[Contact]:
        if not given.get("contact_name"):
            return []
        return [
            Contact(
                person_id=person.pk,
                path=person.path,
                name=given["contact_name"],
                relation=given.get("contact_relation") or Relation.OTHER,
                **values.phone_columns(given.get("contact_phone", "")),
            )
        ]
