"""The roster of elders as a workbook (R-019, R-026): people, their status and a contact in one row each."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel import identity
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Refused
from sangyu.kernel.events import emit
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Fate, Field, Import, Option, Row, register
from sangyu.kernel.names import pinyin_of
from sangyu.registry.regions.enums import Level
from sangyu.registry.regions.fields import Places

from . import events, roster, values
from .imports_health import HealthImport as HealthImport
from .matching import Match, Sought, find_matches
from .words import (
    CARE_LEVELS,
    CHOICES,
    EDUCATION,
    ETHNICITIES,
    HEADINGS,
    INCOME,
    LIVING,
    MARRIAGE,
    NOTHING,
    RELATIONS,
    disability,
)

REPORT, UPDATE = "report", "update"


def _field(key: str, label: str, parser: parsers.Parser, **more: Any) -> Field:
    return Field(key, label, parser, synonyms=HEADINGS[key], **more)


@register
class RosterImport(Import):
    """One elder a row. Who is registered already is reported, or updated when the importer chose so."""

    kind = "people.roster"
    title = gettext_lazy("Roster")
    permission = "people.import"
    has_source = True
    keeps_values = True

    def __init__(self, actor: Actor, today: date, settings: dict[str, str] | None = None) -> None:
        super().__init__(actor, today, settings)
        self._places: Places | None = None

    @classmethod
    def options(cls) -> Sequence[Option]:
        return (
            Option(
                "mode",
                _("Who is registered already"),
                choices=(
                    (REPORT, _("is reported and stays as registered")),
                    (UPDATE, _("is brought up to date where the roster says something else")),
                ),
            ),
        )

    @property
    def places(self) -> Places:
        """Regions under the actor, loaded when first asked for."""
        if self._places is None:
            self._places = Places(self.actor, self.today, first=Level.STREET)
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
            _field("ethnicity", _("Ethnicity"), word(ETHNICITIES, none=NOTHING)),
            _field("marriage", _("Marriage"), word(MARRIAGE, none=NOTHING), choices=CHOICES["marriage"]),
            _field("education", _("Education"), word(EDUCATION, none=NOTHING), choices=CHOICES["education"]),
            _field("living", _("Living arrangement"), word(LIVING, none=NOTHING), choices=CHOICES["living"]),
            _field("income", _("Income category"), word(INCOME, none=NOTHING), choices=CHOICES["income"]),
            _field("three_no", _("Three-no person"), parsers.YES_NO, choices=("是", "否")),
            _field("disability", _("Disability"), disability),
            _field("care_level", _("Ability level"), word(CARE_LEVELS, none=NOTHING), choices=CHOICES["care_level"]),
            _field("contact_name", _("Contact"), parsers.name),
            _field("contact_phone", _("Contact's phone"), parsers.phone(), mask=identity.mask_phone),
            _field("contact_relation", _("Relation"), word(RELATIONS, none=NOTHING), choices=CHOICES["relation"]),
        )

    def row_path(self, row: Row) -> str:
        return row.values["place"].path if "place" in row.values else self.actor.path

    # ------------------------------------------------------------ checks
    def check(self, rows: list[Row]) -> None:
        for row in rows:
            self._check_row(row)
        good = [r for r in rows if not r.problems]
        self._same_in_file(good)
        self._against_register([r for r in good if not r.problems])

    def check_alone(self, row: Row) -> None:
        self._check_row(row)

    def _check_row(self, row: Row) -> None:
        """What one row says by itself; a cell that could not be read is not missed a second time."""
        given, unread = row.values, {key for key, _message, _code in row.problems}
        number = given.get("id_number")
        if number:
            for key, message in values.disagreements(given, number).items():
                row.refuse(key, message, "disagrees")
        if not given.get("sex") and not unread & {"sex", "id_number"}:
            row.refuse("sex", _("Say the sex, or give an ID number."), "missing")
        birth = given.get("birth_date")
        if not birth:
            if not unread & {"birth_date", "id_number"}:
                row.refuse("birth_date", _("Say the birth date, or give an ID number."), "missing")
        elif birth > self.today or identity.age_on(birth, self.today) > identity.OLDEST:
            row.refuse("birth_date", _("The birth date lies in the future or too far back."), "date.range")
        if given.get("contact_phone") and not given.get("contact_name") and "contact_name" not in unread:
            row.refuse("contact_name", _("A contact's phone needs the contact's name."), "missing")
        if "region" not in given:
            return
        if place := self.places.settle(row, street=given.get("street", "")):
            given["place"] = place

    def _key(self, row: Row) -> tuple:
        number = row.values.get("id_number")
        if number:
            return ("id", number.number)
        return ("who", row.values["name"], row.values["birth_date"], row.values["place"].pk)

    def _same_in_file(self, rows: list[Row]) -> None:
        first: dict[tuple[str, Any], int] = {}
        for row in rows:
            row.once(first, **{"id_number" if row.values.get("id_number") else "name": self._key(row)})

    def _against_register(self, rows: list[Row]) -> None:
        found, elsewhere = find_matches(self._sought(row) for row in rows)
        known: list[tuple[Row, int]] = []
        for row in rows:
            matches = found.get(row.number, [])
            if row.number in elsewhere:
                row.refuse("id_number", _("Registered in another area. Ask for a transfer instead."), "elsewhere")
            elif same := next((m for m in matches if m.by_id), None):
                known.append((row, same.person_id))
            elif sure := self._surely(row, matches):
                known.append((row, sure))
            elif maybe := [m.person_id for m in matches if probable(m)]:
                message = _("Perhaps registered already under the same name or number. Decide who it is.")
                row.hold("name", message, "duplicate", sorted(set(maybe)))
        if self.settings.get("mode") == UPDATE:
            roster.compare(known)
        else:
            for row, person_id in known:
                row.known = person_id
                row.refuse("id_number" if row.values.get("id_number") else "name", self._registered(), "registered")

    def _registered(self) -> str:
        return _("Registered already. Choose “bring up to date” for the import, or change the file there.")

    def _sought(self, row: Row) -> Sought:
        given = row.values
        given |= roster.sealed(given)
        return Sought(
            row.number, given["id_index"], given["name"], pinyin_of(given["name"])[0], given["birth_date"],
            given["phone_tail"], given["place"].pk,
        )  # fmt: skip

    def _surely(self, row: Row, matches: list[Match]) -> int | None:
        """In an update, a row without ID number is the one person of its name, birth date, telephone number and community."""
        if self.settings.get("mode") != UPDATE or row.values.get("id_number") or len(matches) != 1:
            return None
        match = matches[0]
        return match.person_id if match.same_region and match.same_phone else None

    # ------------------------------------------------------------ writing
    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        new = [r for r in rows if r.fate == Fate.NEW]
        changed = [r for r in rows if r.fate == Fate.CHANGED]
        _ids, written = roster.register(new, batch, self.today, advance)
        roster.update(changed, batch, self.today, advance)
        if rows:
            emit(events.IMPORTED, path=batch.path, batch=batch.pk, count=len(new), changed=len(changed))
        return written

    def settle(self, row: Row, known_id: int | None, batch) -> int:
        self._check_row(row)
        if row.problems:
            raise Refused("; ".join(message for _key, message, _code in row.problems), code="import.unreadable_row")
        row.values |= roster.sealed(row.values)
        if known_id is not None:
            return roster.settle_same(self.actor, row, known_id, batch, self.today)
        found, elsewhere = find_matches([self._sought(row)])
        if elsewhere or any(m.by_id for m in found.get(row.number, [])):
            raise Refused(_("A person with this ID number is registered already."), code="people.duplicate")
        return roster.register([row], batch, self.today, lambda n: None)[0][0]


def probable(match: Match) -> bool:
    """Whether a match without the same ID number may be the same person: two ID numbers need one more thing in common."""
    return not match.other_id or match.same_phone or match.same_region
