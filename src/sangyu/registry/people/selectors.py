"""Questions about persons. All run in the actor's scope: what it does not see does not exist."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from sangyu.kernel import quick
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.audit import changes_of
from sangyu.kernel.crypto import decrypt_history
from sangyu.kernel.errors import NotVisible, Replaced
from sangyu.kernel.identity import age_on, born_by, mask_id_number, mask_phone
from sangyu.kernel.scoping import scope

from .enums import FACT_VALUES, CareLevel, FactKind, IncomeCategory, Living, Sex, Tag, fact_label
from .finding import find_ids, narrow, persons_by_phone, search
from .health import health_lines, health_of, look_at_health
from .matching import brief, find_matches, holders, homes, sought
from .merges import compared_columns, holder_of, merge_record, merges_of, names_of, survivor
from .restricting import is_restricted, refuse_restricted, refuse_use, restricted_among
from .values import disagreements
from .words import read_status

__all__ = [
    "FACT_VALUES", "PersonCard", "brief", "compared_columns", "consent_in_force", "consents_held", "contacts", "contacts_of", "disagreements", "elders", "fact_label", "facts_of", "facts_on",
    "find_ids", "find_matches", "get_person", "health_lines", "health_of", "history_of", "holder_of", "holders", "homes", "is_restricted", "locked_person", "look_at_health", "merge_record", "merged_into", "merges_of",
    "missing", "names_of", "narrow", "paths_of",
    "person_card", "person_cards", "persons_by_phone", "read_status", "refuse_restricted", "refuse_use", "restricted_among", "search", "sought", "survivor", "tags",
    "tags_of", "tags_on",
]  # fmt: skip

VERY_OLD = 80
ELDER = 60


def _persons() -> QuerySet:
    from .models import Person

    return Person.objects.select_related("region")


def get_person(actor: Actor, pk: int):
    """The person with its region. Raises NotVisible."""
    with scope(actor):
        person = _persons().filter(pk=pk).first()
        if person is None:
            raise _missing(pk)
    return person


def _missing(pk: int) -> NotVisible:
    """Why there is no person ``pk``: unknown and out of scope are not told apart; a merged file says where it went."""
    from .models import Person

    into = Person.survivor_of(pk)
    return Replaced(pk, into) if into else NotVisible()


def locked_person(pk: int):
    """The person's row, locked, for services of other rooms that hang rows on it. Raises NotVisible. Call inside a scope."""
    from .store import locked

    return locked(pk)


def sees_part(actor: Actor, person_id: int, part: str) -> bool:
    """Whether a relative's consent opens ``part`` of the file (R-027); other audiences are not asked. Call inside a scope."""
    if actor.audience is not Audience.FAMILY:
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s IN (SELECT sangyu.shared_ids(%s))", [person_id, part])
        return cursor.fetchone()[0]


def missing(person) -> list:
    """Items that the person's file lacks, the heaviest first: label, weight, page to fill in (R-015). Call inside a scope."""
    from .completeness import missing

    return missing(person)


def paths_of(pks: Iterable[int]) -> dict[int, str]:
    """Path by id of those of ``pks`` that the open scope sees, in the order of ids."""
    from .models import Person

    return dict(Person.objects.filter(pk__in=list(pks)).order_by("pk").values_list("pk", "path"))


def elders(actor: Actor, day: date, *, age: int = ELDER) -> QuerySet:
    """Living persons of the register, but for restricted ones, who have completed ``age`` years on ``day`` (R-013). Evaluate inside the scope."""
    from .models import Person

    return Person.objects.visible_to(actor).filter(
        registered_on__isnull=False, died_on__isnull=True, restricted_at__isnull=True, birth_date__lte=born_by(age, day)
    )


# ---------------------------------------------------------------- facts
def facts_on(person_id: int, day: date, *, known: datetime | None = None) -> dict[str, str]:
    """kind → value that hold on ``day``, as known at ``known`` (None = now). Call inside a scope."""
    return facts_of([person_id], day, known=known).get(person_id, {})


def facts_of(person_ids: Iterable[int], day: date, *, known: datetime | None = None) -> dict[int, dict[str, str]]:
    """The same for many persons, in one query: id → kind → value."""
    from .models import PersonFact

    found: dict[int, dict[str, str]] = defaultdict(dict)
    rows = PersonFact.objects.filter(subject_id__in=list(person_ids)).on(day, known=known)
    for subject, kind, value in rows.values_list("subject_id", "kind", "value"):
        found[subject][kind] = value
    return dict(found)


