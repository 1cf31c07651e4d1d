"""Backup and restore of one home: the database by pg_dump, the files and keys beside it."""

import os
import shutil
import subprocess
from pathlib import Path

from .engines.postgres import doors
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


def bring_keys(home: Path, source: Path) -> None:
    """Put the keys of a backup into ``home``, before its database. Raises EngineError when it has other keys."""
    if not (source / "database.dump").exists():
        raise EngineError(f"{source} holds no backup (no database.dump).", "name the folder that `sangyu backup` wrote")
    kept, wanted = home / "keys.json", source / "keys.json"
    if not wanted.exists():  # they come from the environment
        return
    if kept.exists() and kept.read_text() != wanted.read_text():
        raise EngineError(f"{kept} differs from the backup's keys.", "name an empty folder in SANGYU_HOME")
    if not home.exists():
        make_folder(home, 0o711 if os.geteuid() == 0 else 0o700)
    shutil.copy2(wanted, kept)


def read(home: Path, source: Path, url: str) -> None:
    """Load database.dump into the empty database at ``url``, all or nothing; then the files. Raises EngineError."""
    import django

    django.setup()
    from django.db import connection

    from sangyu.kernel.database_objects import install

    if connection.introspection.table_names():
        raise EngineError("The database is not empty.", "name an empty folder in SANGYU_HOME, or an empty database")
    install()  # makes the roles that the dump's grants and policies name
    connection.close()
    dump = str(source / "database.dump")
    _run("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", f"--dbname={url}", dump)
    if (source / "files").exists():
        shutil.copytree(source / "files", home / "files", dirs_exist_ok=True)


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
