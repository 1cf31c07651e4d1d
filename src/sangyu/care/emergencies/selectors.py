"""Questions about emergencies: the live queue, one case with everything, its trail."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Case, Min, Q, QuerySet, When
from django.utils import timezone

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.scoping import as_system, scope
from sangyu.registry.people import selectors as people

from .enums import LIVE, Answer, Kind, Level, State
from .models import Alarm, Incident, Notice, Party, Step, Trail
from .readiness import (
    calls_visible,
    channels_visible,
    drills_visible,
    duties_visible,
    now_on_duty,
    roster_gaps,
    rosters,
    stations_visible,
    tests_visible,
    to_call_back,
    untested,
)
from .reports import BY, false_alarms, report
from .services.chain import Candidate, candidates_of

#: For so long a console may hear of an alarm past the database (``runtime.push_alarms``).
HEARD = timedelta(minutes=15)
#: Presses that follow so soon are the same call for help.
FOLDED = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Row:
    """A case in the queue of the desk. Moments are aware; the page counts on from ``opened_at``."""

    id: int
    number: str
    level: int
    level_label: str
    kind: str
    kind_label: str
    family: str
    state: str
    state_label: str
    drill: bool
    person_id: int | None
    person_name: str
    age: int | None
    tags: tuple[str, ...]
    area: str
    address: str
    latitude: float | None
    longitude: float | None
    opened_at: datetime
    alarm_at: datetime
    received_at: datetime
    repeats: int
    claimed_by: int | None
    claimed_name: str
    claimed_at: datetime | None
    answered_at: datetime | None
    next_step_at: datetime | None
    emergency_due: bool
    reset: bool
    mine: bool


def incidents_visible(actor: Actor) -> QuerySet[Incident]:
    """Cases that the actor sees."""
    return Incident.objects.visible_to(actor)


def get_incident(actor: Actor, pk: int) -> Incident:
    """One case. Raises NotVisible."""
    found = incidents_visible(actor).select_related("region", "facility", "device", "person").filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


def log_look(actor: Actor, incident: Incident) -> None:
    """Write down that ``actor`` opened the case, if of the staff (R-090, ADR 0011): among the looks at the person's data, of a case without
    one the actor sees at the case itself. Relatives' looks are told where they look."""
    if actor.audience is Audience.STAFF:
        log_read(actor=actor, what="emergencies.case", objects=[incident.person or incident], purpose=incident.number)


def queue(actor: Actor, *, most: int = 200, drills: bool = True) -> list[Row]:
    """Live cases in the order of the desk: nobody's before somebody's, graver first, then oldest. Three queries."""
    rows = incidents_visible(actor).live().select_related("region").annotate(
        next_step_at=Min("steps__due_at", filter=Q(steps__done_at=None))
    )  # fmt: skip
    if not drills:
        rows = rows.filter(drill=False)
    waits = Case(When(claimed_by=None, then=0), default=1)
    found = list(rows.order_by(waits, "level", "opened_at", "id")[:most])
    return rows_of(actor, found)


@dataclass(frozen=True, slots=True)
class Announced:
    """A case from whose device or person whatever was heard between the two moments is in it; ``since`` None: whenever before."""

    device_id: int | None
    person_id: int | None
    since: datetime | None
    until: datetime


def with_case(actor: Actor, now: datetime) -> list[Announced]:
    """Cases that are live, or had an alarm within ``HEARD``. One query."""
    recent = Q(opened_at__gt=now - timedelta(days=1), last_alarm_at__gt=now - HEARD)
    cases = incidents_visible(actor).filter(Q(state__in=LIVE) | recent)
    rows = cases.values_list("device_id", "person_id", "state", "alarm_at", "last_alarm_at")
    # An alarm joins an open case whatever its device's clock says; of one that was closed only its own alarms are known.
    return [
        Announced(device, person, *((None, last + FOLDED) if state in LIVE else (first, last)))
        for device, person, state, first, last in rows
    ]


