"""Figures of a list."""

from django.db.models import Count

from sangyu.kernel.actor import Actor

from .enums import LineState, Outcome
from .models import StatusLine


def counts(actor: Actor, status_list_id: int) -> list[tuple[Outcome, int, int]]:
    """(outcome, lines, of them open) for every outcome, zeros included. Call inside the scope."""
    rows = StatusLine.objects.visible_to(actor).filter(status_list=status_list_id)
    found = {(r["outcome"], r["state"]): r["n"] for r in rows.values("outcome", "state").annotate(n=Count("pk"))}
    return [
        (
            o,
            sum(found.get((o.value, s.value), 0) for s in LineState),
            found.get((o.value, LineState.OPEN.value), 0),
        )
        for o in Outcome
    ]
