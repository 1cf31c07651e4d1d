"""``sangyu backup``, ``restore``, ``verify`` and ``export-all``: for who may run commands on this machine.

A backup and an export are a line in the log of reads (who on which machine, what for): what leaves the house is known.
A restore adds nothing to the database, so that it can be compared again; ``restored.json`` in the home says of it.
"""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from . import backup as backups
from .engines.process import EngineError


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (backup, restore, verify):
        app.command()(command)
    app.command(name="export-all")(export_all)


def require_whole(home: Path) -> None:
    """Raises EngineError while a restore into ``home`` has not ended: what is there is not proven."""
    if (home / backups.MARK).exists():
        raise EngineError(
            f"A restore into {home} has not ended.", "repeat `sangyu restore FOLDER`, it goes on where it was"
        )


PASSPHRASE = Annotated[
    Path | None, typer.Option(help="File with the passphrase; without it SANGYU_BACKUP_PASSPHRASE, or it is asked for.")
]


def backup(
    target: Annotated[Path, typer.Argument(help="New folder for the backup.")],
    keys: Annotated[
        str,
        typer.Option(help="The keys of encrypted fields: plain (beside the data), sealed (under a passphrase), apart."),
    ] = backups.PLAIN,
    passphrase_file: PASSPHRASE = None,
) -> None:
    """Write database, files and keys to a new folder, with the counts and checksums that prove a restore.

    The platform may go on running: everything is of one moment.
    """
    if keys not in (backups.PLAIN, backups.SEALED, backups.APART):
        raise EngineError(f"--keys {keys} is none of plain, sealed, apart.")
    phrase = _passphrase(passphrase_file, twice=True) if keys == backups.SEALED else ""
    with _owner() as (home, url, console):
        _log("backup", f"backup to {target.resolve()}")
        with _progress() as say:
            made = backups.write(home, target.resolve(), url, keys=keys, passphrase=phrase, say=say)
    rows = sum(t["rows"] for t in made["tables"].values())
    console.print(
        f"{len(made['tables'])} tables, {rows:,} rows, {made['files']['count']:,} files in {target}", highlight=False
    )
    if missing := made["files"]["missing"]:
        console.print(f"[yellow]{len(missing)} files that rows speak of are not there; manifest.json names them.[/]")
    words = {
        backups.PLAIN: "It holds keys and personal data: keep it locked away.",
        backups.SEALED: "Its keys are sealed: without the passphrase encrypted fields are lost.",
        backups.APART: "It holds no keys: keep them apart; without them encrypted fields are lost.",
    }
    console.print(words[made["keys"]])


def restore(
    source: Annotated[Path, typer.Argument(help="Folder that `sangyu backup` wrote.")],
    home: Annotated[Path | None, typer.Option(help="Empty folder to restore into; default $SANGYU_HOME.")] = None,
    passphrase_file: PASSPHRASE = None,
) -> None:
    """Load a backup into an empty home, all or nothing, and prove that nothing changed.

    A damaged backup is refused before anything is touched. After a kill the same command goes on. Exit code 1 names what
    differs.
    """
    if home is not None:
        os.environ["SANGYU_HOME"] = str(home.resolve())
    source = source.resolve()
    from .cli import home_folder

    manifest = backups.read_manifest(source)
    phrase = _passphrase(passphrase_file) if manifest["keys"] == backups.SEALED else ""
    with _progress() as say:
        manifest = backups.prepare(home_folder(), source, phrase, say)
    with _owner(whole=False) as (folder, url, console), _progress() as say:
        found = backups.load(folder, source, manifest, url, say)
    _tell(console, manifest, found)
    console.print("Start with `sangyu up`.")


def verify(
    source: Annotated[Path, typer.Argument(help="Folder that `sangyu backup` wrote.")],
    archive_only: Annotated[
        bool, typer.Option("--archive-only", help="Read the backup, compare with no database.")
    ] = False,
) -> None:
    """Read every byte of a backup, then compare the database and files of $SANGYU_HOME with it, table by table.

    A platform that went on working differs from its backup; a restored one that did not must not. Exit code 1 = differs.
    """
    source = source.resolve()
    from .cli import console

    with _progress() as say:
        manifest = backups.inspect(source, say)
    console.print(f"The backup of {manifest['made_at']} is whole.", highlight=False)
    if archive_only:
        return
    with _owner(whole=False) as (home, url, _console), _progress() as say:
        found = backups.compare(manifest, source, home, url, say)
    _tell(console, manifest, found)


