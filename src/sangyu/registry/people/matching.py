"""Who of a list is registered already: one pass for all its rows, by index and join (R-019, R-026). Imported through ``selectors``."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db import connection

from sangyu.kernel import quick
from sangyu.kernel.actor import Actor
from sangyu.kernel.identity import IdNumber, phone_digits

from . import values
from .models import Person, PersonFact


@dataclass(frozen=True, slots=True)
class Sought:
    """One row of a list: what is known of the person. ``key`` is the caller's; the indexes are blind (``values``)."""

    key: int
    id_index: bytes | None
    name: str
    pinyin: str
    birth_date: date | None
    phone_tail: bytes | None = None
    region_id: int | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A registered person for a row. ``by_id``: the ID number is the same. Otherwise name, or pinyin and end of the telephone
    number, agree with the birth date; ``other_id``: both have ID numbers and they differ."""

    person_id: int
    by_id: bool
    other_id: bool
    same_phone: bool
    same_region: bool


@dataclass(frozen=True, slots=True)
class Brief:
    """What a comparison needs of a registered person; ``value`` is that of the fact asked for."""

    id: int
    path: str
    name: str
    sex: str
    birth_date: date | None
    died_on: date | None
    region_name: str
    address: str
    value: str = ""


_BRIEF = ("id", "path", "name", "sex", "birth_date", "died_on", "region__name", "address")


def brief(ids: Iterable[int]) -> dict[int, Brief]:
    """Persons of ``ids`` that the scope sees, in one query."""
    return {row[0]: Brief(*row) for row in Person.objects.filter(pk__in=set(ids)).values_list(*_BRIEF)}


@dataclass(frozen=True, slots=True)
class Home:
    """By what name and where somebody lives; a restricted person has nothing but the name."""

    name: str
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None


def homes(ids: Iterable[int]) -> dict[int, Home]:
    """Persons of ``ids`` that the scope sees: one query, nothing is unsealed."""
    found = quick.rows(_HOMES, [quick.array(set(ids))])  # asked with every alarm
    return {pk: Home(home[0]) if restricted else Home(*home) for pk, restricted, *home in found}


_HOMES = "SELECT id, restricted_at, name, address, latitude, longitude FROM people_person WHERE id = ANY (%s::bigint[])"


def holders(actor: Actor, kind: str, held: Iterable[str], day: date) -> list[Brief]:
    """Living persons of the actor's area for whom the fact ``kind`` has one of the values ``held`` on ``day``."""
    facts = PersonFact.objects.visible_to(actor).filter(kind=kind, value__in=list(held)).on(day)
    live = facts.filter(subject__died_on__isnull=True, subject__merged_into__isnull=True).order_by("subject_id")
    return [Brief(*row) for row in live.values_list(*(f"subject__{c}" for c in _BRIEF), "value")]


def sought(
    key: int,
    *,
    number: IdNumber | None,
    name: str,
    birth_date: date | None,
    phone: str = "",
    region_id: int | None = None,
) -> Sought:
    """What ``find_matches`` looks for, from the values of a row."""
    return Sought(
        key,
        values.blind_index(number.number, values.ID_PURPOSE) if number else None,
        name,
        values.pinyin_of(name)[0],
        birth_date,
        values.tail_index(phone_digits(phone), values.PHONE_PURPOSE),
        region_id,
    )


_MATCHES = """
SELECT s.key, p.id, true, false, false, p.region_id IS NOT DISTINCT FROM s.region_id
  FROM sought s JOIN people_person p ON p.id_index = s.id_index
 WHERE p.merged_into_id IS NULL
UNION ALL
SELECT s.key, p.id, false, p.id_index IS NOT NULL AND s.id_index IS NOT NULL,
       coalesce(p.phone_tail = s.phone_tail, false), coalesce(p.region_id = s.region_id, false)
  FROM sought s JOIN people_person p ON p.name = s.name AND p.birth_date = s.birth_date
 WHERE p.merged_into_id IS NULL AND p.died_on IS NULL AND NOT coalesce(p.id_index = s.id_index, false)
UNION ALL
SELECT s.key, p.id, false, p.id_index IS NOT NULL AND s.id_index IS NOT NULL, true, coalesce(p.region_id = s.region_id, false)
  FROM sought s JOIN people_person p ON p.phone_tail = s.phone_tail AND p.birth_date = s.birth_date AND p.pinyin = s.pinyin
 WHERE p.name <> s.name AND p.merged_into_id IS NULL AND p.died_on IS NULL AND NOT coalesce(p.id_index = s.id_index, false)
"""


def find_matches(sought: Iterable[Sought]) -> tuple[dict[int, list[Match]], set[int]]:
    """Matches by key for persons the scope sees, and the keys whose ID number is registered in another area.

    Three joins whatever the number of rows. Call inside a scope.
    """
    found: dict[int, list[Match]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            'CREATE TEMP TABLE sought (key int, id_index bytea, name varchar COLLATE "C", pinyin varchar COLLATE "C", '
            "birth_date date, phone_tail bytea, region_id bigint)"
        )
        with cursor.copy("COPY sought FROM STDIN") as copy:
            for s in sought:
                copy.write_row((s.key, s.id_index, s.name, s.pinyin, s.birth_date, s.phone_tail, s.region_id))
        cursor.execute("ANALYZE sought")
        cursor.execute(_MATCHES)
        for key, *match in cursor.fetchall():
            found[key].append(Match(*match))
        cursor.execute("SELECT key, id_index FROM sought WHERE id_index IS NOT NULL")
        rest = {bytes(i): k for k, i in cursor.fetchall() if not any(m.by_id for m in found.get(k, ()))}
        cursor.execute("DROP TABLE sought")
        cursor.execute("SELECT sangyu.persons_existing(%s)", [list(rest)])
        elsewhere = {rest[bytes(i)] for (i,) in cursor.fetchall()}
    return dict(found), elsewhere
