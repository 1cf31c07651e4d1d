"""Pairs that may be one human being, found and weighed by set-based SQL (R-026).

A pass copies what is compared into one narrow passing table, joins it with itself on a few blocking keys and weighs each pair
once. No loop over rows; 549,000 files are one pass (``bench/duplicates.py``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from .rules import Rules

#: What is compared, one row a file; ``fresh`` marks the files of an incremental pass. Paths: 12 county, 15 street, 18 community.
_FILES = """
CREATE TEMP TABLE duplicate_file ON COMMIT DROP AS
SELECT id, name, pinyin, left(name, 1) AS surname, birth_date AS birth,
       extract(year FROM birth_date)::int AS year, extract(month FROM birth_date)::int AS month, extract(day FROM birth_date)::int AS day,
       sex, phone_index AS phone, phone_tail AS tail, id_index AS identity, path, address,
       nullif(translate(address, translate(address, '0123456789', ''), ''), '') AS house, {fresh} AS fresh
  FROM {source} WHERE merged_into_id IS NULL AND died_on IS NULL
"""
#: The blocking keys as numbers: narrow rows join faster. Two texts with one number are only compared in vain.
_KEYS = """
CREATE TEMP TABLE duplicate_key ON COMMIT DROP AS
SELECT id, fresh, birth, year, least(month, day) * 100 + greatest(month, day) AS monthday, hashtext(pinyin) AS reading,
       ascii(name) AS surname, ascii(substr(name, 2, 1)) AS second, ascii(right(name, 1)) AS last, hashtext(path) AS community,
       hashtext(left(path, 15)) AS street, hashtext(left(path, 12)) AS county, hashtext(house) AS house, phone
  FROM duplicate_file
"""
_NAMES = """
CREATE TEMP TABLE duplicate_name ON COMMIT DROP AS
SELECT name, CASE WHEN count(*) > {total} * {common} THEN 'same_common' WHEN count(*) <= greatest(2, {total} * {rare}) THEN 'same_rare'
       ELSE 'same' END AS level FROM duplicate_file GROUP BY name
"""
#: Blocking keys: what two files must share to be compared. Together they survive one fault in any of name, birthday,
#: telephone and place, and most pairs of faults.
BLOCKS: tuple[tuple[str, str], ...] = (
    ("reading and birthday", "a.birth = b.birth AND a.reading = b.reading"),
    (
        "surname, birthday and one more character",
        "a.birth = b.birth AND a.surname = b.surname AND (a.second = b.second OR a.last = b.last OR a.second = b.last OR a.last = b.second)",
    ),
    ("community and birthday", "a.birth = b.birth AND a.community = b.community"),
    ("telephone", "a.phone = b.phone"),
    (
        "reading and county, with street, year or day",
        "a.reading = b.reading AND a.county = b.county AND (a.street = b.street OR a.year = b.year OR a.monthday = b.monthday)",
    ),
    ("community, house and surname", "a.house = b.house AND a.community = b.community AND a.surname = b.surname"),
)
_WHOLE = "a.id < b.id"
_FRESH = "a.fresh AND b.id <> a.id AND (NOT b.fresh OR a.id < b.id)"

_NAME = """
CASE WHEN a.name = b.name THEN n.level
     WHEN a.pinyin = b.pinyin THEN 'pinyin'
     WHEN a.surname = b.surname AND length(a.name) = length(b.name) AND reverse(substr(a.name, 2)) = substr(b.name, 2) THEN 'swapped'
     WHEN length(a.name) = 2 AND length(b.name) = 2 AND a.surname = b.surname THEN 'surname'
     WHEN length(a.name) = length(b.name) AND length(a.name) > 2 AND
          (substr(a.name, 1, 1) <> substr(b.name, 1, 1))::int + (substr(a.name, 2, 1) <> substr(b.name, 2, 1))::int
        + (substr(a.name, 3, 1) <> substr(b.name, 3, 1))::int + (substr(a.name, 4) <> substr(b.name, 4))::int = 1 THEN 'one'
     WHEN length(a.name) = length(b.name) + 1 AND b.name IN (overlay(a.name placing '' from 1 for 1),
          overlay(a.name placing '' from 2 for 1), overlay(a.name placing '' from 3 for 1)) THEN 'missing'
     WHEN length(b.name) = length(a.name) + 1 AND a.name IN (overlay(b.name placing '' from 1 for 1),
          overlay(b.name placing '' from 2 for 1), overlay(b.name placing '' from 3 for 1)) THEN 'missing'
     ELSE 'other' END
