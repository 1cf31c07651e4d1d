"""Pairs that may be one human being, found and weighed by set-based SQL (R-026).

A pass copies what is compared into one narrow passing table, joins it with itself on a few blocking keys and weighs each pair
once. No loop over rows; 549,000 files are one pass (``bench/duplicates.py``).
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

from .rules import Rules

#: What is compared, one row a file; ``fresh`` marks the files of an incremental pass. Paths: 12 county, 15 street, 18 community.
_FILES = """
CREATE TEMP TABLE duplicate_file ON COMMIT DROP AS
SELECT id, name, pinyin, left(name, 1) AS surname, birth_date AS birth, to_char(birth_date, 'YYYYMMDD')::int AS digits,
       extract(year FROM birth_date)::int AS year,
       least(extract(month FROM birth_date), extract(day FROM birth_date))::int * 100
         + greatest(extract(month FROM birth_date), extract(day FROM birth_date))::int AS monthday,
       sex, phone_index AS phone, phone_tail AS tail, id_index AS identity, path, left(path, 12) AS county,
       left(path, 15) AS street, address, nullif(regexp_replace(address, '[^0-9]', '', 'g'), '') AS house, {fresh} AS fresh
  FROM people_person WHERE merged_into_id IS NULL AND died_on IS NULL
"""
_NAMES = """
CREATE TEMP TABLE duplicate_name ON COMMIT DROP AS
SELECT name, CASE WHEN count(*) > {total} * {common} THEN 'same_common' WHEN count(*) <= greatest(2, {total} * {rare}) THEN 'same_rare'
       ELSE 'same' END AS level FROM duplicate_file GROUP BY name
"""
#: Blocking keys: what two files must share to be compared. Together they survive one fault in any of name, birthday,
#: telephone and place, and most pairs of faults.
BLOCKS: tuple[tuple[str, str], ...] = (
    ("reading and birthday", "a.pinyin = b.pinyin AND a.birth = b.birth"),
    ("surname and birthday", "a.surname = b.surname AND a.birth = b.birth"),
    ("telephone", "a.phone = b.phone"),
    ("reading and street", "a.pinyin = b.pinyin AND a.street = b.street"),
    ("reading, county and year", "a.pinyin = b.pinyin AND a.county = b.county AND a.year = b.year"),
    ("reading, county and day", "a.pinyin = b.pinyin AND a.county = b.county AND a.monthday = b.monthday"),
    ("community and birthday", "a.path = b.path AND a.birth = b.birth"),
    ("community, house and surname", "a.path = b.path AND a.house = b.house AND a.surname = b.surname"),
)
_WHOLE = "a.id < b.id"
_FRESH = "a.fresh AND b.id <> a.id AND (NOT b.fresh OR a.id < b.id)"

_NAME = """
CASE WHEN a.name = b.name THEN (SELECT level FROM duplicate_name n WHERE n.name = a.name)
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
     WHEN a.year = b.year AND a.monthday = b.monthday THEN 'swapped'
     WHEN length(rtrim(abs(a.digits - b.digits)::text, '0')) = 1 THEN 'digit'
     WHEN a.year = b.year THEN 'year' ELSE 'other' END
"""
_SEX = "CASE WHEN a.sex NOT IN ('1', '2') OR b.sex NOT IN ('1', '2') THEN 'unknown' WHEN a.sex = b.sex THEN 'same' ELSE 'other' END"
_PHONE = """
CASE WHEN a.phone IS NULL OR b.phone IS NULL THEN 'unknown' WHEN a.phone = b.phone THEN 'same' WHEN a.tail = b.tail THEN 'tail'
     ELSE 'other' END
"""
_IDENTITY = "CASE WHEN a.identity IS NULL OR b.identity IS NULL THEN 'unknown' ELSE 'other' END"
_AREA = """
CASE WHEN a.path = b.path THEN 'community' WHEN a.street = b.street THEN 'street' WHEN a.county = b.county THEN 'county'
     ELSE 'other' END
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


def find(rules: Rules, *, fresh: str = "true", whole: bool = True, told: Told = lambda what: None) -> Found:
    """Weigh all pairs in the open scope into the passing table ``duplicate_pair`` (first, second, score, levels, path).

    ``fresh`` is an SQL condition on people_person: with ``whole=False`` only pairs with such a file are compared.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '128MB'")
        cursor.execute("SET LOCAL jit = off")
        cursor.execute(_FILES.format(fresh=fresh))
        cursor.execute("ANALYZE duplicate_file")
        cursor.execute("SELECT count(*) FROM duplicate_file")
        (total,) = cursor.fetchone()
        cursor.execute(_NAMES.format(total=total, common=rules.common_name, rare=rules.rare_name))
        cursor.execute("CREATE UNIQUE INDEX ON duplicate_name (name)")
        cursor.execute("ANALYZE duplicate_name")
        told("files")
        cursor.execute("CREATE TEMP TABLE duplicate_block (a bigint, b bigint) ON COMMIT DROP")
        condition = _WHOLE if whole else _FRESH
        for name, keys in BLOCKS:
            cursor.execute(
                f"INSERT INTO duplicate_block SELECT least(a.id, b.id), greatest(a.id, b.id) "
                f"FROM duplicate_file a JOIN duplicate_file b ON {keys} WHERE {condition}"
            )
            told(name)
        cursor.execute("CREATE TEMP TABLE duplicate_two ON COMMIT DROP AS SELECT DISTINCT a, b FROM duplicate_block")
        cursor.execute("ANALYZE duplicate_two")
        cursor.execute("SELECT count(*) FROM duplicate_two")
        (compared,) = cursor.fetchone()
        cursor.execute(_weighed(rules))
        kept = cursor.rowcount
        told("scores")
        cursor.execute("DROP TABLE duplicate_block, duplicate_two, duplicate_name, duplicate_file")
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
  FROM duplicate_two t JOIN duplicate_file a ON a.id = t.a JOIN duplicate_file b ON b.id = t.b
 CROSS JOIN LATERAL (SELECT {_NAME} AS name, {_BIRTH} AS birth, {_SEX} AS sex, {_PHONE} AS phone, {_IDENTITY} AS identity,
                            {_AREA} AS area OFFSET 0) l
 CROSS JOIN LATERAL (SELECT {cheap} AS score OFFSET 0) c
 CROSS JOIN LATERAL (SELECT CASE WHEN c.score + {most} < {rules.review} THEN 'other' ELSE {address} END AS address OFFSET 0) l2
 CROSS JOIN LATERAL (SELECT {_TWINS} AS twins OFFSET 0) l3
 CROSS JOIN LATERAL (SELECT (c.score + {points("address", "l2.address")} + {points("twins", "l3.twins")})::real AS score OFFSET 0) s
 WHERE s.score >= {rules.review}
"""
