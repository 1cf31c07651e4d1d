"""Elders: search, file, registration, dated facts. Identity and telephone numbers are always masked."""

from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from sangyu.registry.people import selectors, services
from sangyu.registry.people.enums import CareLevel, FactKind, Sex, Tag
from sangyu.registry.regions import selectors as regions

from .values import Day, Id, In, Latitude, Line, Longitude, Paging, Schema, operation, upto

router = Router(tags=["people"])


class PersonOut(Schema):
    """``facts`` are the statuses of the day asked for; numbers are masked. A ``restricted`` person (data kept for a statute
    only) has a name and nothing else, and takes no changes."""

    id: int
    name: str
    sex: Sex
    birth_date: date | None
    age: int | None
    id_masked: str
    phone_masked: str
    region_id: int
    region_name: str
    address: str
    latitude: float | None
    longitude: float | None
    died_on: date | None
    completeness: int
    checked_on: date | None
    restricted: bool
    facts: dict[str, str]
    tags: list[Tag]


class PersonPage(Schema):
    items: list[PersonOut]
    next: str


class PersonFilter(Paging):
    """``text``: name, pinyin or its initials, whole or last four digits of ID or phone, part of the address."""

    text: upto(60) = ""
    region_id: Id | None = None
    sex: Sex | None = None
    age_from: int | None = None
    age_to: int | None = None
    care_level: CareLevel | None = None
    tag: Tag | None = None
    alive: bool | None = True


class PersonIn(In):
    name: upto(50, 1)
    region_id: Id
    source: upto(100, 1)
    sex: Sex | None = None
    birth_date: Day | None = None
    id_number: upto(30) = ""
    phone: upto(30) = ""
    address: upto(200) = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    needs: Line = ""


class FactIn(In):
    """``value`` is one of the kind's values; valid from ``valid_from`` until (excluding) ``valid_to``."""

    kind: FactKind
    value: upto(40, 1)
    valid_from: Day
    valid_to: Day | None = None
    source: upto(100, 1)
    note: upto(200) = ""


class FactOut(Schema):
    id: int
    kind: str
    value: str
    valid_from: date
    valid_to: date | None
    source: str


class FactEnd(In):
    ends_on: Day
    reason: upto(200, 1)


class Facts(Schema):
    person_id: int
    day: date
    facts: dict[str, str]


def bounded(age: int | None) -> int | None:
    """``age`` within what people reach, so that a birthday can be counted back."""
    return None if age is None else max(0, min(age, 150))


@operation(router, "GET", "/people", "people.search", "people.view", PersonPage, _("Search persons"))
def find(request, given: Query[PersonFilter]) -> Any:
    filters = given.dict(include={"sex", "care_level", "tag", "alive"}, exclude_none=True)
    filters |= {"age_from": bounded(given.age_from), "age_to": bounded(given.age_to)}
    if given.region_id:
        filters["path"] = regions.path_of(given.region_id)
    rows = selectors.search(request.actor, given.text, filters)
    page = given.page(rows, "pk", filtered=False)
    cards = selectors.person_cards(request.actor, [p.pk for p in page["items"]])
    return {"items": [cards[p.pk] for p in page["items"] if p.pk in cards], "next": page["next"]}


@operation(router, "GET", "/people/{person_id}", "people.get", "people.view", PersonOut, _("Read one person"))
def get(request, person_id: Id, day: Day | None = None) -> Any:
    return selectors.person_card(request.actor, person_id, day=day)


@operation(
    router, "POST", "/people", "people.register", "people.register", PersonOut, _("Register an elder"), status=201
)
def register(request, given: PersonIn) -> Any:
    person = services.register(actor=request.actor, **{**given.dict(), "sex": given.sex or ""})
    return 201, selectors.person_card(request.actor, person.pk)


@operation(
    router, "GET", "/people/{person_id}/facts", "people.facts", "people.view", Facts, _("Facts that hold on a day")
)
def facts(request, person_id: Id, day: Day | None = None) -> Any:
    day = day or timezone.localdate()
    card = selectors.person_card(request.actor, person_id, day=day)
    return {"person_id": person_id, "day": day, "facts": {} if card.restricted else selectors.facts_on(person_id, day)}


@operation(
    router, "POST", "/people/{person_id}/facts", "people.record_fact", "people.facts", FactOut, _("Record a fact"),
    status=201,
)  # fmt: skip
def record_fact(request, person_id: Id, given: FactIn) -> Any:
    return 201, services.record_fact(actor=request.actor, person_id=person_id, **given.dict())


@operation(router, "POST", "/facts/{fact_id}/end", "people.end_fact", "people.facts", None, _("End a fact"), status=204)
def end_fact(request, fact_id: Id, given: FactEnd) -> Any:
    services.end_fact(actor=request.actor, fact_id=fact_id, **given.dict())
    return 204, None
