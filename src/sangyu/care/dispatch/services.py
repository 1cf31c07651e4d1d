"""Door of dispatch: ranking with the weights that ship as data."""

from functools import cache

import yaml
from django.conf import settings

from .ranking import Booking, Need, Option, Proposal, Reason, Weights, rank

__all__ = ["Booking", "Need", "Option", "Proposal", "Reason", "Weights", "propose"]


@cache
def weights() -> Weights:
    """The shipped weights; raises ValueError naming the file when they do not add up to 100."""
    path = settings.DATA / "dispatch" / "weights.yaml"
    values = Weights(**yaml.safe_load(path.read_text()))
    total = values.distance + values.continuity + values.load + values.preference + values.rating + values.price
    if total != 100:
        raise ValueError(f"{path.name}: the weights add up to {total}, they must add up to 100")
    return values


def propose(
    need: Need, options: list[Option], *, bookings: list[Booking], visits_before: dict[int, int]
) -> list[Proposal]:
    """Rank ``options`` for ``need`` with the shipped weights; see ranking.rank."""
    return rank(need, options, bookings=bookings, visits_before=visits_before, weights=weights())
