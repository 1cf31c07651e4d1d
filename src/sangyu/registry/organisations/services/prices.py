"""Dated prices: under a contract, or the organisation's own market prices (R-052, R-067). Money in fen."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from django.db.models import Q
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.services import service
from sangyu.registry.catalogue.selectors import items_by_code

from ..enums import ContractState
from ..models import Contract, Organisation, Price
from ._shared import check_interval, own_organisation
from .contracts import own_contract


class Line(NamedTuple):
    """One line of a price list: fen for one unit of the item."""

    item_code: str
    unit_price: int
    month_quota: int | None = None
    quota: int | None = None


@service("organisations.own")
def set_price(
    *,
    actor: Actor,
    item_code: str,
    unit_price: int,
    valid_from: date,
    today: date,
    organisation_id: int | None = None,
    contract_id: int | None = None,
    valid_to: date | None = None,
    month_quota: int | None = None,
    quota: int | None = None,
) -> Price:
    """Set the price of one unit in ``[valid_from, valid_to)``: of a contract, or else the organisation's market price.

    What was set for these days before gives way; what lies outside them stays. A contract price needs
    ``organisations.contract``, lies within the term, and once the contract is signed begins today or later. Raises Invalid,
    Refused, Forbidden, NotVisible.
    """
    line = Line(item_code, unit_price, month_quota, quota)
    return load_prices(
        actor=actor,
        lines=[line],
        valid_from=valid_from,
        valid_to=valid_to,
        today=today,
        organisation_id=organisation_id,
        contract_id=contract_id,
    )[0]


@service("organisations.own")
def load_prices(
    *,
    actor: Actor,
    lines: Iterable[Line],
    valid_from: date,
    today: date,
    organisation_id: int | None = None,
    contract_id: int | None = None,
    valid_to: date | None = None,
) -> list[Price]:
    """``set_price`` for a whole list, all or nothing; four statements whatever its length."""
    lines = list(lines)
    check_interval(valid_from, valid_to)
    organisation, contract = _owner(actor, organisation_id, contract_id)
    if contract is not None:
        valid_to = _within_term(contract, valid_from, valid_to, today)
    _check_lines(lines, (contract or organisation).path, valid_from)
    same = (
        Price.objects.filter(contract=contract)
        if contract
        else Price.objects.filter(organisation=organisation, contract=None)
    )
    same = same.filter(item_code__in=[line.item_code for line in lines])
    if valid_from < today and contract is None and same.filter(_touching(valid_from, today)).exists():
        raise Refused(_("Past days keep their price. Choose today or a later day."), code="prices.past")
    _make_room(same, valid_from, valid_to)
    common = {"organisation": organisation, "contract": contract, "path": (contract or organisation).path}
    return Price.objects.bulk_create(
        Price(**common, **line._asdict(), valid_from=valid_from, valid_to=valid_to) for line in lines
    )


@service("organisations.own")
def end_price(*, actor: Actor, price_id: int, day: date, today: date) -> Price:
    """Let a price hold no more from ``day`` (today or later) on; removes one that has not begun."""
    price = Price.objects.filter(pk=price_id).first()
    if price is None:
        raise NotVisible
    _owner(actor, price.organisation_id, price.contract_id)
    if day < today or (price.valid_to is not None and price.valid_to <= day):
        raise Refused(_("Past days keep their price. Choose today or a later day."), code="prices.past")
    if day <= price.valid_from:
        price.delete()
        return price
    price.valid_to = day
    price.save(update_fields=["valid_to"])
    return price


def _owner(actor: Actor, organisation_id: int | None, contract_id: int | None) -> tuple[Organisation, Contract | None]:
    if contract_id is None:
        if organisation_id is None:
            raise Invalid({"organisation_id": [_("Name the organisation or the contract.")]})
        return own_organisation(actor, organisation_id), None
    if actor.audience is Audience.PROVIDER or not actor.may("organisations.contract"):
        raise Forbidden("organisations.contract")
    contract = own_contract(actor, contract_id)
    if contract.state == ContractState.ENDED:
        raise Refused(_("The contract has ended."), code="contracts.ended")
    return contract.organisation, contract


def _within_term(contract: Contract, valid_from: date, valid_to: date | None, today: date) -> date:
    if contract.state != ContractState.DRAFT and valid_from < today:
        raise Refused(_("Past days keep their price. Choose today or a later day."), code="prices.past")
    end = valid_to or contract.valid_to
    if not contract.valid_from <= valid_from < end <= contract.valid_to:
        term = {"first": contract.valid_from.isoformat(), "last": contract.last_day.isoformat()}
        raise Invalid({"valid_from": [_("The price must lie within the term %(first)s to %(last)s.") % term]})
    return end


def _check_lines(lines: list[Line], path: str, day: date) -> None:
    codes = [line.item_code for line in lines]
    known = items_by_code(codes, path, day)
    errors: dict[str, list[str]] = {}
    for line in lines:
        if line.item_code not in known:
            unknown = _("The catalogue does not offer “%(code)s” on that day.") % {"code": line.item_code}
            errors.setdefault("item_code", []).append(unknown)
        if line.unit_price < 0:
            errors.setdefault("unit_price", []).append(_("An amount cannot be negative."))
    if len(set(codes)) < len(codes):
        errors.setdefault("item_code", []).append(_("A service is listed twice."))
    if not lines:
        errors["item_code"] = [_("The list is empty.")]
    if errors:
        raise Invalid(errors)


def _touching(valid_from: date, valid_to: date | None) -> Q:
    """Rows that hold on some day of ``[valid_from, valid_to)``."""
    late_enough = Q(valid_to__isnull=True) | Q(valid_to__gt=valid_from)
    return late_enough if valid_to is None else late_enough & Q(valid_from__lt=valid_to)


def _make_room(rows, valid_from: date, valid_to: date | None) -> None:
    """Cut ``[valid_from, valid_to)`` out of ``rows``: delete what lies inside, shorten or split what reaches out."""
    gone, shortened, tails = [], [], []
    for old in rows.select_for_update().filter(_touching(valid_from, valid_to)):
        if valid_to is not None and (old.valid_to is None or old.valid_to > valid_to):
            tail = {name: getattr(old, name) for name in ("item_code", "unit_price", "month_quota", "quota", "path")}
            owner = {"organisation_id": old.organisation_id, "contract_id": old.contract_id}
            tails.append(Price(**tail, **owner, valid_from=valid_to, valid_to=old.valid_to))
        if old.valid_from < valid_from:
            shortened.append(old.pk)
        else:
            gone.append(old.pk)
    Price.objects.filter(pk__in=gone).delete()
    Price.objects.filter(pk__in=shortened).update(valid_to=valid_from)
    Price.objects.bulk_create(tails)