"""
_BIRTH = """
CASE WHEN a.birth IS NULL OR b.birth IS NULL THEN 'unknown' WHEN a.birth = b.birth THEN 'same'
     WHEN a.year = b.year AND a.month = b.day AND a.day = b.month THEN 'swapped'
     WHEN length(rtrim(abs((a.year - b.year) * 10000 + (a.month - b.month) * 100 + a.day - b.day)::text, '0')) = 1 THEN 'digit'
     WHEN a.year = b.year THEN 'year' ELSE 'other' END
"""
_SEX = "CASE WHEN a.sex NOT IN ('1', '2') OR b.sex NOT IN ('1', '2') THEN 'unknown' WHEN a.sex = b.sex THEN 'same' ELSE 'other' END"
_PHONE = """
CASE WHEN a.phone IS NULL OR b.phone IS NULL THEN 'unknown' WHEN a.phone = b.phone THEN 'same' WHEN a.tail = b.tail THEN 'tail'
     ELSE 'other' END
"""
_IDENTITY = "CASE WHEN a.identity IS NULL OR b.identity IS NULL THEN 'unknown' ELSE 'other' END"
_AREA = """
CASE WHEN a.path = '' OR b.path = '' THEN 'unknown' WHEN a.path = b.path THEN 'community' WHEN left(a.path, 15) = left(b.path, 15) THEN 'street'
     WHEN left(a.path, 12) = left(b.path, 12) THEN 'county' ELSE 'other' END
"""
_ADDRESS = """
CASE WHEN a.address = '' OR b.address = '' THEN 'unknown' WHEN a.address = b.address OR (a.path = b.path AND a.house = b.house AND length(a.house) > 3) THEN 'same'
     ELSE (SELECT CASE WHEN s >= {same} THEN 'same' WHEN s >= {alike} THEN 'alike' ELSE 'other' END
             FROM similarity(a.address, b.address) s) END
"""
#: Brothers and sisters share the first character of the given name more often than the last.
_TWINS = """
CASE WHEN l.name IN ('one', 'surname', 'other') AND right(a.name, 1) <> right(b.name, 1) AND l.birth = 'same' AND a.surname = b.surname
          AND a.path = b.path AND (a.phone = b.phone OR l2.address IN ('same', 'alike')) THEN 'likely' ELSE 'none' END
"""

#: Files that somebody who is about to be registered may be: each way is an index of the register.
_NEAR = """
SELECT id FROM people_person WHERE birth_date = %(birth_date)s AND name >= %(surname)s AND name < %(surname)s || chr(1114111)
UNION SELECT id FROM people_person WHERE phone_index = %(phone_index)s
UNION SELECT id FROM people_person WHERE pinyin = %(pinyin)s AND path >= %(street)s AND path < %(street)s || '~'
UNION SELECT id FROM people_person WHERE pinyin = %(pinyin)s
   AND birth_date BETWEEN %(birth_date)s::date - 400 AND %(birth_date)s::date + 400
"""
#: The person on the form beside those files, as file 0.
_ASKED = """
(SELECT id, name, pinyin, birth_date, sex, phone_index, phone_tail, id_index, path, address, merged_into_id, died_on
   FROM people_person WHERE id = ANY (%(near)s)
 UNION ALL SELECT 0, %(name)s, %(pinyin)s, %(birth_date)s::date, %(sex)s, %(phone_index)s::bytea, %(phone_tail)s::bytea,
       %(id_index)s::bytea, %(path)s, %(address)s, NULL, NULL) asked
