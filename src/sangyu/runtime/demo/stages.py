"""Stages of a build: each in one transaction with its mark, shown as one line with rows and speed."""

import time
from collections.abc import Callable

from django.db import transaction
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sangyu.kernel.models import Sequence


class Stages:
    """Runs what is not there yet. A stage that fails leaves nothing; the next run goes on from it."""

    def __init__(self, city: str, console: Console) -> None:
        self.city, self.console = city, console

    def done(self, name: str) -> int | None:
        """Rows that the stage wrote in an earlier run, None when it has not run."""
        return Sequence.objects.filter(name=self._mark(name)).values_list("value", flat=True).first()

    def any_done(self) -> bool:
        return Sequence.objects.filter(name__startswith=self._mark("")).exists()

    def run(self, name: str, label: str, work: Callable[[Callable[[int], None]], int], total: int | None = None) -> int:
        """Run ``work(step)`` unless it is done; it returns its rows and tells ``step`` how far it is on the way."""
        before = self.done(name)
        if before is not None:
            self.console.print(f"  {label}: {before:,} there already", highlight=False)
            return before
        begun = time.monotonic()
        with self._bar(label, total) as step, transaction.atomic():
            rows = work(step)
            Sequence.objects.create(name=self._mark(name), value=rows)
        spent = max(time.monotonic() - begun, 0.001)
        self.console.print(
            f"[green]✓[/] {label}: {rows:,} in {spent:.1f} s ({rows / spent:,.0f} rows/s)", highlight=False
        )
        return rows

    def _mark(self, name: str) -> str:
        return f"demo.{self.city}.{name}"

    def _bar(self, label: str, total: int | None) -> "_Bar":
        return _Bar(label, total, self.console)


class _Bar:
    """A progress bar while a stage runs; nothing where the output is no terminal."""

    def __init__(self, label: str, total: int | None, console: Console) -> None:
        self.progress = Progress(
            TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self.label, self.total = label, total

    def __enter__(self) -> Callable[[int], None]:
        self.progress.start()
        task = self.progress.add_task(self.label, total=self.total)
        return lambda rows: self.progress.advance(task, rows)

    def __exit__(self, *error: object) -> None:
        self.progress.stop()
