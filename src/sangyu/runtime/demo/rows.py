"""The rows of drawn elders, as COPY reads them: shared out over processes, because drawing and encrypting cost more than writing."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache

from sangyu.kernel.crypto import blind_index, encrypt, tail_index
from sangyu.registry.people.enums import Part
from sangyu.registry.people.models import Contact, Person
from sangyu.registry.people.values import ID_PURPOSE, PHONE_PURPOSE, WEIGHTS

from .elders import Draw, Elder, Numbers
from .encoding import encode
from .places import Place

SHANGHAI = timezone(timedelta(hours=8))
#: Contacts that one elder can have.
CONTACTS_EACH = 3
#: Communities in one share of the work: large enough to be worth a message, small enough to be even.
_ID, _PHONE, _CONTACT = (
    m._meta.get_field(f).purpose for m, f in ((Person, "id_number"), (Person, "phone"), (Contact, "phone"))
)
PERSON = (
    "id", "name", "pinyin", "initials", "sex", "birth_date", "id_kind", "id_number", "id_index", "id_tail", "phone",
    "phone_index", "phone_tail", "region_id", "path", "household_id", "address", "registered_address", "latitude",
    "longitude", "ethnicity", "marriage", "education", "needs", "registered_on", "died_on", "source", "completeness",
    "checked_on", "created_at", "updated_at",
)  # fmt: skip
HOUSEHOLD = ("id", "region_id", "path", "address", "housing", "floor", "has_lift", "note")
FACT = (
    "subject_id", "path", "kind", "value", "valid_from", "valid_to", "recorded_at", "superseded_at", "source", "note",
)  # fmt: skip
CONTACTS = (
    "id", "person_id", "path", "name", "relation", "phone", "phone_index", "phone_tail", "priority", "is_guardian",
    "is_carer", "lives_with", "address", "note",
)  # fmt: skip
CONSENT = (
    "person_id", "path", "purpose", "version", "extent", "contact_id", "given_by", "given_on", "withdrawn_on",
    "withdrawn_reason", "parts", "proof", "witness",
)  # fmt: skip

#: What a relative sees by a consent of the demo: everything.
_PARTS = "{" + ",".join(Part.values) + "}"


@dataclass
class Share:
    """A part of the city that is drawn by itself: its communities, and where its numbers and ids begin.

    The parts are the same whatever the number of processes, so that the same seed gives the same people.
    """

    seed: str
    today: date
    #: (community, living, dead)
    communities: list[tuple[Place, int, int]] = field(default_factory=list)
    part: int = 0
    parts: int = 1
    next_id: int = 0
    next_household: int = 0
    next_contact: int = 0
    serial: int = 0
    relatives: int = 0
    difficult: dict[int, bool] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(living + dead for _place, living, dead in self.communities)

    def written(self, batch: int):
        """(persons, {table: rows as COPY text}) in batches of about ``batch`` persons."""
        draw = Draw(
            today=self.today,
            seed=self.seed,
            next_id=self.next_id,
            difficult=self.difficult,
            numbers=Numbers(self.part, self.parts),
            serial=self.serial,
            next_household=self.next_household,
            relatives=self.relatives,
        )
        rows = Rows(self.next_contact)
        for place, living, dead in self.communities:
            rows.add(place, *draw.community(place, living, dead))
            if len(rows.persons) >= batch:
                yield rows.flush()
        yield rows.flush()


class Rows:
    """Collects the rows of a batch."""

    def __init__(self, next_contact: int) -> None:
        self.contact = next_contact
        self._empty()

    def _empty(self) -> None:
        self.persons, self.facts, self.contacts, self.consents, self.households = [], [], [], [], []

    def flush(self) -> tuple[int, dict[str, bytes]]:
        count = len(self.persons)
        made = {
            "Household": encode(self.households),
            "Person": encode(self.persons),
            "PersonFact": encode(self.facts),
            "Contact": encode(self.contacts),
            "Consent": encode(self.consents),
        }
        self._empty()
        return count, made

    def add(self, place: Place, people: list[Elder], homes: list[tuple]) -> None:
        """The rows of one community."""
        path = place.path
        self.households += [
            (pk, place.region_id, path, address, housing, floor, lift, "")
            for pk, address, housing, floor, lift in homes
        ]
        for e in people:
            self.persons.append(_person(e, place))
            self.facts += [
                (
                    e.id,
                    path,
                    str(kind),
                    str(value),
                    since,
                    to,
                    _at(recorded),
                    superseded and _at(superseded),
                    source,
                    "",
                )
                for kind, value, since, to, recorded, superseded, source in e.facts
            ]
            first = self.contact
            for name, relation, phone, priority, carer, together in e.contacts:
                self.contacts.append(
                    (
                        self.contact, e.id, path, name, str(relation), encrypt(phone, _CONTACT), blind_index(phone, PHONE_PURPOSE),
                        tail_index(phone, PHONE_PURPOSE), priority, False, carer, together, "", "演示号码",
                    )
                )  # fmt: skip
                self.contact += 1
            for purpose, given, position in e.consents:
                who = None if position is None else first + position
                self.consents.append(
                    (
                        e.id,
                        path,
                        purpose,
                        "2026-1",
                        "",
                        who,
                        "self",
                        given,
                        None,
                        "",
                        _PARTS if who else "{}",
                        "paper",
                        "",
                    )
                )


def _person(e: Elder, place: Place) -> tuple:
    number, phone = e.id_number, e.phone
    placed = e.latitude is not None
    kinds = {f[0] for f in e.facts}
    known = (
        (number, "id_number"), (phone or e.contacts, "phone_or_contact"), (e.address, "address"), (placed, "place"),
        (e.contacts, "contact"), (e.household, "household"), (e.needs, "needs"), ("living" in kinds, "living"),
        ("income_category" in kinds, "income_category"), ("care_level" in kinds, "care_level"),
    )  # fmt: skip
    made = _at(e.registered_on)
    return (
        e.id, e.name.text, e.name.pinyin, e.name.initials, e.sex, e.birth,
        "citizen" if number else "",
        encrypt(number, _ID) if number else None,
        blind_index(number, ID_PURPOSE),
        tail_index(number, ID_PURPOSE),
        encrypt(phone, _PHONE) if phone else None,
        blind_index(phone, PHONE_PURPOSE),
        tail_index(phone, PHONE_PURPOSE),
        place.region_id, place.path, e.household, e.address, e.registered_address,
        e.latitude, e.longitude if placed else None,
        e.ethnicity, str(e.marriage), str(e.education), e.needs, e.registered_on, e.died_on, e.source,
        sum(WEIGHTS[item] for there, item in known if there),
        e.checked_on, made, _at(max(filter(None, (e.checked_on, e.died_on, e.registered_on)))),
    )  # fmt: skip


@lru_cache(maxsize=10_000)
def _at(day: date) -> datetime:
    """Office hours of ``day``."""
    return datetime.combine(day, time(9 + day.toordinal() % 8, day.toordinal() * 7 % 60), SHANGHAI)
