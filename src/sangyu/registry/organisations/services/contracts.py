"""Purchase contracts (R-067)."""

from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.files import attach
from sangyu.kernel.publishing import require_responsible
from sangyu.kernel.services import service

from ..enums import ContractAction, ContractState, Settlement
from ..events import CONTRACT_ENDED
from ..models import Contract, Organisation
from ..workflow import CONTRACT
from ._shared import check_interval

FIELDS = (
    "number",
    "title",
    "procurement",
    "valid_from",
    "valid_to",
    "settlement",
    "settlement_day",
    "budget_fen",
    "month_budget_fen",
    "cancel_free_hours",
    "cancel_fee_percent",
    "terms",
    "file_id",
)


@service("organisations.contract")
def draft_contract(
    *,
    actor: Actor,
    region: Any,
    organisation_id: int,
    number: str,
    title: str,
    valid_from: date,
    valid_to: date,
    **fields: Any,
) -> Contract:
    """Draft a contract by which ``region`` buys from the organisation in ``[valid_from, valid_to)``. Money in fen.

    ``fields`` are those of FIELDS. Raises Invalid, NotVisible, or Refused for a number the region has used.
    """
    require_responsible(actor, region.path)
    if not Organisation.objects.filter(pk=organisation_id).exists():
        raise NotVisible
    row = Contract(region=region, path=region.path, organisation_id=organisation_id)
    _apply(row, {"number": number, "title": title, "valid_from": valid_from, "valid_to": valid_to, **fields})
    row.save(force_insert=True)
    return row


@service("organisations.contract")
def change_contract(*, actor: Actor, contract_id: int, **fields: Any) -> Contract:
    """Change a draft. A signed contract is not changed: end it and draft the next."""
    row = own_contract(actor, contract_id)
    if row.state != ContractState.DRAFT:
        raise Refused(_("The contract is signed. End it and draft a new one."), code="contracts.signed")
    _apply(row, fields)
    row.save()
    return row


@service("organisations.contract")
def attach_contract_paper(*, actor: Actor, contract_id: int, file: Any) -> Contract:
    """Keep the scanned contract (an uploaded file); also when it is signed. Raises Invalid for a type that is not accepted."""
    contract = own_contract(actor, contract_id)
    attach(actor, contract, file, title=contract.number)
    return contract


@service("organisations.contract")
def sign_contract(
    *, actor: Actor, contract_id: int, now: datetime | None = None, expect: str | None = None
) -> Contract:
    """DRAFT → ACTIVE. Raises Refused when the organisation is not approved, the term is over or no price is set."""
    own_contract(actor, contract_id)
    return CONTRACT.apply(
        actor=actor,
        queryset=Contract.objects.select_related("organisation"),
        pk=contract_id,
        action=ContractAction.SIGN,
        now=now,
        expect=expect,
    )


@service("organisations.contract")
def end_contract(
    *, actor: Actor, contract_id: int, reason: str, now: datetime | None = None, expect: str | None = None
) -> Contract:
    """ACTIVE → ENDED now, before its term. Orders under it go back to dispatch (event). Needs a reason."""
    own_contract(actor, contract_id)
    return finish_contract(actor, contract_id, reason, now or timezone.now(), expect)


@service("organisations.contract")
def end_due_contracts(*, actor: Actor, now: datetime | None = None) -> int:
    """End the contracts whose term is over; the nightly task calls it. Returns how many."""
    now = now or timezone.now()
    due = Contract.objects.filter(state=ContractState.ACTIVE, valid_to__lte=timezone.localdate(now)).order_by("id")
    ids = list(due.values_list("id", flat=True))
    for pk in ids:
        finish_contract(actor, pk, _("The term is over"), now)
    return len(ids)


def finish_contract(actor: Actor, contract_id: int, reason: str, now: datetime, expect: str | None = None) -> Contract:
    """End one contract and tell orders from which day."""
    row = CONTRACT.apply(
        actor=actor,
        queryset=Contract.objects.all(),
        pk=contract_id,
        action=ContractAction.END,
        now=now,
        reason=reason,
        expect=expect,
    )
    day = min(row.valid_to, timezone.localdate(now))
    emit(
        CONTRACT_ENDED, path=row.path, id=row.pk, action="end", organisation_id=row.organisation_id, on=day.isoformat()
    )
    return row


def own_contract(actor: Actor, pk: int) -> Contract:
    """The locked contract that ``actor`` sees and answers for."""
    row = Contract.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        raise NotVisible
    require_responsible(actor, row.path)
    return row


def _apply(row: Contract, fields: dict[str, Any]) -> None:
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise Invalid({name: [_("Unknown field.")] for name in unknown})
    for name, value in fields.items():
        setattr(row, name, value.strip() if isinstance(value, str) else value)
    errors: dict[str, list[str]] = {}
    for name in ("number", "title"):
        if not getattr(row, name):
            errors[name] = [_("This field is needed.")]
    if row.settlement not in Settlement.values:
        errors["settlement"] = [_("Choose one of: %(words)s") % {"words": ", ".join(Settlement.values)}]
    if not 1 <= row.settlement_day <= 28:
        errors["settlement_day"] = [_("Choose a day from 1 to 28.")]
    if not 0 <= row.cancel_fee_percent <= 100:
        errors["cancel_fee_percent"] = [_("Give a percentage from 0 to 100.")]
    for name in ("budget_fen", "month_budget_fen"):
        if getattr(row, name) is not None and getattr(row, name) < 0:
            errors[name] = [_("An amount cannot be negative.")]
    if errors:
        raise Invalid(errors)
    check_interval(row.valid_from, row.valid_to)
    if Contract.objects.filter(path=row.path, number=row.number).exclude(pk=row.pk).exists():
        raise Refused(_("The number is used by another contract."), code="contracts.number")
