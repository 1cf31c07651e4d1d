"""On the way → arrived → done, with proof (R-085). Steps from a phone carry a client id, so that an offline queue may
repeat them.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, Refused
from sangyu.kernel.files import save as save_file
from sangyu.kernel.geo import haversine
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people

from ..codes import person_of_home_code
from ..enums import Action, EvidenceKind, ReturnVisitReason
from ..models import Evidence, Order
from ._shared import apply, lock_order, require_return_visit, service_rule
from .dispatching import is_worker


def _worker_only(actor: Actor, order: Order) -> None:
    if actor.audience is Audience.WORKER and not is_worker(actor, order):
        raise Forbidden("orders.visit")


def _seen(client_id: UUID | None) -> bool:
    """Whether a step with this client id was stored before: a repeat from an offline queue changes nothing."""
    return client_id is not None and Evidence.objects.filter(client_id=client_id).exists()


def _keep(order: Order, actor: Actor, kind: EvidenceKind, at: datetime, **values) -> Evidence:
    return Evidence.objects.create(order=order, kind=kind, at=at, actor=actor.name, **values)


def _moment(at: datetime | None, now: datetime) -> datetime:
    """When it happened: the phone's time if it is not in the future and not older than two days, else now."""
    if at is None or at > now + timedelta(minutes=5) or at < now - timedelta(days=2):
        return now
    return at


@service("orders.visit")
def depart(
    *,
    actor: Actor,
    order_id: int,
    at: datetime | None = None,
    client_id: UUID | None = None,
    now: datetime | None = None,
) -> Order:
    """Set out: ACCEPTED → ON_THE_WAY."""
    now = now or timezone.now()
    order = lock_order(order_id)
    if _seen(client_id):
        return order
    _worker_only(actor, order)
    order = apply(actor, order, Action.DEPART, now=_moment(at, now))
    _keep(order, actor, EvidenceKind.DEPARTED, _moment(at, now), client_id=client_id)
    return order


@service("orders.visit")
def arrive(
    *,
    actor: Actor,
    order_id: int,
    latitude: float | None = None,
    longitude: float | None = None,
    accuracy: float | None = None,
    code: str = "",
    reason: str = "",
    at: datetime | None = None,
    client_id: UUID | None = None,
    now: datetime | None = None,
) -> Order:
    """Arrive with proof: the home's QR ``code``, or a WGS-84 place within the region's tolerance, or a ``reason``.

    A reason is enough (no GPS, broken code), but the order is flagged and a return visit is due. Raises Invalid when
    there is
    neither, Refused when the code belongs to another home.
    """
    now = now or timezone.now()
    order = lock_order(order_id)
    if _seen(client_id):
        return order
    _worker_only(actor, order)
    moment = _moment(at, now)
    distance = None
    if latitude is not None and longitude is not None and order.latitude is not None and order.longitude is not None:
        distance = haversine(latitude, longitude, order.latitude, order.longitude)
    tolerance = service_rule(order.path, localtime(order.planned_start).date()).place_tolerance
    if code:
        home = person_of_home_code(code)
        # a printed code of a file that was merged since is a code of this home too
        if home != order.person_id and (home is None or people.survivor(home) != order.person_id):
            raise Refused(_("This code belongs to another home. Check the address."), code="orders.wrong_home")
        kind, flag = EvidenceKind.QR, ""
    elif distance is not None and distance - min(accuracy or 0, tolerance) <= tolerance:
        kind, flag = EvidenceKind.PLACE, ""
    elif reason.strip():
        kind = EvidenceKind.NO_PROOF
        flag = (
            _("Arrived without proof: %(reason)s") % {"reason": reason}
            if distance is None
            else _("Checked in %(metres)s m away: %(reason)s") % {"metres": round(distance), "reason": reason}
        )
    elif distance is not None:
        raise Invalid(
            {
                "reason": [
                    _("You are %(metres)s m away from the home. Scan the home's code or say why.")
                    % {"metres": round(distance)}
                ]
            }
        )
    else:
        raise Invalid({"reason": [_("No place and no code. Scan the home's code or say why.")]})
    changes = {"flagged": flag[:200]} if flag else {}
    order = apply(actor, order, Action.ARRIVE, now=moment, changes=changes, data={"proof": kind})
    _keep(
        order,
        actor,
        kind,
        moment,
        latitude=latitude,
        longitude=longitude,
        accuracy=accuracy,
        distance=distance,
        text=reason[:300],
        client_id=client_id,
    )
    if flag:
        require_return_visit(order, ReturnVisitReason.NO_PROOF, now)
    return order


