"""Needs that somebody named outside an assessment, at the door of a screening (R-022, R-037)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people

from ..enums import NeedKind
from ..models import Need


@service("assessments.apply")
def note_needs(*, actor: Actor, named: Mapping[int, Sequence[str]], source: str, today: date) -> int:
    """Add needs (person → kinds) after those that hold; what was named before stays where it is. Answers how many were added.

    Persons whom the actor does not see are left out. Few statements whatever the number. Raises Invalid.
    """
    if {kind for kinds in named.values() for kind in kinds} - set(NeedKind.values):
        raise Invalid({"needs": [_("Choose from the list.")]})
    if not source.strip():
        raise Invalid({"source": [_("Please fill in.")]})
    held: dict[int, dict[str, int]] = defaultdict(dict)
    live = Need.objects.filter(person_id__in=list(named), ended_on__isnull=True)
    for person, kind, rank in live.values_list("person_id", "kind", "rank"):
        held[person][kind] = rank
    made = []
    for person, path in people.paths_of(named).items():
        last = max(held[person].values(), default=0)
        fresh = [kind for kind in dict.fromkeys(named[person]) if kind not in held[person]]
        made += [
            Need(path=path, person_id=person, kind=kind, rank=rank, noted_on=today, source=source[:100])
            for rank, kind in enumerate(fresh, last + 1)
        ]
    return len(Need.objects.bulk_create(made, batch_size=1000))