_TAG_OF_VALUE: dict[tuple[str, str], Tag] = {
    (FactKind.THREE_NO, "yes"): Tag.THREE_NO,
    (FactKind.BEREAVED_DEPENDANT, "yes"): Tag.BEREAVED_DEPENDANT,
    (FactKind.LOST_ONLY_CHILD, "yes"): Tag.LOST_ONLY_CHILD,
    (FactKind.NEEDY_WORKER, "yes"): Tag.NEEDY_WORKER,
    (FactKind.POVERTY_REGISTER, "yes"): Tag.POVERTY_REGISTER,
    (FactKind.BEDRIDDEN, "yes"): Tag.BEDRIDDEN,
    (FactKind.WANDERING, "yes"): Tag.WANDERING,
    (FactKind.DIFFICULT, "yes"): Tag.DIFFICULT,
    (FactKind.INCOME_CATEGORY, IncomeCategory.DESTITUTE_CENTRAL): Tag.DESTITUTE,
    (FactKind.INCOME_CATEGORY, IncomeCategory.DESTITUTE_HOME): Tag.DESTITUTE,
    (FactKind.INCOME_CATEGORY, IncomeCategory.MINIMUM_LIVING): Tag.MINIMUM_LIVING,
    (FactKind.INCOME_CATEGORY, IncomeCategory.NEAR_MINIMUM): Tag.NEAR_MINIMUM,
    (FactKind.CARE_LEVEL, CareLevel.MODERATE): Tag.DEPENDENT,
    (FactKind.CARE_LEVEL, CareLevel.SEVERE): Tag.DEPENDENT,
    (FactKind.CARE_LEVEL, CareLevel.TOTAL): Tag.DEPENDENT,
    (FactKind.LIVING, Living.ALONE): Tag.ALONE,
    (FactKind.LIVING, Living.EMPTY_NEST): Tag.EMPTY_NEST,
    (FactKind.LIVING, Living.LEFT_BEHIND): Tag.LEFT_BEHIND,
}
_TAG_OF_KIND = {
    FactKind.DISABILITY: Tag.DISABLED,
    FactKind.DEMENTIA: Tag.DEMENTIA,
    FactKind.SPECIAL_GROUP: Tag.SPECIAL_CARE,
}
_ORDER = list(Tag)


def tags_of(facts: dict[str, str], birth_date: date | None, day: date) -> list[Tag]:
    """Priority tags that follow from facts and age, most pressing first (R-017)."""
    found = {tag for item in facts.items() if (tag := _TAG_OF_VALUE.get(item) or _TAG_OF_KIND.get(item[0]))}
    if birth_date and age_on(birth_date, day) >= VERY_OLD:
        found.add(Tag.VERY_OLD)
    return sorted(found, key=_ORDER.index)


def tags(person, day: date) -> list[Tag]:
    """Priority tags of one person on ``day``. Call inside a scope."""
    return tags_of(facts_on(person.pk, day), person.birth_date, day)


def tags_on(persons: Iterable, day: date) -> dict[int, list[Tag]]:
    """Priority tags of a page of persons, in one query."""
    persons = list(persons)
    facts = facts_of([p.pk for p in persons], day)
    return {p.pk: tags_of(facts.get(p.pk, {}), p.birth_date, day) for p in persons}


def tag_condition(tag: str) -> list[tuple[str, list[str]]]:
    """The (kind, values) that give ``tag``; [] for the tag that follows from age."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for (kind, value), given in _TAG_OF_VALUE.items():
        if given == tag:
            by_kind[kind].append(str(value))
    for kind, given in _TAG_OF_KIND.items():
        if given == tag:
            by_kind[kind].extend(FACT_VALUES[kind])
    return list(by_kind.items())


def merged_into(person_id: int) -> list[int]:
    """Files that were merged into this one."""
    from .models import Person

    return list(Person.everyone.filter(merged_into_id=person_id).values_list("pk", flat=True))


# ---------------------------------------------------------------- contacts, consents, card, history
def consents_held(person_ids: Iterable[int], purposes: Iterable[str]) -> dict[int, frozenset[str]]:
    """Person → those of ``purposes`` to which consent holds now, in one query. Call inside a scope."""
    found = quick.rows(_HELD, [quick.array(person_ids), quick.array(purposes)])  # asked with every batch of signals
    return {person: _held(held) for person, held in found}


_HELD = (
    "SELECT person_id, string_agg(purpose, ',') FROM people_consent WHERE person_id = ANY (%s::bigint[]) "
    "AND purpose = ANY (%s::text[]) AND contact_id IS NULL AND withdrawn_on IS NULL GROUP BY person_id"
)


def consent_in_force(person_id: int, purpose: str) -> int | None:
    """The person's own consent to ``purpose`` that holds now, by its number. Call inside a scope."""
    from .models import Consent

    return Consent.objects.filter(Consent.own(purpose), person_id=person_id).values_list("pk", flat=True).first()


@cache
def _held(words: str) -> frozenset[str]:
    return frozenset(words.split(","))


def contacts(person) -> list:
    """Who to call, first first. Call inside a scope."""
    return list(person.contacts.order_by("priority", "id"))


def contacts_of(person_id: int) -> list:
    """The same by id."""
    from .models import Contact

    return list(Contact.objects.filter(person_id=person_id).order_by("priority", "id"))


