"""Who offers what, where and at which price. All answers are for the rows that the open scope sees."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.blocks import Block
from sangyu.kernel.errors import NotVisible, Refused
from sangyu.kernel.publishing import require_responsible
from sangyu.kernel.scoping import lineage
from sangyu.registry.catalogue.enums import LicenceKind
from sangyu.registry.catalogue.selectors import as_item, items_by_code

from .enums import ContractState, State
from .models import Capability, Contract, Licence, Organisation, Price


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices in fen of one unit of an item from one organisation on a day. ``None`` = not offered that way."""

    organisation_id: int
    item_code: str
    market_price: int | None = None
    contract_price: int | None = None
    contract_id: int | None = None
    contract_number: str = ""
    price_id: int | None = None

    @property
    def unit_price(self) -> int | None:
        """The contract's price where one holds, otherwise the market price."""
        return self.market_price if self.contract_price is None else self.contract_price


@dataclass(frozen=True, slots=True)
class Offering:
    """One organisation asked for one item at one place and day; able when nothing blocks it."""

    organisation_id: int
    name: str
    contract_id: int | None
    contract_number: str
    unit_price: int | None
    market_price: int | None
    blocks: tuple[Block, ...]
    rating: Decimal | None
    latitude: float | None
    longitude: float | None

    @property
    def able(self) -> bool:
        return not self.blocks


def with_item_names(prices: Iterable[Price], path: str, day: date | None = None) -> list[Price]:
    """``prices`` with ``item_name``: what the catalogue of ``path`` calls the item on ``day`` (today), else its code."""
    rows = list(prices)
    items = items_by_code([p.item_code for p in rows], path, day or timezone.localdate())
    for price in rows:
        price.item_name = items[price.item_code].name if price.item_code in items else price.item_code
    return rows


def quotes(organisation_ids: Iterable[int], item_code: str, path: str, day: date) -> dict[int, Quote]:
    """Quote per organisation for one item at ``path`` on ``day``, in one query; organisations without any price are missing.

    A contract counts when it is in force, holds on the day and its region is ``path`` or above it; the nearest region wins,
    then the later contract.
    """
    rows = (
        Price.objects.on(day)
        .filter(organisation_id__in=list(organisation_ids), item_code=item_code)
        .filter(
            Q(contract__isnull=True)
            | Q(
                ~Q(contract__state=ContractState.DRAFT),
                Q(contract__ended_at__isnull=True) | Q(contract__ended_at__date__gt=day),
                contract__path__in=lineage(path),
                contract__valid_from__lte=day,
                contract__valid_to__gt=day,
            )
        )
        .values_list(
            "organisation_id",
            "id",
            "unit_price",
            "contract_id",
            "contract__path",
            "contract__valid_from",
            "contract__number",
        )
    )
    market: dict[int, tuple] = {}
    contract: dict[int, tuple] = {}
    for row in sorted(rows, key=lambda r: (len(r[4] or ""), r[5] or date.min, r[1])):
        (market if row[3] is None else contract)[row[0]] = row
    found = {}
    for organisation_id in market.keys() | contract.keys():
        own, bought = market.get(organisation_id), contract.get(organisation_id)
        found[organisation_id] = Quote(
            organisation_id=organisation_id,
            item_code=item_code,
            market_price=own and own[2],
            contract_price=bought and bought[2],
            contract_id=bought and bought[3],
            contract_number=bought[6] if bought else "",
            price_id=(bought or own)[1],
        )
    return found


def price_of(*, organisation_id: int, item_code: str, path: str, day: date) -> Quote | None:
    """``quotes`` for one organisation; None when it has no price for the item (R-052, R-067)."""
    return quotes([organisation_id], item_code, path, day).get(organisation_id)


