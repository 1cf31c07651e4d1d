"""Elders whose area is divided: from a day on another region is responsible for them, though nobody moved (R-001).

A move (``status.move``) is a person's own step and ends orders; here the home, the household and what was ordered stay.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid
from sangyu.kernel.events import emit
from sangyu.kernel.models import Share
from sangyu.kernel.scoping import as_system, say_why, take_many_along
from sangyu.kernel.services import service
from sangyu.registry.regions.enums import Level

from . import events
from .enums import FactKind
from .models import Person
from .sharing import PERSON_SHARES
from .store import region_in_scope


@dataclass
class Reassigned:
    """``refused``: id → why; ``previous``: id → the region before."""

    refused: dict[int, str] = field(default_factory=dict)
    previous: dict[int, int] = field(default_factory=dict)


@service("people.reassign")
def reassign(
    *,
    actor: Actor,
    ids: list[int],
    region_id: int,
    day: date,
    reason: str,
    today: date | None = None,
    now: datetime | None = None,
) -> Reassigned:
    """Make ``region_id`` responsible for the persons ``ids`` from ``day`` on, in a few statements however many they are.

    Past days keep their region in the facts of kind ``region``. Who died, or belongs there already, is refused; ids that
    the actor does not see are passed over. Raises Invalid for a day to come, NotVisible for a region out of the area.
    """
    now = now or timezone.now()
    if day > (today or timezone.localdate()):
        raise Invalid({"day": [_("The day lies in the future.")]})
    target = region_in_scope(actor, region_id)
    if target.level < Level.STREET:
        raise Invalid({"region_id": [_("Choose a street or a community.")]})
    done = Reassigned()
    rows = Person.objects.visible_to(actor).filter(pk__in=ids).select_for_update(of=("self",)).order_by("pk")
    for pk, old, died, born in rows.values_list("pk", "region_id", "died_on", "birth_date"):
        if died is not None:
            done.refused[pk] = _("The person has died.")
        elif old == target.pk:
            done.refused[pk] = _("The person belongs to this region already.")
        elif born and day < born:
            done.refused[pk] = _("The day lies before the birth.")
        else:
            done.previous[pk] = old
    going = list(done.previous)
    if not going:
        return done
    say_why(reason)
    with as_system("the files leave the area of the region that had them"):
        Person.objects.filter(pk__in=going).update(region=target, path=target.path, updated_at=now)
        take_many_along(Person, going, target.path)
        Share.objects.filter(kind__in=PERSON_SHARES, object_id__in=going).update(path=target.path)
        _date_regions(going, str(target.pk), target.path, day, reason, now)
    emit(events.REASSIGNED, path=target.path, region=target.pk, on=day.isoformat(), count=len(going))
    return done


def _date_regions(ids: list[int], value: str, path: str, day: date, source: str, now: datetime) -> None:
    """The facts of kind ``region``: what held on ``day`` and later is superseded, what held before is kept."""
    known = {
        "ids": ids,
        "kind": str(FactKind.REGION),
        "day": day,
        "now": now,
        "value": value,
        "path": path,
        "source": source[:100],
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE people_personfact SET superseded_at = %(now)s WHERE subject_id = ANY(%(ids)s) AND kind = %(kind)s "
            "AND superseded_at IS NULL AND (valid_to IS NULL OR valid_to > %(day)s)",
            known,
        )
        cursor.execute(
            "INSERT INTO people_personfact (subject_id, path, kind, value, valid_from, valid_to, recorded_at, source, note) "
            "SELECT subject_id, %(path)s, kind, value, valid_from, %(day)s, %(now)s, source, note FROM people_personfact "
            "WHERE subject_id = ANY(%(ids)s) AND kind = %(kind)s AND superseded_at = %(now)s AND valid_from < %(day)s",
            known,
        )
        cursor.execute(
            "INSERT INTO people_personfact (subject_id, path, kind, value, valid_from, recorded_at, source, note) "
            "SELECT p, %(path)s, %(kind)s, %(value)s, greatest(%(day)s, (SELECT min(valid_from) FROM people_personfact f "
            "WHERE f.subject_id = p AND f.kind = %(kind)s)), %(now)s, %(source)s, '' FROM unnest(%(ids)s::bigint[]) p",
            known,
        )


def by_addresses(actor: Actor, region_id: int, parts: list[str]) -> dict[str, list[int]]:
    """Living elders of the region whose address holds one of ``parts``, under the first that fits; "" holds the rest.

    Evaluate inside a scope.
    """
    found: dict[str, list[int]] = {part: [] for part in [*parts, ""]}
    rows = Person.objects.visible_to(actor).filter(
        Q(region_id=region_id), died_on__isnull=True, registered_on__isnull=False
    )
    for pk, address in rows.order_by("pk").values_list("pk", "address").iterator(chunk_size=10_000):
        found[next((part for part in parts if part in address), "")].append(pk)
    return found
