"""Registering organisations and their states (R-006, R-007)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, DecimalField, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import BadValue, Invalid, NotVisible, Refused
from sangyu.kernel.identity import parse_phone
from sangyu.kernel.names import pinyin_of
from sangyu.kernel.publishing import require_responsible
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service

from ..credit_code import is_valid, normalised
from ..enums import Action, ContractState, LegalForm, State
from ..models import Contract, Organisation
from ..workflow import REGISTRATION
from ._shared import own_organisation
from .contracts import finish_contract

#: What the organisation itself may change.
OWN_FIELDS = ("short_name", "phone", "opening_hours", "introduction")
FIELDS = ("name", "legal_form", "credit_code", "address", "latitude", "longitude", *OWN_FIELDS)


@service("organisations.register")
def register_organisation(*, actor: Actor, region: Any, name: str, legal_form: str, **fields: Any) -> Organisation:
    """Enter an organisation of any legal form as a draft of ``region`` (R-006). ``fields`` are those of FIELDS.

    Raises Invalid for a missing or wrong credit code (GB 32100), Refused when the code is registered already, also outside
    the actor's scope (then without saying where).
    """
    require_responsible(actor, region.path)
    row = Organisation(region=region, path=region.path)
    _apply(row, {"name": name, "legal_form": legal_form, **fields})
    row.save(force_insert=True)
    return row


@service("organisations.register")
def change_organisation(*, actor: Actor, organisation_id: int, **fields: Any) -> Organisation:
    """Correct the register entry; same checks as registering."""
    row = own_organisation(actor, organisation_id)
    _apply(row, fields)
    row.save()
    return row


@service("organisations.own")
def describe(*, actor: Actor, organisation_id: int, **fields: Any) -> Organisation:
    """Change what the organisation tells about itself: OWN_FIELDS only."""
    row = own_organisation(actor, organisation_id)
    if not set(fields) <= set(OWN_FIELDS):
        raise Invalid({"": [_("Only the description can be changed here.")]})
    _apply(row, fields)
    row.save(update_fields=list(fields))
    return row


@service("organisations.register")
def set_operator(*, actor: Actor, organisation_id: int, operator_id: int | None) -> Organisation:
    """Make the organisation a site of a chain, or independent again (R-007). A chain has one level."""
    row = own_organisation(actor, organisation_id)
    if operator_id is not None:
        operator = Organisation.objects.filter(pk=operator_id).first()
        if operator is None:
            raise NotVisible
        if operator.pk == row.pk or operator.operator_id is not None or row.sites.exists():
            raise Refused(
                _("The operator must be an independent organisation, and a site cannot have sites of its own."),
                code="organisations.chain",
            )
    row.operator_id = operator_id
    row.save(update_fields=["operator"])
    return row


def _move(actor: Actor, organisation_id: int, action: Action, reason: str, now: datetime | None, expect: str | None):
    now = now or timezone.now()
    changes = {"approved_at": now} if action is Action.APPROVE else {}
    row = Organisation.objects.filter(pk=organisation_id).first()
    if row is None:
        raise NotVisible
    require_responsible(actor, row.path)
    return REGISTRATION.apply(
        actor=actor,
        queryset=Organisation.objects.all(),
        pk=organisation_id,
        action=action,
        now=now,
        reason=reason,
        changes=changes,
        data={"on": timezone.localdate(now).isoformat()},
        expect=expect,
    )


@service("organisations.approve")
def approve(
    *, actor: Actor, organisation_id: int, reason: str = "", now: datetime | None = None, expect: str | None = None
) -> Organisation:
    """DRAFT → APPROVED. Raises Refused without a valid business licence or registration where the form has one."""
    return _move(actor, organisation_id, Action.APPROVE, reason, now, expect)


@service("organisations.approve")
def suspend(
    *, actor: Actor, organisation_id: int, reason: str, now: datetime | None = None, expect: str | None = None
) -> Organisation:
    """APPROVED → SUSPENDED: no new orders; open ones go back to dispatch (event). Needs a reason."""
    return _move(actor, organisation_id, Action.SUSPEND, reason, now, expect)


@service("organisations.approve")
def resume(
    *, actor: Actor, organisation_id: int, reason: str = "", now: datetime | None = None, expect: str | None = None
) -> Organisation:
    """SUSPENDED → APPROVED; the licence is asked for again."""
    return _move(actor, organisation_id, Action.RESUME, reason, now, expect)


@service("organisations.approve")
def end(
    *, actor: Actor, organisation_id: int, reason: str, now: datetime | None = None, expect: str | None = None
) -> Organisation:
    """APPROVED or SUSPENDED → ENDED, with all its contracts in force. Needs a reason."""
    row = _move(actor, organisation_id, Action.END, reason, now, expect)
    with as_system("a contract of another region ends with its organisation"):
        active = Contract.objects.filter(organisation=row, state=ContractState.ACTIVE).order_by("id")
        for contract in active:
            finish_contract(actor, contract.pk, reason, now or timezone.now())
    return row


@service("organisations.rate")
def rate_organisations(*, actor: Actor, ratings: dict[int, Decimal]) -> int:
    """Store ratings (1.00 to 5.00) that quality computed, in one statement; returns how many rows were seen and changed."""
    if not ratings:
        return 0
    cases = [When(pk=pk, then=Value(rating)) for pk, rating in ratings.items()]
    rated = Case(*cases, output_field=DecimalField(max_digits=3, decimal_places=2))
    return Organisation.objects.filter(pk__in=list(ratings)).update(rating=rated)


def _apply(row: Organisation, fields: dict[str, Any]) -> None:
    apply_fields(row, fields)
    if row.credit_code and _is_registered(row.credit_code, row.pk):
        raise Refused(_("This credit code is registered already."), code="organisations.duplicate")


def apply_fields(row: Organisation, fields: dict[str, Any]) -> None:
    """Set ``fields`` on ``row`` and check them, without asking the register. Raises Invalid."""
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise Invalid({name: [_("Unknown field.")] for name in unknown})
    for name, value in fields.items():
        setattr(row, name, value.strip() if isinstance(value, str) else value)
    errors: dict[str, list[str]] = {}
    if not row.name:
        errors["name"] = [_("Give the name as on the licence.")]
    if row.legal_form not in LegalForm.values:
        errors["legal_form"] = [_("Choose one of: %(words)s") % {"words": ", ".join(LegalForm.values)}]
    else:
        row.credit_code = normalised(row.credit_code)
        errors.update(_code_errors(row))
    if row.phone and "phone" in fields:
        try:
            row.phone = parse_phone(row.phone)
        except BadValue as e:
            errors["phone"] = [e.message]
    if (row.latitude is None) != (row.longitude is None):
        errors["latitude"] = [_("Give both latitude and longitude, or neither.")]
    if errors:
        raise Invalid(errors)
    row.pinyin, row.initials = pinyin_of(row.name)


def _code_errors(row: Organisation) -> dict[str, list[str]]:
    if not LegalForm(row.legal_form).has_credit_code:
        return {"credit_code": [_("This legal form has no credit code.")]} if row.credit_code else {}
    if not row.credit_code:
        return {"credit_code": [_("Give the unified social credit code of 18 characters.")]}
    if not is_valid(row.credit_code):
        return {"credit_code": [_("The credit code is wrong: compare all 18 characters with the licence.")]}
    return {}


def _is_registered(code: str, own: int | None) -> bool:
    """Only yes or no, across all regions: the register is one."""
    with as_system("is this credit code registered anywhere? answers yes or no"):
        return Organisation.objects.filter(credit_code=code).exclude(pk=own).exclude(state=State.ENDED).exists()
