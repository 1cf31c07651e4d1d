"""Small steps that the services of this room share. Called inside an open scope."""

from typing import Any

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.facts import DatedFact
from sangyu.registry.regions import selectors as regions

from .completeness import recompute
from .models import Person, PersonFact
from .restricting import refuse_restricted


def locked(person_id: int) -> Person:
    """The person's row, locked; facts are changed under this lock. Raises NotVisible, and Refused for a restricted file."""
    person = Person.objects.select_for_update().filter(pk=person_id).first()
    if person is None:
        raise NotVisible
    refuse_restricted(person)
    return person


def region_in_scope(actor: Actor, region_id: int):
    """A region of the actor's own tree. Raises NotVisible."""
    found = regions.region(region_id, current=True)
    if not found.path.startswith(actor.path):
        raise NotVisible
    return found


def refresh_completeness(person: Person) -> None:
    """Compute the score again and store it when it changed; not a change of the file, so ``updated_at`` stays."""
    if recompute(Person.objects.filter(pk=person.pk)):
        person.refresh_from_db(fields=["completeness"])


def live_fact(fact_id: int) -> DatedFact:
    """A fact that is not superseded. Raises NotVisible."""
    fact = PersonFact.objects.known_on(None).filter(pk=fact_id).first()
    if fact is None:
        raise NotVisible
    return fact


def plain(value: Any) -> Any:
    """As it can be compared: bytes come from the database as a view of them."""
    return bytes(value) if isinstance(value, memoryview) else value
