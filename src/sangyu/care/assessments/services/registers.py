"""Assessors, bought capacity, versions of scales."""

import hashlib
from datetime import date
from typing import Any

from django.db import transaction
from django.db.utils import IntegrityError
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.services import service
from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.regions import selectors as regions

from ..enums import Background
from ..instruments import shipped_text
from ..models import Assessor, Commission, InstrumentVersion


def use_version(code: str) -> InstrumentVersion:
    """The row of the shipped scale ``code`` as its file reads today; stored when first used. In an open scope."""
    instrument, text = shipped_text(code)
    digest = hashlib.sha256(text.encode()).hexdigest()
    row, _made = InstrumentVersion.objects.get_or_create(
        code=code, digest=digest, defaults={"name": instrument.name, "document": instrument.document, "text": text}
    )
    return row


@service("assessments.commission")
def add_assessor(
    *,
    actor: Actor,
    name: str,
    background: str,
    valid_from: date,
    valid_to: date | None = None,
    certificate: str = "",
    account_id: int | None = None,
    body_id: int | None = None,
) -> Assessor:
    """Put somebody on the list of assessors of the actor's area. Raises Invalid, NotVisible, Refused ("assessments.twice")."""
    if not name.strip():
        raise Invalid({"name": [_("Please fill in.")]})
    if background not in Background.values:
        raise Invalid({"background": [_("Choose one of the options.")]})
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid({"valid_to": [_("The end must be after the start.")]})
    if account_id is not None and not accounts.accounts(actor).filter(pk=account_id).exists():
        raise NotVisible
    if body_id is not None:
        organisations.get_organisation(actor, body_id)
    try:
        with transaction.atomic():
            return Assessor.objects.create(
                path=actor.path, name=name.strip(), background=background, valid_from=valid_from, valid_to=valid_to,
                certificate=certificate.strip(), account_id=account_id, body_id=body_id,
            )  # fmt: skip
    except IntegrityError as error:
        if "assessor_account_once" in str(error):
            raise Refused(_("This account is an assessor already."), code="assessments.twice") from None
        raise


def _assessor(pk: int) -> Assessor:
    row = Assessor.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        raise NotVisible
    return row


@service("assessments.commission")
def change_assessor(*, actor: Actor, assessor_id: int, **changes: Any) -> Assessor:
    """Correct name, background or certificate. Raises NotVisible, Invalid."""
    row = _assessor(assessor_id)
    for field in ("name", "background", "certificate"):
        if field in changes:
            setattr(row, field, changes[field])
    if not row.name.strip() or row.background not in Background.values:
        raise Invalid({"name": [_("Please fill in.")]})
    row.save(update_fields=["name", "background", "certificate"])
    return row


@service("assessments.commission")
def end_assessor(*, actor: Actor, assessor_id: int, day: date) -> Assessor:
    """``day`` is the first day on which the person assesses no more. Raises NotVisible, Invalid."""
    row = _assessor(assessor_id)
    if day <= row.valid_from:
        raise Invalid({"day": [_("The end must be after the start.")]})
    row.valid_to = day
    row.save(update_fields=["valid_to"])
    return row


@service("assessments.commission")
def add_commission(
    *,
    actor: Actor,
    body_id: int,
    region_id: int,
    number: str,
    valid_from: date,
    valid_to: date,
    quota: int,
    fee: int,
    sample_percent: int = 5,
) -> Commission:
    """Buy ``quota`` assessments at ``fee`` fen each from an outside body for a region of the actor's area (R-033).

    Raises NotVisible, Invalid, Refused ("assessments.twice").
    """
    organisations.get_organisation(actor, body_id)
    region = regions.region(region_id, current=True)
    if not region.path.startswith(actor.path):
        raise NotVisible
    errors: dict[str, list[str]] = {}
    if valid_to <= valid_from:
        errors["valid_to"] = [_("The end must be after the start.")]
    if quota < 1:
        errors["quota"] = [_("At least one.")]
    if fee < 0:
        errors["fee"] = [_("Not below zero.")]
    if not 1 <= sample_percent <= 100:
        errors["sample_percent"] = [_("Between 1 and 100.")]
    if errors:
        raise Invalid(errors)
    try:
        with transaction.atomic():
            return Commission.objects.create(
                path=region.path, region=region, body_id=body_id, number=number.strip(), valid_from=valid_from,
                valid_to=valid_to, quota=quota, fee=fee, sample_percent=sample_percent,
            )  # fmt: skip
    except IntegrityError as error:
        if "commission_once" in str(error):
            raise Refused(_("This contract is entered already."), code="assessments.twice") from None
        raise
