"""Drills: a case like any other, with its clocks and its people, that everybody sees is a drill (R-094)."""

from datetime import datetime

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.services import service
from sangyu.registry.regions import selectors as regions

from ..enums import LIVE, DrillState, Kind, Level, Source
from ..models import Drill
from .by_hand import ByHand
from .opening import take_in


@service("emergencies.drill")
def plan_drill(
    *,
    actor: Actor,
    title: str,
    region_id: int,
    planned_at: datetime,
    place: str,
    now: datetime,
    kind: str = Kind.SOS,
    level: int = Level.LIFE,
    aim: str = "",
) -> Drill:
    """Plan one. Raises Invalid, NotVisible."""
    region = regions.region(region_id, current=True)
    if not region.path.startswith(actor.path):
        raise NotVisible
    errors: dict[str, list[str]] = {}
    if not title.strip():
        errors["title"] = [_("Give it a title.")]
    if not place.strip():
        errors["place"] = [_("Write where it takes place.")]
    if kind not in Kind.values:
        errors["kind"] = [_("Choose what has happened.")]
    if level not in (Level.LIFE, Level.URGENT):
        errors["level"] = [_("A case is of level 1 or 2.")]
    if errors:
        raise Invalid(errors)
    return Drill.objects.create(
        path=region.path, region=region, title=title.strip()[:60], planned_at=planned_at, place=place.strip()[:200],
        kind=kind, level=level, aim=aim.strip()[:300], planned_by=actor.name[:100],
    )  # fmt: skip


def _locked(actor: Actor, drill_id: int) -> Drill:
    found = Drill.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=drill_id).first()
    if found is None:
        raise NotVisible
    return found


@service("emergencies.drill")
def start_drill(*, actor: Actor, drill_id: int, now: datetime) -> Drill:
    """Raise its alarm. Raises NotVisible, Refused."""
    drill = _locked(actor, drill_id)
    if drill.state != DrillState.PLANNED:
        raise Refused(_("The drill has begun already."), code="emergencies.drill")
    alarm = ByHand(
        path=drill.path, kind=drill.kind, level=drill.level, at=now, received_at=now, drill=True, source=Source.DRILL,
        address=drill.place, text=drill.title,
    )  # fmt: skip
    (drill.incident_id,) = take_in([alarm], actor=actor, now=now)
    drill.state, drill.started_at = DrillState.RUNNING, now
    drill.save(update_fields=["state", "started_at", "incident"])
    return drill


@service("emergencies.drill")
def drill_done(*, actor: Actor, drill_id: int, findings: str, now: datetime) -> Drill:
    """Write what was learnt, once its case is closed. Raises NotVisible, Invalid, Refused."""
    drill = _locked(actor, drill_id)
    if drill.state != DrillState.RUNNING:
        raise Refused(_("The drill is not running."), code="emergencies.drill")
    if drill.incident.state in LIVE:
        raise Refused(_("Close the case of the drill first."), code="emergencies.drill_open")
    if not findings.strip():
        raise Invalid({"findings": [_("Write what was learnt.")]})
    drill.state, drill.ended_at, drill.findings = DrillState.DONE, now, findings.strip()[:1000]
    drill.save(update_fields=["state", "ended_at", "findings"])
    return drill