def offering(item, path: str, day: date, organisation_ids: Iterable[int] | None = None) -> list[Offering]:
    """Who could give ``item`` at ``path`` on ``day``: those able first, then those excluded with every reason (R-008, R-081).

    Asked are the organisations (or only ``organisation_ids``) that serve the item's category anywhere or hold a price for it.
    Four queries whatever the number. Excluded: not approved, area or category not served, licence missing or expired (R-006,
    R-071), no price.
    """
    item = as_item(item)
    area = set(lineage(path))
    capabilities: dict[int, list[Capability]] = defaultdict(list)
    for c in Capability.objects.on(day).filter(category=item.category).only("organisation_id", "area_path"):
        capabilities[c.organisation_id].append(c)
    priced = Price.objects.on(day).filter(item_code=item.code).values("organisation_id")
    rows = Organisation.objects.exclude(state=State.DRAFT).filter(Q(pk__in=list(capabilities)) | Q(pk__in=priced))
    if organisation_ids is not None:
        rows = rows.filter(pk__in=list(organisation_ids))
    rows = list(rows)
    ids = [o.pk for o in rows]
    licences: dict[int, list[Licence]] = defaultdict(list)
    if item.licence != LicenceKind.NONE:
        for licence in Licence.objects.filter(organisation_id__in=ids, kind=item.licence).order_by("valid_from"):
            licences[licence.organisation_id].append(licence)
    priced_by = quotes(ids, item.code, path, day)
    found = []
    for o in rows:
        quote = priced_by.get(o.pk)
        blocks = [
            *state_blocks(o),
            *_area_blocks(item, capabilities.get(o.pk, []), area),
            *licence_blocks(item.licence, licences.get(o.pk, []), day),
        ]
        if quote is None:
            blocks.append(Block("contract", _("No contract or price for this service in force here on that day")))
        found.append(
            Offering(
                organisation_id=o.pk,
                name=o.short_name or o.name,
                contract_id=quote.contract_id if quote else None,
                contract_number=quote.contract_number if quote else "",
                unit_price=quote.unit_price if quote else None,
                market_price=quote.market_price if quote else None,
                blocks=tuple(blocks),
                rating=o.rating,
                latitude=o.latitude,
                longitude=o.longitude,
            )
        )
    return sorted(found, key=lambda f: (not f.able, f.name, f.organisation_id))


def state_blocks(organisation: Organisation) -> list[Block]:
    """Why the registration's state keeps the organisation from new work."""
    if organisation.state == State.APPROVED:
        return []
    message = _("The organisation is not open for work: %(state)s") % {"state": organisation.get_state_display()}
    return [Block(str(organisation.state), message)]


def licence_blocks(kind: str, licences: Iterable[Licence], day: date) -> list[Block]:
    """Why ``licences`` do not cover ``kind`` on ``day``."""
    if kind == LicenceKind.NONE:
        return []
    own = [licence for licence in licences if licence.kind == kind]
    if any(licence.holds_on(day) for licence in own):
        return []
    label = {"kind": LicenceKind(kind).label}
    ended = [licence.valid_to for licence in own if licence.valid_to and licence.valid_to <= day]
    if ended:
        message = _("%(kind)s expired on %(day)s") % {**label, "day": max(ended).isoformat()}
        return [Block("licence", message)]
    return [Block("licence", _("%(kind)s is missing") % label)]


def _area_blocks(item, capabilities: list[Capability], area: set[str]) -> list[Block]:
    if not capabilities:
        message = _("Does not give services of the field “%(field)s”") % {"field": item.get_category_display()}
        return [Block("capability", message)]
    if not any(c.area_path in area for c in capabilities):
        return [Block("area", _("Does not serve this area"))]
    return []


def expiring(day: date, within_days: int) -> dict[str, list]:
    """Licences and contracts in force that end within ``within_days`` days after ``day``, soonest first."""
    contracts = Contract.objects.filter(state=ContractState.ACTIVE).ending(day, within_days)
    return {
        "licences": list(Licence.objects.ending(day, within_days).select_related("organisation")),
        "contracts": list(contracts.select_related("organisation")),
    }


