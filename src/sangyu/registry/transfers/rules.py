"""Scope rule that only this room needs."""

from dataclasses import dataclass

from django.db.models import Q

from sangyu.kernel.actor import Actor
from sangyu.kernel.scoping import PATH_END, Rule


@dataclass(frozen=True)
class EitherPath(Rule):
    """Rows of which one of two paths lies in the actor's area. For a register of thousands: both indexes are asked."""

    one: str
    other: str

    def sql(self, table: str) -> str:
        low, high = "sangyu.scope_path()", "sangyu.scope_path_end()"
        return " OR ".join(f'("{c}" >= {low} AND "{c}" < {high})' for c in (self.one, self.other))

    def q(self, actor: Actor) -> Q:
        found = Q()
        for column in (self.one, self.other):
            found |= Q(**{f"{column}__gte": actor.path, f"{column}__lt": actor.path + PATH_END})
        return found
