"""Search of the register: one box for names, pinyin, numbers and addresses (R-014). Imported through ``selectors``.

Each way uses an index that row-level security allows: equality of blind indexes, ranges in the "C" collation, and for
substrings a definer function that applies the scope itself.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import reduce
from operator import itemgetter, or_
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.utils import timezone

from sangyu.kernel.actor import Actor
from sangyu.kernel.crypto import blind_indexes, tail_indexes
from sangyu.kernel.errors import BadValue
from sangyu.kernel.identity import born_by, half_width, parse_id_number, parse_phone, phone_digits
from sangyu.kernel.scoping import PATH_END, scope

from .enums import Ability, Tag
from .models import Contact, Person, PersonFact
from .values import ID_PURPOSE, PHONE_PURPOSE

#: A search that finds more than this is told to be narrowed; lists without text are not limited.
MOST = 1000
_HIGHEST = "\U0010ffff"


def find_ids(actor: Actor, text: str, *, most: int = MOST, today: date | None = None) -> list[int]:
    """Ids of persons that ``text`` may mean, best kind of match first, at most ``most``.

    Whole or last-four identity or telephone number; beginning of name, pinyin or initials; part of name or address.
    """
    text = half_width(text)
    if not text:
        return []
    with scope(actor):
        if re.fullmatch(r"[\d\sXx()+-]+", text):
            return _by_number(text, most, today or timezone.localdate())
        if re.fullmatch(r"[A-Za-z'\s]+", text):
            found = _by_prefix(("initials", "pinyin", "name"), re.sub(r"['\s]", "", text), most)
        else:
            found = _by_prefix(("name",), text, most)
        if len(text) >= 2 and len(found) < most:
            with connection.cursor() as cursor:
                cursor.execute("SELECT sangyu.people_containing(%s, %s)", [text, most])
                found += [pk for (pk,) in cursor.fetchall()]
    return list(dict.fromkeys(found))[:most]


def _by_prefix(columns: tuple[str, ...], text: str, most: int) -> list[int]:
    """Ids whose first of ``columns`` begins with ``text``, then those of the second …, in one statement."""
    parts = []
    for place, column in enumerate(columns):
        start = text if column == "name" else text.lower()
        rows = Person.objects.filter(**{f"{column}__gte": start, f"{column}__lt": start + _HIGHEST})
        parts.append(rows.order_by(column, "id").annotate(place=Value(place)).values_list("place", "pk")[:most])
    found = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return [pk for _place, pk in sorted(found, key=itemgetter(0))]


def _by_number(text: str, most: int, today: date) -> list[int]:
    compact = re.sub(r"[\s()-]", "", text).upper()
    if re.fullmatch(r"\d{3}[\dX]", compact):
        tails = tail_indexes(compact, ID_PURPOSE)
        ids = list(Person.objects.filter(id_tail__in=tails).values_list("pk", flat=True)[:most])
        tails = tail_indexes(compact, PHONE_PURPOSE)
        ids += Person.objects.filter(phone_tail__in=tails).values_list("pk", flat=True)[:most]
        return list(dict.fromkeys(ids))[:most]
    try:
        number = parse_id_number(compact, today=today).number
        return list(Person.objects.filter(id_index__in=blind_indexes(number, ID_PURPOSE)).values_list("pk", flat=True))
    except BadValue:
        pass
    try:
        return [p.pk for p, _contact in _by_phone(parse_phone(text))]
    except BadValue:
        pass
    with connection.cursor() as cursor:  # a house number, perhaps
        cursor.execute("SELECT sangyu.people_containing(%s, %s)", [text, most])
        return [pk for (pk,) in cursor.fetchall()]


def _by_phone(phone: str) -> list[tuple[Person, Contact | None]]:
    sought = blind_indexes(phone_digits(phone), PHONE_PURPOSE)
    found = [(p, None) for p in Person.objects.select_related("region").filter(phone_index__in=sought)]
    known = {p.pk for p, _none in found}
    named = Contact.objects.select_related("person__region").filter(
        phone_index__in=sought, person__merged_into__isnull=True
    )
    for contact in named.order_by("priority"):
        if contact.person_id not in known:
            known.add(contact.person_id)
            found.append((contact.person, contact))
    return found


def persons_by_phone(actor: Actor, phone: str) -> list[tuple[Person, Contact | None]]:
    """Persons whose own number ``phone`` is (contact None), then those for whom a contact has it: who is calling?"""
    try:
        number = parse_phone(phone)
    except BadValue:
        return []
    with scope(actor):
        return _by_phone(number)


def search(
    actor: Actor, text: str = "", filters: Mapping[str, Any] | None = None, *, day: date | None = None
) -> QuerySet:
    """Persons that match ``text`` and ``filters``; evaluate inside the scope.

    Filters: path (of a region), sex, age_from, age_to, fact (kind, value), care_level, ability (disabled, partly, any), tag, tags (any of them),
    alive (bool), elder (bool), completeness_below. Facts and ages are those of ``day`` (default today).
    """
    day = day or timezone.localdate()
    rows = Person.objects.visible_to(actor)
    if text.strip():
        rows = rows.filter(pk__among=find_ids(actor, text, today=day))
    return narrow(rows, filters or {}, day)


def narrow(rows: QuerySet, given: Mapping[str, Any], day: date) -> QuerySet:
    """``rows`` of persons under the conditions of ``search``."""
    if path := given.get("path"):
        rows = rows.filter(path__gte=path, path__lt=path + PATH_END)
    if sex := given.get("sex"):
        rows = rows.filter(sex=sex)
    if (age := given.get("age_from")) is not None:
        rows = rows.filter(birth_date__lte=born_by(int(age), day))
    if (age := given.get("age_to")) is not None:
        rows = rows.filter(birth_date__gt=born_by(int(age) + 1, day))
    if given.get("elder") is not None:
        rows = rows.filter(registered_on__isnull=not given["elder"])
    if given.get("alive") is not None:
        rows = rows.filter(died_on__isnull=bool(given["alive"]))
    if (score := given.get("completeness_below")) is not None:
        rows = rows.filter(completeness__lt=int(score))
    if level := given.get("care_level"):
        rows = rows.filter(_holds("care_level", [level], day))
    if ability := given.get("ability"):
        parts = list(Ability) if ability == "any" else [Ability(ability)]
        rows = rows.filter(_holds("care_level", [level for part in parts for level in part.levels], day))
    if fact := given.get("fact"):
        rows = rows.filter(_holds(fact[0], [fact[1]], day))
    if tag := given.get("tag"):
        rows = rows.filter(_tagged(tag, day))
    if tags := given.get("tags"):
        rows = rows.filter(reduce(or_, (_tagged(tag, day) for tag in tags)))
    return rows


def _holds(kind: str, values: list[str], day: date) -> Exists:
    return Exists(PersonFact.objects.filter(subject=OuterRef("pk"), kind=kind, value__in=values).on(day))


def _tagged(tag: str, day: date) -> Q:
    from .selectors import VERY_OLD, tag_condition

    if tag == Tag.VERY_OLD:
        return Q(birth_date__lte=born_by(VERY_OLD, day))
    condition = Q(pk__in=[])
    for kind, values in tag_condition(tag):
        condition |= Q(_holds(kind, values, day))
    return condition
