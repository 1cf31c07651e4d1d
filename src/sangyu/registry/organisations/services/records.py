"""What hangs on a registration: licences, capability, operating mode, contacts."""

from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import BadValue, Invalid, NotVisible, Refused
from sangyu.kernel.files import attach
from sangyu.kernel.identity import parse_phone
from sangyu.kernel.services import service
from sangyu.registry.catalogue.enums import Category, LicenceKind

from ..enums import OperatingMode
from ..models import Capability, Contact, Licence, Mode
from ._shared import check_interval, check_word, own_organisation


@service("organisations.verify")
def add_licence(
    *,
    actor: Actor,
    organisation_id: int,
    kind: str,
    number: str,
    valid_from: date,
    valid_to: date | None = None,
    issuer: str = "",
    file_id: int | None = None,
) -> Licence:
    """Record a licence seen by the region, valid in ``[valid_from, valid_to)`` (R-006).

    Raises Invalid, or Refused when the same number is recorded for some of these days.
    """
    row = own_organisation(actor, organisation_id)
    check_word("kind", kind, LicenceKind)
    if kind == LicenceKind.NONE or not number.strip():
        raise Invalid({"number": [_("Give kind and number as on the licence.")]})
    check_interval(valid_from, valid_to)
    licence = Licence(
        organisation=row,
        path=row.path,
        kind=kind,
        number=number.strip(),
        issuer=issuer,
        valid_from=valid_from,
        valid_to=valid_to,
        file_id=file_id,
    )
    _refuse_overlap(Licence.objects.filter(organisation=row, kind=kind, number=licence.number), valid_from, valid_to)
    licence.save()
    return licence


@service("organisations.verify")
def attach_licence_paper(*, actor: Actor, licence_id: int, file: Any) -> Licence:
    """Keep the scanned licence (an uploaded file). Raises Invalid for a type that is not accepted."""
    licence = _part(Licence, actor, licence_id)
    attach(actor, licence, file, title=f"{licence.get_kind_display()} {licence.number}")
    return licence


@service("organisations.verify")
def end_licence(*, actor: Actor, licence_id: int, day: date) -> Licence:
    """Let a licence hold no more from ``day`` on (revoked, handed back, replaced)."""
    licence = _part(Licence, actor, licence_id)
    return _ended(licence, day)


@service("organisations.verify")
def add_capability(
    *, actor: Actor, organisation_id: int, category: str, area: Any, valid_from: date, valid_to: date | None = None
) -> Capability:
    """State that the organisation gives services of ``category`` in the region ``area`` and below (R-008)."""
    row = own_organisation(actor, organisation_id)
    check_word("category", category, Category)
    check_interval(valid_from, valid_to)
    _refuse_overlap(Capability.objects.filter(organisation=row, category=category, area=area), valid_from, valid_to)
    return Capability.objects.create(
        organisation=row,
        path=row.path,
        category=category,
        area=area,
        area_path=area.path,
        valid_from=valid_from,
        valid_to=valid_to,
    )


@service("organisations.verify")
def end_capability(*, actor: Actor, capability_id: int, day: date) -> Capability:
    """The organisation stops these services there from ``day`` on."""
    return _ended(_part(Capability, actor, capability_id), day)


@service("organisations.verify")
def set_mode(*, actor: Actor, organisation_id: int, mode: str, valid_from: date, note: str = "") -> Mode:
    """The operating mode from ``valid_from`` on; the one before ends there (R-179). Raises Refused for a later one."""
    row = own_organisation(actor, organisation_id)
    check_word("mode", mode, OperatingMode)
    latest = Mode.objects.filter(organisation=row).order_by("-valid_from").first()
    if latest is not None and latest.valid_from >= valid_from:
        raise Refused(
            _("A mode already begins on %(day)s.") % {"day": latest.valid_from.isoformat()},
            code="organisations.mode_exists",
        )
    if latest is not None:
        _ended(latest, valid_from)
    return Mode.objects.create(organisation=row, path=row.path, mode=mode, valid_from=valid_from, note=note)


@service("organisations.own")
def add_contact(
    *, actor: Actor, organisation_id: int, name: str, phone: str, post: str = "", is_main: bool = False
) -> Contact:
    """Add a person to call; a new main contact replaces the old one as such."""
    row = own_organisation(actor, organisation_id)
    try:
        number = parse_phone(phone)
    except BadValue as e:
        raise Invalid({"phone": [e.message]}) from e
    if not name.strip():
        raise Invalid({"name": [_("Give the name.")]})
    if is_main:
        Contact.objects.filter(organisation=row, is_main=True).update(is_main=False)
    return Contact.objects.create(
        organisation=row, path=row.path, name=name.strip(), phone=number, post=post, is_main=is_main
    )


@service("organisations.own")
def remove_contact(*, actor: Actor, contact_id: int) -> None:
    """Remove a contact; history keeps it."""
    _part(Contact, actor, contact_id).delete()


def _part(model: type, actor: Actor, pk: int):
    part = model.objects.filter(pk=pk).first()
    if part is None:
        raise NotVisible
    own_organisation(actor, part.organisation_id)
    return part


def _ended(row, day: date):
    if day <= row.valid_from:
        raise Refused(
            _("It began on %(day)s: end it later.") % {"day": row.valid_from.isoformat()}, code="dated.before_start"
        )
    if row.valid_to is not None and row.valid_to <= day:
        raise Refused(_("It has already ended on %(day)s.") % {"day": row.valid_to.isoformat()}, code="dated.ended")
    row.valid_to = day
    row.save(update_fields=["valid_to"])
    return row


def _refuse_overlap(rows, valid_from: date, valid_to: date | None) -> None:
    from django.db.models import Q

    same = rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=valid_from))
    if valid_to is not None:
        same = same.filter(valid_from__lt=valid_to)
    if same.exists():
        raise Refused(_("It is recorded for some of these days already."), code="dated.overlap")
