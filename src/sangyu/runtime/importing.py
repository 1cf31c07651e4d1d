"""``sangyu import``: a file into the register from the command line, with the rules of the screen."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .engines.process import EngineError

#: The parts sum up to ``rows``.
COUNTS = ("rows", "new", "changed", "unchanged", "held", "rejected")


def actor_of(username: str, permission: str) -> Any:
    """The signed-in self of ``username``: the first of its grants that holds ``permission``. Raises EngineError."""
    from sangyu.registry.accounts import selectors
    from sangyu.registry.accounts.models import Account

    account = Account.objects.filter(username=username, is_active=True).first()
    if account is None:
        raise EngineError(f"There is no account {username!r}.", "name the sign-in of somebody who may import")
    actors = [selectors.actor_for(account, grant) for grant in selectors.live_grants(account)]
    found = next((a for a in actors if a.may(permission)), None)
    if found is None:
        raise EngineError(f"{username} may not do this import.", f"give the account a role with {permission}")
    return found


class Bar:
    """The operation's progress, drawn on the terminal. Ctrl+C stops the work where it is; nothing of it stays."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._drawn = Progress(*columns, console=console, transient=True)
        self._task = self._drawn.add_task("rows", total=None)

    def __enter__(self) -> "Bar":
        self._drawn.start()
        return self

    def __exit__(self, *_error: Any) -> None:
        self._drawn.stop()

    def total(self, n: int | None) -> None:
        self._drawn.update(self._task, total=n)

    def advance(self, n: int = 1) -> None:
        self._drawn.advance(self._task, n)

    def check_cancelled(self) -> None:
        """Ctrl+C needs no asking: it raises by itself."""

    def result(self, **values: Any) -> None:
        """The result is shown by ``run``."""


class _File(io.BytesIO):
    def __init__(self, path: Path) -> None:
        super().__init__(path.read_bytes())
        self.name = path.name


def run(
    console: Console, kind: str, path: Path, *, username: str, source: str, settings: dict[str, str], dry_run: bool
) -> int:
    """Import ``path``; the exit code: 0 all taken, 2 some rows rejected, 1 nothing done."""
    from django.db import OperationalError

    from sangyu.kernel.errors import Invalid, SangyuError
    from sangyu.kernel.importing import at_once
    from sangyu.kernel.importing.definition import IMPORTS

    if kind not in IMPORTS:
        raise EngineError(f"There is no import {kind!r}.", "use one of: " + ", ".join(sorted(IMPORTS)))
    if not path.is_file():
        raise EngineError(f"There is no file {path}.")
    actor = actor_of(username, IMPORTS[kind].permission)
    try:
        with Bar(console) as bar:
            found = at_once.run(
                bar, actor=actor, kind=kind, file=_File(path), source=source, settings=settings, dry_run=dry_run
            )
    except KeyboardInterrupt:
        console.print("[yellow]Cancelled. Nothing has been written.[/]")
        return 1
    except OperationalError as lost:
        raise EngineError(f"The database went away; nothing has been written. {lost}") from lost
    except SangyuError as error:
        lines = (
            [m for messages in error.errors.values() for m in messages] if isinstance(error, Invalid) else [str(error)]
        )
        raise EngineError("\n  ".join(map(str, lines))) from None
    counts = {name: found.state.counts[name] for name in COUNTS}
    said = ", ".join(f"{name} {n:,}" for name, n in counts.items())
    console.print(f"{'Would import' if dry_run else 'Imported'}: {said}", highlight=False)
    if found.rejected:
        rest = path.with_name(f"{path.stem}.rejected.xlsx")
        rest.write_bytes(found.rejected)
        console.print(
            f"{counts['rejected']:,} rows were not taken; they lie with their reasons in {rest}", highlight=False
        )
    return 2 if counts["rejected"] else 0
