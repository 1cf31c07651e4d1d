"""What happens to a wearer is told to whoever has to fetch the device. Repeatable."""

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.events import on
from sangyu.registry.lifeevents import services as lifeevents
from sangyu.registry.lifeevents.enums import Item, Kind
from sangyu.registry.people import events as people
from sangyu.registry.people import selectors

from . import events
from .selectors import out_with


def _tell(actor: Actor, person_id: int) -> None:
    """The check list of a death learns how many devices are still out; nothing for the living."""
    try:
        person = selectors.get_person(actor, person_id)
    except NotVisible:  # moved or merged since: the event there tells
        return
    if person.died_on is None:
        return
    left = out_with([person_id]).get(person_id, 0)
    note = _("%(left)s devices still to be taken back") % {"left": left} if left else _("No device is out")
    lifeevents.report(
        actor=actor, person_id=person_id, kind=Kind.DEATH, on=person.died_on, item=Item.DEVICES, left=left, note=note
    )


@on(people.DIED)
def after_death(actor: Actor, path: str, **payload) -> None:
    """A device is not back because its wearer died: the check list says that it has to be fetched."""
    _tell(actor, payload["id"])


@on(events.UNBOUND)
def after_return(actor: Actor, path: str, **payload) -> None:
    if "person" in payload:
        _tell(actor, payload["person"])
