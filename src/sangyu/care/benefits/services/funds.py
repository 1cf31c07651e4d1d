"""Fund sources: keeping them, money that comes in, what of a fund is used otherwise (R-062, R-064)."""

from datetime import date

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.publishing import require_responsible
from sangyu.kernel.services import service
from sangyu.registry.regions import selectors as regions

from ..enums import FundKind
from ..models import Fund, FundBudget
from ._shared import AVAILABLE, OTHER, SOURCE, fund_account, get


@service("benefits.fund")
def open_fund(
    *,
    actor: Actor,
    region_id: int,
    code: str,
    name: str,
    kind: str = FundKind.FISCAL,
    valid_from: date,
    valid_to: date | None = None,
    policies: list[str] | None = None,
    purpose: str = "",
    limited: bool = False,
    document_number: str = "",
) -> Fund:
    """A source of money of a region. A donation pays only what has come in, for its purpose. Raises Invalid."""
    region = regions.region(region_id)
    errors: dict[str, list[str]] = {}
    if not code.strip():
        errors["code"] = [_("A fund needs a code: policies name it.")]
    if not region.path.startswith(actor.path):
        errors["region"] = [_("You keep the funds of your own region only.")]
    if valid_to is not None and valid_to <= valid_from:
        errors["valid_to"] = [_("The end must be after the start.")]
    if not errors and Fund.objects.filter(region_id=region_id, code=code.strip()).exists():
        errors["code"] = [_("This region has a fund with the code already.")]
    if errors:
        raise Invalid(errors)
    return Fund.objects.create(
        region_id=region_id, path=region.path, code=code.strip(), name=name.strip(), kind=kind, valid_from=valid_from,
        valid_to=valid_to, policies=policies or [], purpose=purpose.strip(), document_number=document_number.strip(),
        limited=limited or kind == FundKind.DONATION,
    )  # fmt: skip


def _move(
    actor: Actor, fund_id: int, source: str, target: str, *, amount: int, on: date, key: str, kind: str, note: str
) -> int:
    """Money of one fund from one of its accounts to another; the transfer. Raises Invalid for nothing or less."""
    fund = get(Fund, fund_id)
    require_responsible(actor, fund.path)
    if amount <= 0:
        raise Invalid({"amount": [_("The amount must be more than zero.")]})
    return ledger.transfer(
        actor=actor, debit=fund_account(actor, fund, source), credit=fund_account(actor, fund, target), amount=amount,
        key=f"fund:{fund.pk}:{key}", kind=kind, reference=f"fund:{fund.pk}", reason=note[:200], effective_on=on,
    )  # fmt: skip


@service("benefits.fund")
def receive(*, actor: Actor, fund_id: int, amount: int, received_on: date, key: str, note: str = "") -> int:
    """Money that came into a fund, in fen; the transfer. The same ``key`` is the same money."""
    return _move(
        actor,
        fund_id,
        SOURCE,
        AVAILABLE,
        amount=amount,
        on=received_on,
        key=f"in:{key}",
        kind="benefits.receive",
        note=note,
    )


@service("benefits.fund")
def use_otherwise(*, actor: Actor, fund_id: int, amount: int, used_on: date, key: str, note: str = "") -> int:
    """Money of a fund that went to something else than elder care, in fen: it counts against the share of R-062."""
    return _move(
        actor,
        fund_id,
        AVAILABLE,
        OTHER,
        amount=amount,
        on=used_on,
        key=f"out:{key}",
        kind="benefits.other_use",
        note=note,
    )


@service("benefits.fund")
def set_budget(*, actor: Actor, fund_id: int, year: int, amount: int, document_number: str) -> FundBudget:
    """What a fund may spend in ``year``, in fen; an adjustment replaces the figure, history keeps both. Raises Invalid."""
    fund = get(Fund, fund_id, lock=True)
    require_responsible(actor, fund.path)
    errors: dict[str, list[str]] = {}
    if amount <= 0:
        errors["amount"] = [_("The amount must be more than zero.")]
    if not document_number.strip():
        errors["document_number"] = [_("Name the document that grants the budget.")]
    last = fund.valid_to.year if fund.valid_to else year
    if not fund.valid_from.year <= year <= last:
        errors["year"] = [_("The fund does not hold in this year.")]
    if errors:
        raise Invalid(errors)
    given = {"path": fund.path, "amount": amount, "document_number": document_number.strip()}
    return FundBudget.objects.update_or_create(fund=fund, year=year, defaults=given)[0]
