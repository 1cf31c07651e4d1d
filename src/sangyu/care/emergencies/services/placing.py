"""Where somebody is who called for help, told by the telephone afterwards: the call never waits for it (R-094)."""

from datetime import datetime

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.geo import Point
from sangyu.kernel.services import service

from ..enums import Did
from ..models import Incident, Trail
from ._shared import changed, locked, must_live, note_down, save

#: Metres: a place no further from the known one is no news, unless it is exacter by half.
SAME = 30.0
_PHONE = "phone"


@service("emergencies.raise")
def tell_place(*, actor: Actor, incident_id: int, place: Point, now: datetime) -> bool:
    """The telephone on which help was called says where it is; answers whether that was news.

    Its owner agreed to it in the browser, which asks; like the place of a watch that calls for help it needs no other
    consent, and the trail says once that it was told. Raises NotVisible, Refused("emergencies.closed").
    """
    incident = locked(actor, incident_id)
    if not Incident.objects.visible_to(actor).filter(pk=incident_id).exists():
        raise NotVisible  # who was only asked to go is not who called
    must_live(incident)
    place = place.wgs84()
    if not _news(incident, place):
        return False
    first = not Trail.objects.filter(incident=incident, data__place=_PHONE).exists()
    save(
        incident, latitude=place.latitude, longitude=place.longitude, accuracy=place.accuracy, placed_at=now,
    )  # fmt: skip
    if first:
        words = _("The telephone on which help was called says where it is; its owner allowed it there.")
        note_down(incident, actor, now, Did.NOTE, words, place=_PHONE)
    changed(incident)
    return True


def _news(incident: Incident, place: Point) -> bool:
    if incident.placed_at is None or incident.latitude is None:
        return True
    known = Point(incident.latitude, incident.longitude, incident.accuracy)
    exacter = place.accuracy is not None and (known.accuracy is None or place.accuracy < known.accuracy / 2)
    return exacter or place.metres_to(known) > max(SAME, place.accuracy or 0.0)
