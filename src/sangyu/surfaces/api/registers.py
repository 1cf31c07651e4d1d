"""Regions, catalogue, organisations with their offers, workers: what a need can be met with."""

from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from sangyu.kernel.errors import NotVisible
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.catalogue.enums import Category, LicenceKind, Skill, Unit
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.organisations.enums import State as OrganisationState
from sangyu.registry.regions import selectors as regions
from sangyu.registry.workforce import selectors as workforce
from sangyu.registry.workforce.enums import State as WorkerState

from .values import Code, Day, Id, Paging, Schema, one_of, operation, upto

router = Router(tags=["registers"])
OrganisationStates = one_of(OrganisationState)
WorkerStates = one_of(WorkerState)


class RegionOut(Schema):
    """``level``: 0 country, 1 province, 2 city, 3 county, 4 street, 5 community. ``code``: 12 digits."""

    id: int
    name: str
    full_name: str
    code: str
    level: int
    parent_id: int | None
    valid_to: date | None


@operation(router, "GET", "/regions", "regions.list", "regions.view", list[RegionOut], _("Find regions"))
def region_list(request, text: upto(40) = "", parent_id: Id | None = None) -> Any:
    """Regions of the caller's area by name, pinyin initials or code; or those directly below ``parent_id``."""
    if parent_id is not None:
        return [r for r in regions.children(parent_id) if r.path.startswith(request.actor.path)]
    return regions.search(request.actor, text)


@operation(router, "GET", "/regions/{region_id}", "regions.get", "regions.view", RegionOut, _("Read one region"))
def region_get(request, region_id: Id) -> Any:
    return regions.region(region_id)


class ItemOut(Schema):
    id: int
    code: str
    name: str
    category: Category
    unit: Unit
    duration_minutes: int
    skill: Skill
    licence: LicenceKind
    crew_size: int
    is_basic: bool
    at_home: bool
    description: str
    valid_from: date
    valid_to: date | None


@operation(router, "GET", "/catalogue/items", "catalogue.items", "catalogue.view", list[ItemOut], _("Services offered"))
def items(request, day: Day | None = None, category: Category | None = None) -> Any:
    """The list that holds for the caller's area on ``day`` (default today), one version per code."""
    return catalogue.items_for(request.actor.path, day or timezone.localdate(), category)


@operation(router, "GET", "/catalogue/items/{code}", "catalogue.item", "catalogue.view", ItemOut, _("Read one service"))
def item(request, code: Code, day: Day | None = None) -> Any:
    found = catalogue.get_item(code, request.actor.path, day or timezone.localdate())
    if found is None:
        raise NotVisible
    return found


class OrganisationOut(Schema):
    id: int
    name: str
    short_name: str
    legal_form: str
    credit_code: str
    state: OrganisationStates
    region_id: int
    address: str
    phone: str
    latitude: float | None
    longitude: float | None
    rating: float | None


class OrganisationPage(Schema):
    items: list[OrganisationOut]
    next: str


class OrganisationFilter(Paging):
    state: OrganisationStates | None = None


@operation(
    router, "GET", "/organisations", "organisations.list", "organisations.view", OrganisationPage, _("List organisations")
)  # fmt: skip
def organisation_list(request, given: Query[OrganisationFilter]) -> Any:
    return given.page(organisations.organisations_visible(request.actor), "pk")


@operation(
    router, "GET", "/organisations/{organisation_id}", "organisations.get", "organisations.view", OrganisationOut,
    _("Read one organisation"),
)  # fmt: skip
def organisation_get(request, organisation_id: Id) -> Any:
    return organisations.get_organisation(request.actor, organisation_id)


class Block(Schema):
    """Why somebody cannot be sent: ``code`` for programs, ``message`` for people."""

    code: str
    message: str


class OfferingOut(Schema):
    """Prices in fen of one unit; ``able`` when nothing blocks."""

    organisation_id: int
    name: str
    contract_id: int | None
    contract_number: str
    unit_price: int | None
    market_price: int | None
    rating: float | None
    able: bool
    blocks: list[Block]


@operation(
    router, "GET", "/offerings", "organisations.offerings", "organisations.view", list[OfferingOut],
    _("Who offers a service in a region"),
)  # fmt: skip
def offerings(request, item_code: Code, region_id: Id, day: Day | None = None) -> Any:
    day, path = day or timezone.localdate(), regions.path_of(region_id)
    found = catalogue.get_item(item_code, path, day)
    if found is None:
        raise NotVisible
    return organisations.offering(found, path, day)


class WorkerOut(Schema):
    id: int
    name: str
    sex: str
    organisation_id: int
    post: str
    state: WorkerStates
    languages: list[str]
    rating: float | None
    region_id: int


class WorkerPage(Schema):
    items: list[WorkerOut]
    next: str


class WorkerFilter(Paging):
    organisation_id: Id | None = None
    state: WorkerStates | None = None


@operation(router, "GET", "/workers", "workforce.list", "workforce.view", WorkerPage, _("List workers"))
def worker_list(request, given: Query[WorkerFilter]) -> Any:
    return given.page(workforce.workers_visible(request.actor), "pk")


@operation(router, "GET", "/workers/{worker_id}", "workforce.get", "workforce.view", WorkerOut, _("Read one worker"))
def worker_get(request, worker_id: Id) -> Any:
    return workforce.get_worker(request.actor, worker_id)
