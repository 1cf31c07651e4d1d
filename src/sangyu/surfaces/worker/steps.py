"""One function a step: from the form of the phone to one service call. All may be repeated with the same client id."""

import io
from datetime import datetime
from uuid import UUID, uuid5

from django.http import HttpRequest
from django.utils.translation import gettext as _
from PIL import Image

from sangyu.care.orders import services
from sangyu.care.orders.enums import EvidenceKind, State
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.images import PHOTO_BYTES, shrink
from sangyu.ui.offline import read_client_id, read_moment, read_signature

MOST_PHOTOS = 3


def _client_id(request: HttpRequest) -> UUID | None:
    return read_client_id(request.POST.get("client_id", ""))


def _at(request: HttpRequest) -> datetime | None:
    return read_moment(request.POST.get("at", ""))


def _number(request: HttpRequest, name: str, least: float, most: float) -> float | None:
    try:
        found = float(request.POST.get(name, ""))
    except ValueError:
        return None
    return found if least <= found <= most else None


def _text(request: HttpRequest, name: str, most: int = 300) -> str:
    return request.POST.get(name, "").strip()[:most]


def accept(actor: Actor, task, request: HttpRequest) -> str:
    if task.order.state != State.ACCEPTED:  # a repeat
        services.accept(actor=actor, order_id=task.order.pk, risk_check=_text(request, "risk_check"))
    return _("Accepted.")


def decline(actor: Actor, task, request: HttpRequest) -> str:
    services.decline(actor=actor, order_id=task.order.pk, reason=_text(request, "reason"))
    return _("Declined. The dispatcher sends somebody else.")


def hand_back(actor: Actor, task, request: HttpRequest) -> str:
    services.hand_back(actor=actor, order_id=task.order.pk, reason=_text(request, "reason"))
    return _("Handed back. The dispatcher sends somebody else.")


def depart(actor: Actor, task, request: HttpRequest) -> str:
    services.depart(actor=actor, order_id=task.order.pk, at=_at(request), client_id=_client_id(request))
    return _("On the way.")


def arrive(actor: Actor, task, request: HttpRequest) -> str:
    services.arrive(
        actor=actor,
        order_id=task.order.pk,
        latitude=_number(request, "latitude", -90, 90),
        longitude=_number(request, "longitude", -180, 180),
        accuracy=_number(request, "accuracy", 0, 100_000),
        code=_text(request, "code"),
        reason=_text(request, "reason"),
        at=_at(request),
        client_id=_client_id(request),
    )
    return _("Checked in.")


def finish(actor: Actor, task, request: HttpRequest) -> str:
    """Photos first, then the finish: one transaction, so a broken picture leaves the visit open."""
    client_id, at = _client_id(request), _at(request)
    photos = request.FILES.getlist("photo")
    if len(photos) > MOST_PHOTOS:
        raise Invalid({"photo": [_("At most three photos.")]})
    for number, photo in enumerate(photos):
        services.add_evidence(
            actor=actor,
            order_id=task.order.pk,
            kind=EvidenceKind.PHOTO,
            content_type=photo.content_type or "",
            data=photo.read(),
            at=at,
            client_id=uuid5(client_id, f"photo {number}") if client_id else None,
        )
    items = [text.strip()[:300] for text in request.POST.getlist("item") if text.strip()]
    services.finish(
        actor=actor,
        order_id=task.order.pk,
        items=items + [line.strip() for line in _text(request, "more").splitlines() if line.strip()],
        note=_text(request, "note"),
        signature=_signature(request),
        at=at,
        client_id=client_id,
    )
    return _("Finished. The elder or family confirms the visit.")


def _signature(request: HttpRequest) -> bytes | None:
    """The picture of the signature: drawn (a data address) or photographed."""
    if upload := request.FILES.get("signature_file"):
        return _png(upload.read())
    return read_signature(request.POST.get("signature", ""))


def _png(data: bytes) -> bytes:
    """A photographed signature in the type that the visit keeps."""
    clean, _kind = shrink(data, limit=PHOTO_BYTES)
    out = io.BytesIO()
    Image.open(io.BytesIO(clean)).save(out, "PNG", optimize=True)
    return out.getvalue()


def no_show(actor: Actor, task, request: HttpRequest) -> str:
    reason = _text(request, "reason")
    if not reason:
        raise Invalid({"reason": [_("Say what you did: knocked, telephoned, asked the neighbours.")]})
    if task.order.state != State.NO_SHOW:  # a repeat
        services.report_no_show(actor=actor, order_id=task.order.pk, reason=reason)
    return _("Reported. The centre calls back.")


def note(actor: Actor, task, request: HttpRequest) -> str:
    text = _text(request, "text")
    if not text:
        raise Invalid({"text": [_("Write down what you saw.")]})
    if task.order.state != State.ARRIVED:
        raise Refused(_("Before and after the visit, report by telephone: 12349."), code="worker.not_in_service")
    services.add_evidence(
        actor=actor,
        order_id=task.order.pk,
        kind=EvidenceKind.NOTE,
        text=text,
        at=_at(request),
        client_id=_client_id(request),
    )
    return _("Noted.")


ALL = {
    "accept": accept,
    "decline": decline,
    "hand-back": hand_back,
    "depart": depart,
    "arrive": arrive,
    "finish": finish,
    "no-show": no_show,
    "note": note,
}
#: Steps after which the order has left the worker's sight.
LEAVES = ("decline", "hand-back")
