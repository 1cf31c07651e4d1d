"""The register of a demo city: draws the elders community by community and copies them in, with memory bounded by a batch."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from random import Random

from django.db import transaction

from sangyu.kernel.crypto import blind_index, encrypt, tail_index
from sangyu.registry.people.models import Consent, Contact, Household, Person, PersonFact
from sangyu.registry.people.values import ID_PURPOSE, PHONE_PURPOSE, WEIGHTS

from . import shares
from .copying import analyse, bare_tables, copy_rows, reserve_ids, say_who
from .elders import Draw, Elder
from .places import Place, share_out

#: From this many persons on the load goes into bare tables; from the second on the history begins after it.
LARGE, HUGE = 1_000, 50_000
BATCH = 4_000
SHANGHAI = timezone(timedelta(hours=8))
_ID, _PHONE, _CONTACT = (
    m._meta.get_field(f).purpose for m, f in ((Person, "id_number"), (Person, "phone"), (Contact, "phone"))
)
_PERSON = (
    "id", "name", "pinyin", "initials", "sex", "birth_date", "id_kind", "id_number", "id_index", "id_tail", "phone",
    "phone_index", "phone_tail", "region_id", "path", "household_id", "address", "registered_address", "latitude",
    "longitude", "ethnicity", "marriage", "education", "needs", "registered_on", "died_on", "source", "completeness",
    "checked_on", "created_at", "updated_at",
)  # fmt: skip
_HOUSEHOLD = ("id", "region_id", "path", "address", "housing", "floor", "has_lift", "note")
_FACT = (
    "subject_id", "path", "kind", "value", "valid_from", "valid_to", "recorded_at", "superseded_at", "source", "note",
)  # fmt: skip
_CONTACTS = (
    "id", "person_id", "path", "name", "relation", "phone", "phone_index", "phone_tail", "priority", "is_guardian",
    "is_carer", "lives_with", "address", "note",
)  # fmt: skip
_CONSENT = (
    "person_id", "path", "purpose", "version", "extent", "contact_id", "given_by", "given_on", "withdrawn_on",
    "withdrawn_reason",
)  # fmt: skip
MODELS = (Household, Person, PersonFact, Contact, Consent)


def load_people(places: list[Place], elders: int, *, today: date, seed: str, step: Callable[[int], None]) -> int:
    """Write ``elders`` living elders (and some who died) into the register of ``places``; returns the persons written.

    One transaction. The same seed and day give the same people; only the ciphertext differs. ``step`` is told how many rows
    of persons were written since the last call.
    """
    counts = share_out(elders, [p.weight for p in places])
    dead = share_out(round(elders * shares.DECEASED / 100), [p.weight for p in places])
    disabled, partly = shares.difficult(elders)
    serials = Random(f"{seed} difficult").sample(range(elders), disabled + partly)
    whole = elders + sum(dead)
    with transaction.atomic():
        say_who()
        draw = Draw(
            today=today,
            seed=seed,
            next_id=reserve_ids(Person, whole),
            difficult={serial: i < disabled for i, serial in enumerate(serials)},
            next_household=reserve_ids(Household, whole),
        )
        if whole >= LARGE:
            with bare_tables(*MODELS, history=whole < HUGE):
                _write_all(draw, places, counts, dead, step)
        else:
            _write_all(draw, places, counts, dead, step)
    analyse(*MODELS)
    return whole


def _write_all(
    draw: Draw, places: list[Place], counts: list[int], dead: list[int], step: Callable[[int], None]
) -> None:
    batch: list[tuple[Place, list[Elder], list[tuple]]] = []
    size = 0
    for place, living, gone in zip(places, counts, dead, strict=True):
        people, households = draw.community(place, living, gone)
        batch.append((place, people, households))
        size += len(people)
        if size >= BATCH:
            _write(batch, draw.today)
            step(size)
            batch, size = [], 0
    _write(batch, draw.today)
    step(size)


def _write(batch: list[tuple[Place, list[Elder], list[tuple]]], today: date) -> None:
    contact = reserve_ids(Contact, sum(len(e.contacts) for _p, people, _h in batch for e in people))
    persons, facts, contacts, consents, households = [], [], [], [], []
    for place, people, homes in batch:
        path = place.path
        households += [
            (pk, place.region_id, path, address, housing, floor, lift, "")
            for pk, address, housing, floor, lift in homes
        ]
        for e in people:
            persons.append(_person(e, place))
            for kind, value, since, to, recorded, superseded, source in e.facts:
                facts.append(
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
                )
            first = contact
            for name, relation, phone, priority, carer, together in e.contacts:
                contacts.append(
                    (
                        contact, e.id, path, name, str(relation), encrypt(phone, _CONTACT), blind_index(phone, PHONE_PURPOSE),
                        tail_index(phone, PHONE_PURPOSE), priority, False, carer, together, "", "演示号码",
                    )
                )  # fmt: skip
                contact += 1
            for purpose, given, position in e.consents:
                who = None if position is None else first + position
                consents.append((e.id, path, purpose, "2026-1", "", who, "self", given, None, ""))
    copy_rows(Household, _HOUSEHOLD, households)
    copy_rows(Person, _PERSON, persons)
    copy_rows(PersonFact, _FACT, facts)
    copy_rows(Contact, _CONTACTS, contacts)
    copy_rows(Consent, _CONSENT, consents)


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
