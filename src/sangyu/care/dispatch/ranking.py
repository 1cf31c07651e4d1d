"""Ranked proposal of workers for one visit, with reasons (R-081). Pure: everything it weighs is handed in.

Blocks make a candidate impossible and say why; the score, 0 to 100, orders the rest. Weights are data
(``data/dispatch/weights.yaml``), so that a region can value continuity over distance without code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from sangyu.kernel.geo import haversine


@dataclass(frozen=True)
class Need:
    """The visit to be filled. Coordinates WGS-84 degrees; ``worker_sex`` "1" male, "2" female, "" either."""

    person_id: int
    item_code: str
    start: datetime
    end: datetime
    latitude: float | None
    longitude: float | None
    worker_sex: str = ""
    preferred_worker_id: int | None = None
    crew_size: int = 1


@dataclass(frozen=True)
class Booking:
    """Taken time of a worker on that day, with where it is."""

    worker_id: int
    start: datetime
    end: datetime
    label: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class Option:
    """A worker who might go, with what the registers say. ``blocks`` are (code, message) pairs from workforce and
    organisations.
    """

    worker_id: int
    worker_name: str
    sex: str
    organisation_id: int
    organisation_name: str
    contract_id: int
    unit_price: int
    skills: str
    latitude: float | None
    longitude: float | None
    rating: float | None
    blocks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Reason:
    """One line of the explanation: ``tone`` ok, info or bad."""

    tone: str
    text: str


@dataclass(frozen=True)
class Proposal:
    """One candidate with score and reasons; ``blocked`` ones are listed last and cannot be chosen without an
    override.
    """

    option: Option
    score: int
    blocked: bool
    distance: int | None
    visits_before: int
    minutes_that_day: int
    reasons: tuple[Reason, ...]
    bookings: tuple[Booking, ...] = ()
    #: What blocks, as codes: those of the registers, "taken" and "sex".
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Weights:
    """Points at most for each virtue; they add up to 100."""

    distance: int = 30
    continuity: int = 25
    load: int = 15
    preference: int = 10
    rating: int = 10
    price: int = 10
    #: Metres at which distance earns nothing, minutes a day at which load earns nothing, visits that earn full
    # continuity.
    far: int = 10_000
    full_day: int = 480
    known: int = 5


def rank(
    need: Need,
    options: Iterable[Option],
    *,
    bookings: Iterable[Booking] = (),
    visits_before: dict[int, int] | None = None,
    weights: Weights | None = None,
) -> list[Proposal]:
    """All options, best first, blocked ones last. ``visits_before`` maps worker id → confirmed visits to this
    person.
    """
    weights = weights or Weights()
    history = visits_before or {}
    by_worker: dict[int, list[Booking]] = {}
    for booking in bookings:
        by_worker.setdefault(booking.worker_id, []).append(booking)
    options = list(options)
    cheapest = min((o.unit_price for o in options if o.unit_price and not o.blocks), default=0)
    proposals = [
        _propose(
            need,
            o,
            sorted(by_worker.get(o.worker_id, []), key=lambda b: b.start),
            history.get(o.worker_id, 0),
            cheapest,
            weights,
        )
        for o in options
    ]
    return sorted(
        proposals,
        key=lambda p: (p.blocked, -p.score, p.distance if p.distance is not None else 10**9, p.option.worker_id),
    )


def _propose(need: Need, option: Option, day: list[Booking], before: int, cheapest: int, weights: Weights) -> Proposal:
    reasons = [Reason("bad", text) for _code, text in option.blocks]
    codes = {code for code, _text in option.blocks}
    clash = next((b for b in day if b.start < need.end and need.start < b.end), None)
    if clash:
        codes.add("taken")
        reasons.append(
            Reason(
                "bad", _("%(from)s–%(to)s is already taken") % {"from": _clock(clash.start), "to": _clock(clash.end)}
            )
        )
    if need.worker_sex and option.sex != need.worker_sex:
        codes.add("sex")
        reasons.append(Reason("bad", _("A woman is asked for") if need.worker_sex == "2" else _("A man is asked for")))
    blocked = bool(codes)
    points = 0.0

    if option.skills:
        reasons.append(Reason("ok", option.skills))
    metres = _metres(need, option, day)
    if metres is None:
        points += weights.distance / 2
    else:
        points += weights.distance * max(0.0, 1 - metres / weights.far)
        text = (
            _("%(metres)s m away") % {"metres": metres}
            if metres < 1000
            else _("%(km)s km away") % {"km": f"{metres / 1000:.1f}"}
        )
        reasons.append(Reason("ok" if metres < 3000 else "info", text))
    points += weights.continuity * min(before, weights.known) / weights.known
    reasons.append(
        Reason("ok", _("Served this elder %(n)s times") % {"n": before})
        if before
        else Reason("info", _("First visit to this elder"))
    )
    minutes = sum(int((b.end - b.start).total_seconds()) // 60 for b in day)
    points += weights.load * max(0.0, 1 - minutes / weights.full_day)
    reasons.append(
        Reason(
            "ok" if minutes < 300 else "info",
            _("%(n)s visits that day, %(hours)s h") % {"n": len(day), "hours": f"{minutes / 60:.1f}"},
        )
    )
    if need.preferred_worker_id == option.worker_id:
        points += weights.preference
        reasons.append(Reason("ok", _("Asked for by the elder")))
    rating = option.rating if option.rating is not None else 4.0
    points += weights.rating * max(0.0, (rating - 1) / 4)
    if option.rating is not None and option.rating < 4.5:
        reasons.append(Reason("info", _("Rating %(rating)s") % {"rating": f"{option.rating:.1f}"}))
    if option.unit_price and cheapest:
        points += weights.price * cheapest / option.unit_price
        if option.unit_price > cheapest:
            reasons.append(
                Reason(
                    "info",
                    _("%(yuan)s yuan dearer than the cheapest")
                    % {"yuan": f"{(option.unit_price - cheapest) / 100:.2f}"},
                )
            )
    else:
        points += weights.price
    return Proposal(
        option,
        0 if blocked else round(points),
        blocked,
        metres,
        before,
        minutes,
        tuple(reasons),
        tuple(day),
        frozenset(codes),
    )


def _metres(need: Need, option: Option, day: list[Booking]) -> int | None:
    """From the visit that ends last before the need, else from the worker's own point."""
    if need.latitude is None or need.longitude is None:
        return None
    previous = [b for b in day if b.end <= need.start and b.latitude is not None and b.longitude is not None]
    where = (previous[-1].latitude, previous[-1].longitude) if previous else (option.latitude, option.longitude)
    if where[0] is None or where[1] is None:
        return None
    return round(haversine(where[0], where[1], need.latitude, need.longitude))


def _clock(moment: datetime) -> str:
    from django.utils.timezone import localtime

    return f"{localtime(moment):%H:%M}"