def rows_of(actor: Actor, found: Sequence[Incident]) -> list[Row]:
    """Cases as rows of the queue, with age and tags of their persons."""
    cards = people.person_cards(actor, {i.person_id for i in found if i.person_id})
    return [_row(i, cards.get(i.person_id), actor) for i in found]


def _row(i: Incident, card, actor: Actor) -> Row:
    return Row(
        id=i.pk, number=i.number, level=i.level, level_label=str(Level(i.level).label), kind=i.kind,
        kind_label=str(Kind(i.kind).label), family=i.family, state=i.state, state_label=str(State(i.state).label),
        drill=i.drill, person_id=i.person_id, person_name=i.person_name, age=card.age if card else None,
        tags=tuple(str(t.label) for t in card.tags) if card else (), area=i.region.full_name, address=i.address,
        latitude=i.latitude, longitude=i.longitude, opened_at=i.opened_at, alarm_at=i.alarm_at,
        received_at=i.received_at, repeats=i.repeats, claimed_by=i.claimed_by_id, claimed_name=i.claimed_name,
        claimed_at=i.claimed_at, answered_at=i.answered_at, next_step_at=getattr(i, "next_step_at", None),
        emergency_due=i.emergency_due_at is not None and i.emergency_at is None, reset=i.reset_at is not None,
        mine=i.claimed_by_id is not None and i.claimed_by_id == actor.account_id,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that the desk shows of one case."""

    incident: Incident
    row: Row
    person: people.PersonCard | None
    contacts: list
    alarms: list[Alarm]
    parties: list[Party]
    steps: list[Step]
    notices: list[Notice]
    #: Other live cases of the same person, and the last closed ones.
    others: list[Incident]
    before: list[Incident]
    #: (kind, words, grave) of conditions, allergies and medicines, as far as the actor may know them.
    health: list[tuple[str, str, bool]]
    acts: tuple[str, ...] = field(default=())

    @property
    def place_age(self):
        """How old the place was when the alarm came; None when it is the home's."""
        return self.incident.received_at - self.incident.placed_at if self.incident.placed_at else None


def card(actor: Actor, incident_id: int) -> Card:
    """The case for the screens of staff. Raises NotVisible."""
    incident = get_incident(actor, incident_id)
    person = contacts = None
    if incident.person_id:
        person = people.person_cards(actor, [incident.person_id]).get(incident.person_id)
        contacts = people.contacts(people.get_person(actor, incident.person_id)) if person else []
    same = incidents_visible(actor).exclude(pk=incident.pk).filter(person_id=incident.person_id)
    known = incident.person_id is not None
    return Card(
        incident=incident,
        row=_row(incident, person, actor),
        person=person,
        contacts=contacts or [],
        alarms=list(Alarm.objects.filter(incident=incident).select_related("device").order_by("received_at", "id")),
        parties=list(parties_of(incident)),
        steps=list(Step.objects.filter(incident=incident).order_by("due_at", "rank", "id")),
        notices=list(Notice.objects.filter(incident=incident).order_by("created_at", "id")),
        others=list(same.live().order_by("opened_at")) if known else [],
        before=list(same.exclude(state__in=LIVE).order_by("-opened_at")[:3]) if known else [],
        health=people.health_lines(people.health_of(actor, incident.person_id)) if person else [],
        acts=acts(actor, incident),
    )


def parties_of(incident: Incident) -> QuerySet[Party]:
    """Who was asked, in the order of asking."""
    return Party.objects.filter(incident=incident).order_by("offered_at", "id")


def trail(actor: Actor, incident_id: int) -> list[Trail]:
    """What happened, oldest first. Raises NotVisible."""
    get_incident(actor, incident_id)
    return list(Trail.objects.filter(incident_id=incident_id).order_by("at", "id"))


def acts(actor: Actor, i: Incident) -> tuple[str, ...]:
    """What the actor can do with the case now: names of services."""
    if actor.audience is not Audience.STAFF:
        return ()
    handles, mine = actor.may("emergencies.handle"), i.claimed_by_id is not None and i.claimed_by_id == actor.account_id
    if i.state == State.CLOSED:
        return tuple(["review"] * actor.may("emergencies.review") + ["note"] * handles)
    if i.state == State.REVIEWED or not handles:
        return ()
    if i.claimed_by_id is None:
        return ("claim", "note", "escalate_120")
    if not mine:
        return (*(["release"] if actor.may("emergencies.review") else []), "note", "escalate_120")
    return ("release", "verify", "offer", "note", "escalate_120", "close")


def open_steps(incident_id: int) -> QuerySet[Step]:
    """Clocks that still run."""
    return Step.objects.filter(incident_id=incident_id, done_at=None).order_by("due_at", "rank")


def waiting_seconds(i: Incident, now: datetime | None = None) -> int:
    """Seconds from the opening to the first answer, or to ``now``."""
    return int(((i.answered_at or now or timezone.now()) - i.opened_at).total_seconds())


def nobodys(actor: Actor) -> int:
    """Live cases that nobody has taken: the number beside the navigation."""
    return incidents_visible(actor).live().filter(claimed_by=None).count()


def candidates(actor: Actor, incident_id: int, now: datetime | None = None) -> list[Candidate]:
    """Who may be sent, nearest first: facilities and workers, then relatives in the order of calling. Closed ones and those
    signed out are there with their reason, so that the desk sees why. Raises NotVisible.
    """
    moment = now or timezone.now()
    with scope(actor):
        incident = get_incident(actor, incident_id)
        return [c for track in ("nearest", "family") for c in candidates_of(incident, track, moment)]


def handover_text(actor: Actor, incident_id: int, now: datetime | None = None) -> str:
    """What the operator reads to 120 or 110: who, where, what, since when, known conditions, who is on the way."""
    from .handover_text import words

    return words(card(actor, incident_id), now or timezone.now())


@dataclass(frozen=True, slots=True)
class Asked:
    """A case as who was asked to go sees it."""

    party: Party
    incident: Incident


def asked(actor: Actor, *, live: bool = True, most: int = 50) -> list[Asked]:
    """Cases to which the actor was asked to go: a worker's, a provider's, a relative's, a duty person's own; newest first."""
    rows = Party.objects.exclude(answer=Answer.PASSED)
    if actor.audience is Audience.WORKER:
        rows = rows.filter(worker_id=actor.subject_id)
    elif actor.audience is Audience.PROVIDER:
        rows = rows.filter(organisation_id=actor.subject_id)
    else:
        rows = rows.filter(account_id=actor.account_id or 0)
    if live:
        rows = rows.filter(incident__state__in=LIVE)
    with scope(actor), as_system("who was asked sees the case for as long as it is open"):
        found = list(rows.select_related("incident__region").order_by("-offered_at", "-id")[:most])
    return [Asked(p, p.incident) for p in found]


def of_person(actor: Actor, person_id: int, *, most: int = 20) -> list[Incident]:
    """Cases of one elder that the actor sees, newest first: for the file and for the family."""
    rows = incidents_visible(actor).filter(person_id=person_id, drill=False)
    return list(rows.select_related("region").order_by("-opened_at", "-id")[:most])


__all__ = [
    "BY", "Asked", "Candidate", "Card", "Row", "acts", "asked", "calls_visible", "candidates", "card", "channels_visible", "drills_visible",
    "duties_visible", "false_alarms", "get_incident", "handover_text", "incidents_visible", "log_look", "nobodys", "now_on_duty", "of_person",
    "open_steps", "parties_of", "queue", "report", "roster_gaps", "rosters", "rows_of", "stations_visible", "tests_visible",
    "to_call_back", "trail", "untested", "waiting_seconds",
]  # fmt: skip
