"""``sangyu benefits run``: a month's run from the command line, as its officer, with the rules of the screen."""

from datetime import date

from rich.console import Console
from rich.table import Table

from .engines.process import EngineError
from .importing import Bar, actor_of


def run(console: Console, *, region: str, month: str, username: str, back: int, again: bool) -> int:
    """Begin and compute the run of ``month`` for ``region`` (official code); print what changed. 0 = computed."""
    from django.utils import timezone

    from sangyu.care.benefits import services
    from sangyu.care.benefits.enums import RunState
    from sangyu.care.benefits.models import Run
    from sangyu.kernel.errors import Invalid, SangyuError
    from sangyu.kernel.scoping import scope
    from sangyu.registry.regions import selectors as regions

    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise EngineError(f"{month!r} is no month.", "write it as 2026-10") from None
    actor = actor_of(username, "benefits.prepare")
    place = regions.by_code(region, timezone.localdate())
    if place is None:
        raise EngineError(f"No region has the code {region!r}.", "name the official code, for example 210802")
    try:
        with scope(actor):
            live = Run.objects.filter(region_id=place.pk, month=first).exclude(state=RunState.CANCELLED).first()
        if live is not None and again:
            services.again(actor=actor, run_id=live.pk)
        made = live or services.begin(actor=actor, region_id=place.pk, month=first, back_months=back)
        if made.state != RunState.COMPUTING and not again:
            console.print(
                f"{made.number} is {made.get_state_display()} already; --again computes it anew.", highlight=False
            )
            return 2
        with Bar(console) as bar:
            made = services.compute(actor=actor, run_id=made.pk, op=bar)
    except KeyboardInterrupt:
        console.print("[yellow]Cancelled. The run has no lines.[/]")
        return 1
    except SangyuError as error:
        said = [m for found in error.errors.values() for m in found] if isinstance(error, Invalid) else [str(error)]
        raise EngineError("\n  ".join(map(str, said))) from None
    table = Table("change", "lines", box=None)
    for change, count in sorted(made.counts.items()):
        table.add_row(change, f"{count:,}")
    console.print(
        f"{made.number}: {made.line_count:,} lines for {made.subject_count:,} recipients, {made.total / 100:,.2f} yuan",
        highlight=False,
    )
    console.print(table)
    return 0
