"""What gates dispatch and what is to the worker's credit: certificates, clearances, honours."""

from datetime import date
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.files import attach
from sangyu.kernel.services import service
from sangyu.registry.catalogue.enums import Skill

from ..enums import ClearanceKind
from ..models import Certificate, Clearance, Honour
from ._shared import check_word, own_worker


@service("workforce.manage")
def add_certificate(
    *,
    actor: Actor,
    worker_id: int,
    skill: str,
    number: str,
    valid_from: date,
    valid_to: date | None = None,
    level: str = "",
    issuer: str = "",
    file_id: int | None = None,
) -> Certificate:
    """Record a professional certificate that holds in ``[valid_from, valid_to)`` (R-151)."""
    row = own_worker(actor, worker_id)
    check_word("skill", skill, Skill)
    if skill == Skill.NONE or not number.strip():
        raise Invalid({"number": [_("Give skill and number as on the certificate.")]})
    same = Certificate.objects.filter(worker=row, skill=skill, number=number.strip())
    _check_days(same, valid_from, valid_to)
    return Certificate.objects.create(
        worker=row,
        skill=skill,
        level=level,
        number=number.strip(),
        issuer=issuer,
        valid_from=valid_from,
        valid_to=valid_to,
        file_id=file_id,
    )


@service("workforce.manage")
def attach_certificate_paper(*, actor: Actor, certificate_id: int, file: Any) -> Certificate:
    """Keep the scanned certificate (an uploaded file). Raises Invalid for a type that is not accepted."""
    return _attached(Certificate, actor, certificate_id, file)


@service("workforce.manage")
def attach_clearance_paper(*, actor: Actor, clearance_id: int, file: Any) -> Clearance:
    """Keep the paper of a training or check, as above."""
    return _attached(Clearance, actor, clearance_id, file)


@service("workforce.manage")
def end_certificate(*, actor: Actor, certificate_id: int, day: date) -> Certificate:
    """Let a certificate hold no more from ``day`` on (revoked, not renewed)."""
    return _ended(Certificate, actor, certificate_id, day)


@service("workforce.manage")
def add_clearance(
    *,
    actor: Actor,
    worker_id: int,
    kind: str,
    valid_from: date,
    valid_to: date | None = None,
    note: str = "",
    file_id: int | None = None,
) -> Clearance:
    """Record entry training, a health check or a background check that holds in ``[valid_from, valid_to)`` (R-152, R-157).

    A newer one that begins before the last ends takes over from its first day.
    """
    row = own_worker(actor, worker_id)
    check_word("kind", kind, ClearanceKind)
    same = Clearance.objects.filter(worker=row, kind=kind)
    same.filter(valid_from__lt=valid_from).filter(Q(valid_to__isnull=True) | Q(valid_to__gt=valid_from)).update(
        valid_to=valid_from
    )
    _check_days(same, valid_from, valid_to)
    return Clearance.objects.create(
        worker=row, kind=kind, valid_from=valid_from, valid_to=valid_to, note=note, file_id=file_id
    )


@service("workforce.manage")
def end_clearance(*, actor: Actor, clearance_id: int, day: date) -> Clearance:
    """Let a clearance hold no more from ``day`` on."""
    return _ended(Clearance, actor, clearance_id, day)


@service("workforce.manage")
def add_honour(*, actor: Actor, worker_id: int, title: str, awarded_on: date, issuer: str = "") -> Honour:
    """Put an award on the file (R-156)."""
    row = own_worker(actor, worker_id)
    if not title.strip():
        raise Invalid({"title": [_("Name the award.")]})
    return Honour.objects.create(worker=row, title=title.strip(), issuer=issuer, awarded_on=awarded_on)


def _check_days(same, valid_from: date, valid_to: date | None) -> None:
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid({"valid_to": [_("The end must be after the start.")]})
    touching = same.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=valid_from))
    if valid_to is not None:
        touching = touching.filter(valid_from__lt=valid_to)
    if touching.exists():
        raise Refused(_("It is recorded for some of these days already."), code="dated.overlap")


def _attached(model: type, actor: Actor, pk: int, file: Any):
    row = model.objects.filter(pk=pk).first()
    if row is None:
        raise NotVisible
    own_worker(actor, row.worker_id)
    attach(actor, row, file)
    return row


def _ended(model: type, actor: Actor, pk: int, day: date):
    row = model.objects.filter(pk=pk).first()
    if row is None:
        raise NotVisible
    own_worker(actor, row.worker_id)
    if day <= row.valid_from or (row.valid_to is not None and row.valid_to <= day):
        raise Refused(_("Choose a day after its start and before its end."), code="dated.outside")
    row.valid_to = day
    row.save(update_fields=["valid_to"])
    return row