"""

_COLUMNS = ("name", "pinyin", "birth_date", "sex", "phone_index", "phone_tail", "id_index", "path", "address")

#: Told after each step: what was done.
Told = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """How many pairs were compared, and how many of them reach the score of review."""

    compared: int
    kept: int


def steps() -> int:
    """How often ``told`` is called."""
    return len(BLOCKS) + 3


def similar(rules: Rules, asked: dict[str, Any]) -> list[tuple[int, float, list[str]]]:
    """(file, score, findings) of files in the open scope that the person on a form may be, most likely first.

    ``asked``: name, pinyin, birth_date, sex, phone_index, phone_tail, id_index, path, address; None where unknown.
    """
    values = {**dict.fromkeys(_COLUMNS), "sex": "", "path": "", "address": "", **asked}
    if not values["name"]:
        return []
    values |= {"surname": values["name"][0], "street": (values["path"] or "?")[:15]}
    with connection.cursor() as cursor:
        cursor.execute(_NEAR, values)
        values["near"] = [pk for (pk,) in cursor.fetchall()]
        if not values["near"]:
            return []
        find(rules, fresh="id = 0", whole=False, source=_ASKED, values=values)
        cursor.execute(
            "SELECT first + second, score, levels FROM duplicate_pair WHERE first = 0 ORDER BY score DESC LIMIT 5"
        )
        found = [(pk, score, levels) for pk, score, levels in cursor.fetchall()]
        cursor.execute("DROP TABLE duplicate_pair")
    return found


def find(
    rules: Rules,
    *,
    fresh: str = "true",
    whole: bool = True,
    told: Told = lambda what: None,
    source: str = "people_person",
    values: dict[str, Any] | None = None,
) -> Found:
    """Weigh all pairs in the open scope into the passing table ``duplicate_pair`` (first, second, score, levels, path).

    ``fresh`` is an SQL condition on people_person: with ``whole=False`` only pairs with such a file are compared.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '128MB'")
        cursor.execute("SET LOCAL jit = off")
        cursor.execute("SET LOCAL enable_memoize = off")
        cursor.execute(_FILES.format(fresh=fresh, source=source), values)
        cursor.execute("ANALYZE duplicate_file")
        cursor.execute("SELECT count(*) FROM duplicate_file")
        (total,) = cursor.fetchone()
        cursor.execute(_NAMES.format(total=total, common=rules.common_name, rare=rules.rare_name))
        cursor.execute("ANALYZE duplicate_name")
        cursor.execute(_KEYS)
        cursor.execute("ANALYZE duplicate_key")
        told("files")
        cursor.execute("CREATE TEMP TABLE duplicate_block (a bigint, b bigint) ON COMMIT DROP")
        condition = _WHOLE if whole else _FRESH
        for name, keys in BLOCKS:
            cursor.execute(
                f"INSERT INTO duplicate_block SELECT least(a.id, b.id), greatest(a.id, b.id) "
                f"FROM duplicate_key a JOIN duplicate_key b ON {keys} WHERE {condition}"
            )
            told(name)
        cursor.execute("CREATE TEMP TABLE duplicate_two ON COMMIT DROP AS SELECT DISTINCT a, b FROM duplicate_block")
        cursor.execute("ANALYZE duplicate_two")
        cursor.execute("SELECT count(*) FROM duplicate_two")
        (compared,) = cursor.fetchone()
        cursor.execute(_weighed(rules))
        kept = cursor.rowcount
        told("scores")
        cursor.execute("DROP TABLE duplicate_block, duplicate_two, duplicate_name, duplicate_key, duplicate_file")
        told("done")
    return Found(compared, kept)


def _weighed(rules: Rules) -> str:
    """Levels first, then their points; pairs that cannot reach the threshold without the address do not ask for it."""

    def points(feature: str, column: str) -> str:
        cases = " ".join(f"WHEN '{level}' THEN {value}" for level, value in rules.points[feature].items())
        return f"(CASE {column} {cases} ELSE 0 END)"

    cheap = " + ".join(points(f, f"l.{f}") for f in ("name", "birth", "sex", "phone", "identity", "area"))
    most = max(rules.points["address"].values())
    address = _ADDRESS.format(same=rules.address_same, alike=rules.address_alike)
    return f"""
CREATE TEMP TABLE duplicate_pair ON COMMIT DROP AS
SELECT t.a AS first, t.b AS second, s.score, ARRAY['name.' || l.name, 'birth.' || l.birth, 'sex.' || l.sex, 'phone.' || l.phone,
       'identity.' || l.identity, 'area.' || l.area, 'address.' || l2.address, 'twins.' || l3.twins] AS levels,
       sangyu.common_path(a.path, b.path) AS path
  FROM duplicate_two t JOIN duplicate_file a ON a.id = t.a JOIN duplicate_file b ON b.id = t.b JOIN duplicate_name n ON n.name = a.name
 CROSS JOIN LATERAL (SELECT {_NAME} AS name, {_BIRTH} AS birth, {_SEX} AS sex, {_PHONE} AS phone, {_IDENTITY} AS identity,
                            {_AREA} AS area OFFSET 0) l
 CROSS JOIN LATERAL (SELECT {cheap} AS score OFFSET 0) c
 CROSS JOIN LATERAL (SELECT CASE WHEN c.score + {most} < {rules.review} THEN 'other' ELSE {address} END AS address OFFSET 0) l2
 CROSS JOIN LATERAL (SELECT {_TWINS} AS twins OFFSET 0) l3
 CROSS JOIN LATERAL (SELECT (c.score + {points("address", "l2.address")} + {points("twins", "l3.twins")})::real AS score OFFSET 0) s
 WHERE s.score >= {rules.review}
"""