def export_all(
    target: Annotated[Path, typer.Argument(help="New folder for the data.")],
    with_personal: Annotated[
        bool, typer.Option("--with-personal", help="Decrypt ID numbers, phones and guarded notes; needs --purpose.")
    ] = False,
    purpose: Annotated[str, typer.Option(help="What the data are for; kept in the log.")] = "",
) -> None:
    """Write all data readably, for a successor: one CSV a table, files, data dictionary, manifest with checksums."""
    if with_personal and not purpose.strip():
        raise EngineError("Decrypted personal data need a purpose.", 'add --purpose "hand-over to …"')
    with _owner() as (home, url, console):
        import django

        django.setup()
        from django.utils import translation

        from . import export

        what = "export-all, decrypted" if with_personal else "export-all"
        _log(what, purpose.strip() or f"export to {target.resolve()}")
        with _progress() as say, translation.override("zh-hans"):
            made = export.write(home, target.resolve(), url, personal=with_personal, say=say)
    console.print(
        f"{len(made['tables'])} tables, {made['rows']:,} rows, {made['files']['count']:,} files in {target}\n"
        f"SHA-256 of the whole: {export.digest_of(target.resolve())}",
        highlight=False,
        soft_wrap=True,
    )


# ---------------------------------------------------------------- what they share
@contextmanager
def _owner(*, whole: bool = True) -> Iterator[tuple]:
    """(home, URL, console) with the database running and the tables' owner signed in."""
    from .cli import console, database, home_folder
    from .engines.postgres import OWNER

    if whole:
        require_whole(home_folder())
    with database(OWNER):
        yield home_folder(), os.environ["SANGYU_DATABASE_URL"], console


@contextmanager
def _progress() -> Iterator[backups.Say]:
    from .cli import console

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, int] = {}

        def say(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=of)
            progress.update(tasks[what], completed=done, total=of)

        yield say


def _passphrase(file: Path | None, *, twice: bool = False) -> str:
    if file is not None:
        return file.read_text().strip()
    if given := os.environ.get("SANGYU_BACKUP_PASSPHRASE"):
        return given
    return typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice)


def _tell(console, manifest: dict, found: list[str]) -> None:
    """Say that nothing changed; else what did, and end with 1."""
    if found:
        for line in found[:40]:
            console.print(f"[red]✗[/] {line}", highlight=False)
        if len(found) > 40:
            console.print(f"  … and {len(found) - 40} more")
        console.print(f"{len(found)} differences from the backup of {manifest['made_at']}.", highlight=False)
        raise typer.Exit(1)
    rows = sum(t["rows"] for t in manifest["tables"].values())
    ledger = "; ".join(f"{unit}: {part['held']:,} held, sum {part['sum']}" for unit, part in manifest["ledger"].items())
    console.print(
        f"[green]✓[/] Nothing changed: {len(manifest['tables'])} tables, {rows:,} rows, {manifest['files']['count']:,} files,"
        f" {sum(o['count'] for o in manifest['objects'].values()):,} definitions (policies, triggers, grants …)"
        + (f"; ledger {ledger}." if ledger else "."),
        highlight=False,
    )


def _log(what: str, purpose: str) -> None:
    """A line in the log of reads: the account of this machine, before anything is read."""
    import django

    django.setup()
    from django.db import connection

    from sangyu.kernel.actor import ROOT_PATH, Actor
    from sangyu.kernel.models import DataRead
    from sangyu.kernel.scoping import scope

    if DataRead._meta.db_table not in connection.introspection.table_names():
        return
    who = f"{getpass.getuser()}@{socket.gethostname()}"[:100]
    with scope(Actor.job(what)):
        DataRead.objects.create(
            table_name="*", row_id=0, path=ROOT_PATH, what=what[:60], purpose=purpose[:200], actor=who
        )
    connection.close()