class Place(NamedTuple):
    """The region that answers for an organisation."""

    region_id: int
    path: str


def place_of(actor: Actor, organisation_id: int) -> Place:
    """Where an organisation's new rows belong. Raises NotVisible, or Refused when it is another region's or has ended."""
    row = Organisation.objects.filter(pk=organisation_id).only("region_id", "path", "state").first()
    if row is None:
        raise NotVisible
    require_responsible(actor, row.path)
    if row.state == State.ENDED:
        raise Refused(_("The organisation has ended; its record is closed."), code="organisations.ended")
    return Place(row.region_id, row.path)


def path_of(organisation_id: int) -> str:
    """Path of the region that answers for an organisation, whatever its state. Raises NotVisible."""
    path = Organisation.objects.filter(pk=organisation_id).values_list("path", flat=True).first()
    if path is None:
        raise NotVisible
    return path


def own_by_name(actor: Actor, wanted: Iterable[str]) -> dict[str, list[Organisation]]:
    """Organisations that ``actor`` sees, answers for and that have not ended, by name (a name may be there twice)."""
    rows = Organisation.objects.filter(name__in=list(wanted)).exclude(state=State.ENDED)
    if actor.audience is Audience.STAFF:
        rows = rows.filter(path__startswith=actor.path)
    found: dict[str, list[Organisation]] = defaultdict(list)
    for row in rows:
        found[row.name].append(row)
    return found


def names(organisation_ids: Iterable[int]) -> dict[int, str]:
    """Short names of the organisations that the scope sees."""
    rows = Organisation.objects.filter(pk__in=list(organisation_ids)).values_list("id", "short_name", "name")
    return {pk: short or name for pk, short, name in rows}


def sites_of(organisation_id: int) -> list[int]:
    """The organisation and, when it operates a chain, its sites (R-007)."""
    return list(
        Organisation.objects.filter(Q(pk=organisation_id) | Q(operator_id=organisation_id)).values_list("id", flat=True)
    )


def count_by_mode(path: str, day: date) -> dict[str, int]:
    """Organisations open on ``day`` under ``path`` by operating mode (R-179); those without a mode count under ""."""
    from django.db.models import Count

    from sangyu.kernel.dated import valid_on

    rows = (
        Organisation.objects.filter(state=State.APPROVED, path__startswith=path)
        .filter(Q(modes__isnull=True) | valid_on(day, "modes__"))
        .values("modes__mode")
        .annotate(n=Count("id", distinct=True))
    )
    return {row["modes__mode"] or "": row["n"] for row in rows}


def choices(actor) -> list[tuple[int, str]]:
    """(id, name) of the approved organisations that ``actor`` sees, by name, for form fields."""
    rows = Organisation.objects.visible_to(actor).filter(state=State.APPROVED).order_by("name")
    return [(o.pk, o.short_name or o.name) for o in rows.only("id", "short_name", "name")]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a contract says about cancelling, and how much of one item it buys. ``None`` = not limited."""

    cancel_free_hours: int
    cancel_fee_percent: int
    month_quota: int | None
    quota: int | None


def terms_of(contract_id: int, item_code: str, day: date) -> Terms | None:
    """Terms of a contract for one item on ``day`` (R-067); None when the scope does not see it."""
    price = Price.objects.on(day).filter(contract_id=OuterRef("pk"), item_code=item_code)
    rows = Contract.objects.filter(pk=contract_id).values_list(
        "cancel_free_hours",
        "cancel_fee_percent",
        Subquery(price.values("month_quota")[:1]),
        Subquery(price.values("quota")[:1]),
    )
    found = rows.first()
    return None if found is None else Terms(*found)


def organisations_visible(actor: Actor) -> QuerySet[Organisation]:
    """All organisations in the actor's scope."""
    return Organisation.objects.visible_to(actor)


def get_organisation(actor: Actor, pk: int) -> Organisation:
    """One organisation; raises NotVisible."""
    found = organisations_visible(actor).filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found