@service("orders.visit")
def add_evidence(
    *,
    actor: Actor,
    order_id: int,
    kind: EvidenceKind,
    text: str = "",
    title: str = "",
    content_type: str = "",
    data: bytes | None = None,
    at: datetime | None = None,
    client_id: UUID | None = None,
    now: datetime | None = None,
) -> Order:
    """Add a photo, signature, note or ticked item while in service. At most three photos a visit."""
    now = now or timezone.now()
    order = lock_order(order_id)
    if _seen(client_id):
        return order
    _worker_only(actor, order)
    if order.state != "arrived":
        raise Refused(_("Proof can only be added during the visit."), code="orders.not_in_service")
    if kind == EvidenceKind.PHOTO and order.evidence.filter(kind=EvidenceKind.PHOTO).count() >= 3:
        raise Refused(_("Three photos are enough for one visit."), code="orders.photos_full")
    file = None
    if data is not None:
        file = save_file(
            actor,
            owner=order,
            title=title or kind.label,
            content_type=content_type,
            data=data,
            photo=kind == EvidenceKind.PHOTO,
        )
    _keep(order, actor, kind, _moment(at, now), text=text[:300], file=file, client_id=client_id)
    return order


@service("orders.visit")
def finish(
    *,
    actor: Actor,
    order_id: int,
    items: list[str] | None = None,
    note: str = "",
    signature: bytes | None = None,
    at: datetime | None = None,
    client_id: UUID | None = None,
    now: datetime | None = None,
) -> Order:
    """Finish the visit: ARRIVED → DONE, with what was done, and the elder's signature (PNG bytes) where there is one.

    Starts the time in which the elder or family confirms; after it the order confirms itself.
    """
    now = now or timezone.now()
    order = lock_order(order_id)
    if _seen(client_id):
        return order
    _worker_only(actor, order)
    moment = _moment(at, now)
    if order.arrived_at is not None and moment < order.arrived_at:
        moment = now
    hours = service_rule(order.path, localtime(order.planned_start).date()).confirm_hours
    minutes = max(0, int((moment - order.arrived_at).total_seconds()) // 60) if order.arrived_at else None
    planned = int((order.planned_end - order.planned_start).total_seconds()) // 60
    changes = {"minutes": minutes, "confirm_by": now + timedelta(hours=hours)}
    if minutes is not None and minutes * 2 < planned and not order.flagged:
        changes["flagged"] = _("Took %(minutes)s of %(planned)s minutes") % {"minutes": minutes, "planned": planned}
    order = apply(actor, order, Action.FINISH, now=moment, changes=changes, data={"minutes": minutes})
    for text in items or []:
        _keep(order, actor, EvidenceKind.ITEM, moment, text=text[:300])
    if note:
        _keep(order, actor, EvidenceKind.NOTE, moment, text=note[:300])
    if signature:
        file = save_file(
            actor,
            owner=order,
            title=_("Signature"),
            content_type="image/png",
            data=signature,
        )
        _keep(order, actor, EvidenceKind.SIGNATURE, moment, file=file)
    if client_id is not None:
        _keep(order, actor, EvidenceKind.NOTE, moment, text=_("Finished"), client_id=client_id)
    return order


@service("orders.record_visit")
def record_paper_visit(
    *,
    actor: Actor,
    order_id: int,
    arrived_at: datetime,
    finished_at: datetime,
    paper_number: str,
    items: list[str],
    now: datetime | None = None,
) -> Order:
    """Enter a visit from its paper form when the worker had no phone (R-087): ACCEPTED → DONE, flagged for a return
    visit.
    """
    now = now or timezone.now()
    if not arrived_at < finished_at <= now:
        raise Invalid({"finished_at": [_("The end must be after the start and not in the future.")]})
    order = lock_order(order_id)
    hours = service_rule(order.path, localtime(order.planned_start).date()).confirm_hours
    flag = _("From paper form %(number)s") % {"number": paper_number}
    order = apply(
        actor, order, Action.ARRIVE, now=arrived_at, reason=flag, changes={"flagged": flag}, data={"proof": "paper"}
    )
    minutes = int((finished_at - arrived_at).total_seconds()) // 60
    order = apply(
        actor,
        order,
        Action.FINISH,
        now=finished_at,
        reason=flag,
        changes={"minutes": minutes, "confirm_by": now + timedelta(hours=hours)},
        data={"minutes": minutes},
    )
    with as_system("the station writes the worker's proof"):
        _keep(order, actor, EvidenceKind.PAPER, arrived_at, text=paper_number[:300])
        for text in items:
            _keep(order, actor, EvidenceKind.ITEM, finished_at, text=text[:300])
    require_return_visit(order, ReturnVisitReason.NO_PROOF, now)
    return order