@dataclass(frozen=True, slots=True)
class PersonCard:
    """What desk, order and worker pages show of a person; numbers masked."""

    id: int
    name: str
    sex: str
    sex_label: str
    birth_date: date | None
    age: int | None
    id_masked: str
    phone_masked: str
    region_id: int
    region_name: str
    path: str
    address: str
    latitude: float | None
    longitude: float | None
    died_on: date | None
    completeness: int
    checked_on: date | None
    facts: dict[str, str] = field(default_factory=dict)
    tags: tuple[Tag, ...] = ()
    #: The data are kept for a statute only: the card names the person and holds nothing else (PIPL 47).
    restricted: bool = False

    @property
    def care_level(self) -> str:
        """'0' … '4', '' when not assessed."""
        return self.facts.get(FactKind.CARE_LEVEL, "")

    @property
    def care_level_label(self) -> str:
        return fact_label(FactKind.CARE_LEVEL, self.care_level) if self.care_level else ""

    @property
    def at_home(self) -> bool:
        """Whether home services make sense: alive, not restricted, and not in an institution."""
        return (
            self.died_on is None and not self.restricted and self.facts.get(FactKind.RESIDENCE, "home") != "institution"
        )


def person_card(actor: Actor, pk: int, *, day: date | None = None) -> PersonCard:
    """Card of one person on ``day`` (default today). Raises NotVisible."""
    cards = person_cards(actor, [pk], day=day)
    if not cards:
        with scope(actor):
            raise _missing(pk)
    return cards[pk]


def person_cards(actor: Actor, pks: Iterable[int], *, day: date | None = None) -> dict[int, PersonCard]:
    """Cards of those of ``pks`` that the actor sees, in two queries."""
    day = day or timezone.localdate()
    with scope(actor):
        persons = list(_persons().filter(pk__in=list(pks)))
        facts = facts_of([p.pk for p in persons], day)
    return {p.pk: card_of(p, facts.get(p.pk, {}), day) for p in persons}


def card_of(person, facts: dict[str, str], day: date) -> PersonCard:
    """Card of a person (with its region) out of the facts that hold on ``day``; a restricted one has nothing but the name."""
    if person.restricted_at is not None:
        return PersonCard(
            id=person.pk, name=person.name, sex=person.sex, sex_label=str(Sex(person.sex).label), birth_date=None, age=None,
            id_masked="", phone_masked="", region_id=person.region_id, region_name=person.region.name, path=person.path,
            address="", latitude=None, longitude=None, died_on=person.died_on, completeness=0, checked_on=None,
            restricted=True,
        )  # fmt: skip
    facts = {k: v for k, v in facts.items() if k != FactKind.REGION}
    if FactKind.URBAN_RURAL not in facts and person.region.urban is not None:
        facts[FactKind.URBAN_RURAL] = "urban" if person.region.urban else "rural"
    until = min(day, person.died_on) if person.died_on else day
    return PersonCard(
        id=person.pk,
        name=person.name,
        sex=person.sex,
        sex_label=str(Sex(person.sex).label),
        birth_date=person.birth_date,
        age=age_on(person.birth_date, until) if person.birth_date else None,
        id_masked=mask_id_number(person.id_number),
        phone_masked=mask_phone(person.phone),
        region_id=person.region_id,
        region_name=person.region.name,
        path=person.path,
        address=person.address,
        latitude=person.latitude,
        longitude=person.longitude,
        died_on=person.died_on,
        completeness=person.completeness,
        checked_on=person.checked_on,
        facts=facts,
        tags=tuple(tags_of(facts, person.birth_date, day)),
    )


_SEALED = {"id_number": mask_id_number, "phone": mask_phone}


def history_of(actor: Actor, *rows, most: int = 200, older: Q | None = None) -> list[dict]:
    """Changes of a person's basic data, or of its contacts or consents, newest first; R-016.

    Each: id, at, row, actor, role, reason, source, op, fields → (old, new). Sealed numbers are shown masked. ``older``
    limits the history rows (a page of it).
    """
    if not rows:
        return []
    with scope(actor):
        logged = changes_of(*rows)
        found_rows = list((logged.filter(older) if older is not None else logged).order_by("-at", "-id")[:most])
    by_key = {(r._meta.db_table, r.pk): r for r in rows}
    found = []
    for row in found_rows:
        fields, about = {}, by_key[row.table_name, row.row_id]
        for name, (old, new) in row.fields.items() if row.op == "U" else ():
            if name in _SEALED:
                purpose = about._meta.get_field(name).purpose
                old, new = (_SEALED[name](decrypt_history(v, purpose)) for v in (old, new))
            fields[name] = (old, new)
        found.append(
            {
                "id": row.pk,
                "row": about,
                "at": row.at,
                "actor": row.actor,
                "role": row.role,
                "reason": row.reason,
                "source": row.source,
                "op": row.op,
                "fields": fields,
            }
        )
    return found


def id_numbers(person_ids: Iterable[int]) -> dict[int, str]:
    """Whole ID numbers of those whom the scope sees, for lists that go to an insurer. The caller logs the read. Call inside a scope."""
    from .models import Person

    return {p.pk: p.id_number or "" for p in Person.everyone.filter(pk__in=list(person_ids)).only("pk", "id_number")}


def namesakes(name: str, born: date, known: Collection[int]) -> int:
    """How many living files of that name and birth date the open scope sees beside ``known``."""
    from .models import Person

    rows = Person.objects.filter(name=name, birth_date=born, died_on=None, merged_into=None)
    return rows.exclude(pk__in=list(known)).count()
