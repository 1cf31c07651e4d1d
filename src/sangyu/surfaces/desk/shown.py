"""What the desk shows of a case, worked out once for all its panes."""

import json
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sangyu.care.emergencies import selectors
from sangyu.care.emergencies.enums import Answer, PartyKind, State, step_result
from sangyu.kernel.actor import Actor
from sangyu.kernel.geo import haversine
from sangyu.registry.people.enums import FactKind, fact_label
from sangyu.registry.regions import selectors as regions

#: Seconds without a claim from which a row is amber, red (ux.md §6A).
AMBER, RED = 30, 60
#: Metres from which the home is shown beside the place of the device.
AWAY = 150
#: Kinds with an icon of their own; the others get the alarm's.
ICONS = {"sos": "sos", "fall": "fall", "smoke": "smoke", "fire": "smoke", "gas": "smoke", "device_silent": "off"}


def ms(moment: datetime | None) -> int | None:
    """Milliseconds since 1970, for clocks in the browser."""
    return None if moment is None else int(moment.timestamp() * 1000)


def waited(seconds: float) -> str:
    """02:14, 26 min, 5 h: what the clock of a row says before the browser's takes over."""
    whole = max(int(seconds), 0)
    if whole < 600:
        return f"{whole // 60:02}:{whole % 60:02}"
    if whole < 5400:
        return _("%(n)d min") % {"n": whole // 60}
    return _("%(n)d h") % {"n": whole // 3600} if whole < 172_800 else _("%(n)d days") % {"n": whole // 86_400}


def distance(value: float | None) -> str:
    """350 m, 1.2 km."""
    if value is None:
        return "—"
    return f"{round(value, -1):.0f} m" if value < 1000 else f"{value / 1000:.1f} km"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the queue with its clock and colours. ``ring``: level that sounds until somebody takes it, else 0."""

    row: selectors.Row
    icon: str
    look: str
    tone: str
    waited: str
    since: int
    next_at: int | None
    ring: int
    waits: bool
    area: str = ""


def line(row: selectors.Row, now: datetime, area: str = "") -> Line:
    """``area`` is that of the actor, which needs no saying."""
    seconds = (now - row.opened_at).total_seconds()
    waits = row.claimed_by is None
    tone = "60" if waits and seconds >= RED else "30" if waits and seconds >= AMBER else ""
    return Line(
        row=row,
        icon=ICONS.get(row.kind, "sos"),
        look="sos" if row.level == 1 else "fall" if row.level == 2 else "off",
        tone=tone,
        waited=waited(seconds),
        since=ms(row.opened_at),
        next_at=ms(row.next_step_at),
        ring=row.level if waits else 0,
        waits=waits,
        area=row.area.removeprefix(area) or row.area,
    )


def queue(actor: Actor, now: datetime, *, mine: bool = False) -> list[Line]:
    """The live cases, in the order of the desk."""
    rows = [row for row in selectors.queue(actor) if row.mine or not mine]
    own = regions.at_path(actor.path)
    return [line(row, now, own.full_name if own else "") for row in rows]


def announced(actor: Actor, now: datetime) -> str:
    """Which alarms heard past the database have their case, so that the console shows and sounds them no more: JSON of
    [device, person, from, to] in milliseconds, for ``matched`` of desk.js.
    """
    return json.dumps([[h.device_id, h.person_id, ms(h.since), ms(h.until)] for h in selectors.with_case(actor, now)])


def candidates(actor: Actor, card) -> list:
    """Who may still be asked, the nearest first; whoever is able before whoever is passed over."""
    asked = {(p.kind, p.subject_id) for p in card.parties if p.answer not in (Answer.SILENT, Answer.REFUSED)}
    found = selectors.candidates(actor, card.incident.pk)
    return sorted((c for c in found if (c.kind, c.subject_id) not in asked), key=lambda c: not c.able)


#: Facts that whoever goes must know, and the values that are grave.
KNOWING = (FactKind.LIVING, FactKind.DEMENTIA, FactKind.BEDRIDDEN, FactKind.WANDERING, FactKind.DISABILITY)
GRAVE = {FactKind.DEMENTIA, FactKind.BEDRIDDEN, FactKind.WANDERING}


def knowing(card) -> list[tuple[str, str, bool]]:
    """What the file says that matters now: term, words, whether it is grave."""
    if card.person is None:
        return []
    facts = card.person.facts
    found = [
        (str(kind.label), fact_label(kind, facts[kind]), kind in GRAVE)
        for kind in KNOWING
        if facts.get(kind) and facts[kind] not in ("no", "none")
    ]
    return sorted(found, key=lambda f: not f[2])[:3]


def place_words(incident, now: datetime) -> str:
    """How old the place is, from two hours on of when, and how exact; the home's when the device has none."""
    if incident.latitude is None or incident.placed_at is None:
        return _("Place of the home; the device has told none.")
    age = int((now - incident.placed_at).total_seconds()) // 60
    if age >= 120:
        old = f"{localtime(incident.placed_at):%m-%d %H:%M}"
    else:
        old = ngettext("%(n)d minute ago", "%(n)d minutes ago", age) % {"n": age} if age else _("just now")
    if incident.accuracy is None:
        return _("Measured %(old)s.") % {"old": old}
    return _("Measured %(old)s, exact to %(metres)d m.") % {"old": old, "metres": round(incident.accuracy)}


def points(card, found_candidates) -> list[dict]:
    """What the map shows: the elder, the home when it lies elsewhere, and who may go, with letters."""
    i, found = card.incident, []
    home = card.person and card.person.latitude is not None
    if i.latitude is not None:
        found.append({"kind": "elder", "lat": i.latitude, "lon": i.longitude, "words": i.person_name or i.room or i.number, "radius": i.accuracy})  # fmt: skip
        if home and haversine(i.latitude, i.longitude, card.person.latitude, card.person.longitude) > AWAY:
            found.append(
                {"kind": "home", "lat": card.person.latitude, "lon": card.person.longitude, "words": _("Home")}
            )
    elif home:
        found.append({"kind": "elder", "lat": card.person.latitude, "lon": card.person.longitude, "words": i.person_name, "radius": None})  # fmt: skip
    for letter, one in zip("ABCDEFGH", found_candidates, strict=False):
        if one.latitude is not None and one.longitude is not None:
            found.append(
                {"kind": "help", "letter": letter, "lat": one.latitude, "lon": one.longitude, "words": one.name}
            )
    return found


def map_of(card, found_candidates) -> dict:
    """Data of the map: points, and tiles when the deployment has some (SANGYU_MAP_TILES)."""
    return {
        "points": points(card, found_candidates),
        "tiles": settings.SANGYU_MAP_TILES,
        "source": settings.SANGYU_MAP_SOURCE,
    }


#: Where a case stands, in order; the stamp of each.
ROAD = (
    (State.OPEN, "opened_at"),
    (State.CLAIMED, "claimed_at"),
    (State.VERIFYING, "verified_at"),
    (State.DISPATCHED, "dispatched_at"),
    (State.ON_THE_WAY, "under_way_at"),
    (State.ARRIVED, "arrived_at"),
    (State.CLOSED, "closed_at"),
)


def road(incident) -> list[dict]:
    """The states with their stamps: done, the present one, and what is to come."""
    order = [state for state, _stamp in ROAD]
    here = order.index(State(incident.state)) if incident.state in order else len(order)
    return [
        {"words": state.label, "at": getattr(incident, stamp), "now": n == here, "done": n < here}
        for n, (state, stamp) in enumerate(ROAD)
    ]


def ladder(card, now: datetime) -> list[dict]:
    """Steps of the escalation with their clocks: done with what came of it, the next one, later ones."""
    found, seen = [], False
    for step in card.steps:
        upcoming = step.done_at is None
        found.append(
            {
                "step": step,
                "now": upcoming and not seen,
                "due": ms(step.due_at) if upcoming else None,
                "late": upcoming and step.due_at < now,
                "result": step_result(step.result),
            }
        )
        seen = seen or upcoming
    return found


def parties(card) -> list[dict]:
    """Who was asked, with what the desk can do about each."""
    return [
        {
            "party": p,
            "kind": PartyKind(p.kind).label,
            "distance": distance(p.distance_m),
            "answer": Answer(p.answer).label,
            "due": ms(p.answer_by) if p.answer == Answer.WAITING else None,
            "asked": p.answer == Answer.WAITING,
            "comes": p.answer == Answer.ACCEPTED and p.arrived_at is None,
        }
        for p in card.parties
    ]
