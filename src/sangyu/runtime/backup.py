"""Backup and restore of one home: the database by pg_dump, the files and keys beside it."""

import os
import shutil
import subprocess
from pathlib import Path

from .engines.postgres import doors, place_of
from .engines.process import EngineError, make_folder


def write(home: Path, target: Path, url: str) -> None:
    """Write database.dump, files/ and keys.json to the new folder ``target``. Raises EngineError.

    Leaves no half backup behind.
    """
    if target.exists():
        raise EngineError(f"{target} is there already.", "name a folder that does not exist yet")
    draft = make_folder(target.with_name(target.name + ".unfinished"))
    try:
        _run("pg_dump", "--format=custom", f"--file={draft / 'database.dump'}", url)
        if (home / "files").exists():
            shutil.copytree(home / "files", draft / "files")
        if (home / "keys.json").exists():
            shutil.copy2(home / "keys.json", draft / "keys.json")
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def unpack(home: Path, source: Path) -> None:
    """Put files and keys of a backup into an empty ``home``. Raises EngineError when there is data already."""
    if not (source / "database.dump").exists():
        raise EngineError(f"{source} holds no backup (no database.dump).", "name the folder that `sangyu backup` wrote")
    if not os.environ.get("SANGYU_DATABASE_URL") and (place_of(home) / "data").exists():
        raise EngineError(f"{home} holds a database already.", "name an empty folder in SANGYU_HOME")
    if (
        (home / "keys.json").exists()
        and (source / "keys.json").exists()
        and (home / "keys.json").read_text() != (source / "keys.json").read_text()
    ):
        raise EngineError(
            f"{home / 'keys.json'} differs from the backup's keys.", "name an empty folder in SANGYU_HOME"
        )
    if not home.exists():
        make_folder(home, 0o711 if os.geteuid() == 0 else 0o700)
    if (source / "keys.json").exists():
        shutil.copy2(source / "keys.json", home / "keys.json")
    if (source / "files").exists():
        shutil.copytree(source / "files", home / "files", dirs_exist_ok=True)


def read(source: Path, url: str) -> None:
    """Load database.dump into the empty database at ``url``: all or nothing. Roles are made first."""
    import django

    django.setup()
    from django.db import connection

    from sangyu.kernel.database_objects import install

    install()  # makes the roles that the dump's grants and policies name
    connection.close()
    _run(
        "pg_restore",
        "--exit-on-error",
        "--single-transaction",
        "--no-owner",
        f"--dbname={url}",
        str(source / "database.dump"),
    )


def _run(program: str, *words: str) -> None:
    for binaries in doors():
        if (binaries / program).exists():
            said = subprocess.run([str(binaries / program), *words], capture_output=True, text=True, check=False)
            if said.returncode:
                raise EngineError(
                    f"{program} failed: {said.stderr.strip()[-500:]}", "nothing was changed; the message says why"
                )
            return
    raise EngineError(f"There is no {program} here.", "set SANGYU_PG_BIN to a folder that has it")
