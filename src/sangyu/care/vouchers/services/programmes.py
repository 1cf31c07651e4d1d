"""Publishing voucher programmes."""

from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.publishing import require_responsible
from sangyu.kernel.services import service

from ..enums import Unspent, Validity
from ..models import Programme

_TERMS = {
    "name", "document_number", "face_amount", "per_order_cap", "validity", "validity_days", "unspent",
    "roll_over_months", "categories", "items", "organisations",
}  # fmt: skip


def _checked(terms: dict[str, Any]) -> dict[str, Any]:
    errors: dict[str, list[str]] = {}
    if not terms["name"].strip():
        errors["name"] = [_("Give the programme a name.")]
    if terms["face_amount"] <= 0:
        errors["face_amount"] = [_("The amount must be more than zero.")]
    if terms["per_order_cap"] is not None and terms["per_order_cap"] <= 0:
        errors["per_order_cap"] = [_("The amount must be more than zero.")]
    if terms["validity"] == Validity.DAYS and not terms["validity_days"]:
        errors["validity_days"] = [_("Say for how many days.")]
    if terms["unspent"] == Unspent.ROLL_OVER and not terms["roll_over_months"]:
        errors["roll_over_months"] = [_("Say for how many months.")]
    if errors:
        raise Invalid(errors)
    if terms["validity"] != Validity.DAYS:
        terms["validity_days"] = None
    if terms["unspent"] == Unspent.LAPSE:
        terms["roll_over_months"] = 0
    return terms


@service("vouchers.programme")
def publish_programme(
    *,
    actor: Actor,
    region_id: int,
    path: str,
    name: str,
    face_amount: int,
    valid_from: date,
    valid_to: date | None = None,
    document_number: str = "",
    per_order_cap: int | None = None,
    validity: str = Validity.MONTH,
    validity_days: int | None = None,
    unspent: str = Unspent.LAPSE,
    roll_over_months: int = 0,
    categories: list[str] = (),
    items: list[str] = (),
    organisations: list[int] = (),
) -> Programme:
    """Publish a programme for the region at ``path`` and all below it (R-069). Amounts in fen. Raises Invalid,
    Refused.
    """
    require_responsible(actor, path)
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid({"valid_to": [_("The end must be after the start.")]})
    given = locals()
    terms = _checked({name_: given[name_] for name_ in _TERMS})
    for lists in ("categories", "items", "organisations"):
        terms[lists] = list(terms[lists])
    return Programme.objects.create(region_id=region_id, path=path, valid_from=valid_from, valid_to=valid_to, **terms)


@service("vouchers.programme")
def change_programme(*, actor: Actor, programme_id: int, **changes: Any) -> Programme:
    """Change the terms of a programme. The face amount stays once vouchers were issued: they would differ from their
    paper.

    Raises Refused("vouchers.face_fixed"), Invalid, NotVisible.
    """
    programme = Programme.objects.select_for_update().filter(pk=programme_id).first()
    if programme is None:
        raise NotVisible
    require_responsible(actor, programme.path)
    unknown = set(changes) - _TERMS - {"valid_from", "valid_to"}
    if unknown:
        raise Invalid({name: ["unknown"] for name in unknown})
    if changes.get("face_amount", programme.face_amount) != programme.face_amount and programme.issues.exists():
        raise Refused(
            _("Vouchers of this amount have been issued. Publish a new programme."), code="vouchers.face_fixed"
        )
    terms = _checked({name: changes.get(name, getattr(programme, name)) for name in _TERMS})
    for name in ("valid_from", "valid_to"):
        terms[name] = changes.get(name, getattr(programme, name))
    if terms["valid_to"] is not None and terms["valid_to"] <= terms["valid_from"]:
        raise Invalid({"valid_to": [_("The end must be after the start.")]})
    for name, value in terms.items():
        setattr(programme, name, value)
    programme.save(update_fields=list(terms))
    return programme
