"""Files that are kept for a statute only (PIPL 47, X-01). Imported through ``services`` and ``selectors``."""

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible, Refused
from sangyu.kernel.scoping import current_actor, say_why
from sangyu.kernel.services import service

from .models import Person


def refusal() -> Refused:
    """The answer to whoever would use or change a restricted file."""
    return Refused(
        _(
            "The data of this person are kept for a statute only. Who decides about requests on personal data may change them."
        ),
        code="people.restricted",
    )


def refuse_use(person: Person) -> None:
    """Raise Refused("people.restricted") before a new use of a restricted person's data: an order, an agreement, a voucher."""
    if person.restricted_at is not None:
        raise refusal()


def refuse_restricted(person: Person) -> None:
    """Raise Refused for a file that is kept for a statute only, unless the actor of the open scope decides about those."""
    if person.restricted_at is not None and not current_actor().may("people.restricted"):
        raise refusal()


def is_restricted(person_id: int) -> bool:
    """Whether the person's data are kept for a statute only. Call inside a scope."""
    return Person.objects.filter(pk=person_id, restricted_at__isnull=False).exists()


def restricted_among(person_ids: Iterable[int]) -> set[int]:
    """Those of ``person_ids`` whose data are kept for a statute only. Call inside a scope."""
    rows = Person.objects.filter(pk__in=list(person_ids), restricted_at__isnull=False)
    return set(rows.values_list("pk", flat=True))


@service("people.restricted")
def restrict(*, actor: Actor, person_id: int, reason: str, now: datetime | None = None) -> Person:
    """From ``now`` on keep the file for a statute only. A restricted one stays as it is. Raises NotVisible."""
    return _set(person_id, now or timezone.now(), reason)


@service("people.restricted")
def lift_restriction(*, actor: Actor, person_id: int, reason: str) -> Person:
    """Open the file again, for instance because the person asks for services again. Raises NotVisible."""
    return _set(person_id, None, reason)


def _set(person_id: int, at: datetime | None, reason: str) -> Person:
    person = Person.objects.select_for_update().filter(pk=person_id).first()
    if person is None:
        raise NotVisible
    if (person.restricted_at is None) != (at is None):
        say_why(reason)
        person.restricted_at = at
        person.save(update_fields=["restricted_at", "updated_at"])
    return person
