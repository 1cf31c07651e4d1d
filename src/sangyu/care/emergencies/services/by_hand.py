"""A call for help without a device: by telephone, from the app, at the counter (R-094)."""

from datetime import datetime

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible
from sangyu.kernel.services import service
from sangyu.registry.facilities import selectors as facilities
from sangyu.registry.people import selectors as people

from ..enums import Kind, Level, Source
from .making import ByHand
from .opening import take_in


@service("emergencies.raise")
def raise_by_hand(
    *,
    actor: Actor,
    source: str,
    now: datetime,
    person_id: int | None = None,
    facility_id: int | None = None,
    room: str = "",
    kind: str = Kind.SOS,
    level: int = Level.LIFE,
    text: str = "",
    address: str = "",
    latitude: float | None = None,
    longitude: float | None = None,
    accuracy: float | None = None,
) -> int:
    """A call for help without a device: ``source`` call, app or walk_in. Answers the id of the case, opened or joined.

    Raises Invalid, NotVisible.
    """
    errors: dict[str, list[str]] = {}
    if source not in (Source.CALL, Source.APP, Source.WALK_IN):
        errors["source"] = [_("Say how the call came.")]
    if kind not in Kind.values:
        errors["kind"] = [_("Choose what has happened.")]
    if level not in (Level.LIFE, Level.URGENT):
        errors["level"] = [_("A case is of level 1 or 2.")]
    if not person_id and not facility_id and not address.strip():
        errors["address"] = [_("Say who or where.")]
    if (latitude is None) != (longitude is None):
        errors["latitude"] = [_("A place has latitude and longitude.")]
    if errors:
        raise Invalid(errors)
    path = actor.path
    if person_id:
        card = people.person_cards(actor, [person_id]).get(person_id)
        if card is None:
            raise NotVisible
        path = card.path
    elif facility_id:
        path = facilities.get_facility(actor, facility_id).path
    alarm = ByHand(
        path=path, kind=kind, level=level, at=now, received_at=now, person_id=person_id, facility_id=facility_id,
        room=room, latitude=latitude, longitude=longitude, accuracy=accuracy, text=text.strip(),
        placed_at=now if latitude is not None else None, source=Source(source), address=address.strip(),
    )  # fmt: skip
    return take_in([alarm], actor=actor, now=now)[0]
