"""What other rooms' events mean for screening: nobody knocks where the elder has died or moved away."""

from sangyu.kernel.actor import Actor
from sangyu.kernel.events import on
from sangyu.registry.people import events as people

from . import services
from .enums import Missed


@on(people.DIED)
def died(actor: Actor, path: str, id: int, **more) -> None:
    services.miss_all_of(actor=actor, person_id=id, why=Missed.DIED)


@on(people.MOVED)
def moved(actor: Actor, path: str, id: int, **more) -> None:
    """Inside the campaign's region the task went along with the file; outside it is over."""
    services.miss_all_of(actor=actor, person_id=id, why=Missed.MOVED, outside_only=True)
