"""Backup and restore with a proof that nothing changed (issue 3).

``write`` takes one snapshot: the dump, and in the same snapshot rows and checksum of every table (``fingerprint``). ``restore``
refuses a damaged or partial backup before it touches anything, loads all or nothing, computes everything again and compares.

A backup is a folder: ``database.dump`` (pg_dump, custom format), ``files/``, ``files.json``, ``keys.json`` or ``keys.sealed``,
``manifest.json`` (what is in it) and ``manifest.sha256``, written last.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from . import fingerprint, sealing
from .engines.postgres import doors
from .engines.process import EngineError, make_folder

FORMAT = 1
PLAIN, SEALED, APART = "plain", "sealed", "apart"
#: In the home while a restore into it has not ended.
MARK = "restore.json"
#: Told of what is being done: (what, how much of it is done, of how much).
Say = Callable[[str, int, int], None]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _quiet(what: str, done: int, of: int) -> None:
    pass


# ---------------------------------------------------------------- writing
def write(
    home: Path, target: Path, url: str, *, keys: str = PLAIN, passphrase: str = "", say: Say = _quiet
) -> dict[str, Any]:
    """Write a backup to the new folder ``target`` and return its manifest; the platform may go on running.

    ``keys``: "plain", "sealed" under ``passphrase``, or "apart" (left out). Raises EngineError; leaves no half backup behind.
    """
    if target.exists():
        raise EngineError(f"{target} is there already.", "name a folder that does not exist yet")
    draft = target.with_name(target.name + ".unfinished")
    shutil.rmtree(draft, ignore_errors=True)  # of a backup that was killed
    make_folder(draft)
    try:
        kept = _write_keys(home, draft, keys, passphrase)
        state, server = _dump(url, draft / "database.dump", say)
        listed, missing = _copy_files(home / "files", draft, state.pop("stored"), say)
        (draft / "files.json").write_text(json.dumps(listed, indent=0, ensure_ascii=False))
        parts = {p.name: _digest(p) for p in sorted(draft.iterdir()) if p.is_file()}
        manifest = {
            "format": FORMAT,
            "made_at": _now(),
            "sangyu": version("sangyu"),
            "postgresql": server,
            "keys": kept,
            "parts": parts,
            "files": {"count": len(listed), "bytes": sum(f[0] for f in listed.values()), "missing": missing},
            **state,
        }
        text = json.dumps(manifest, indent=1, ensure_ascii=False)
        (draft / "manifest.json").write_text(text)
        (draft / "manifest.sha256").write_text(hashlib.sha256(text.encode()).hexdigest() + "\n")
        _sync(draft)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def _write_keys(home: Path, draft: Path, keys: str, passphrase: str) -> str:
    file = home / "keys.json"
    if keys == APART or not file.exists():  # or they come from the environment
        return APART
    if keys == SEALED:
        (draft / "keys.sealed").write_text(sealing.seal(file.read_text(), passphrase))
        return SEALED
    shutil.copy2(file, draft / "keys.json")
    return PLAIN


def _dump(url: str, file: Path, say: Say) -> tuple[dict[str, Any], str]:
    """Dump the database to ``file`` and count it meanwhile, both in one snapshot."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone()
        command = [str(_program("pg_dump")), "--format=custom", f"--snapshot={snapshot}", f"--file={file}", url]
        dumping = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            of = len(fingerprint.tables(connection))
            done = iter(range(1, of + 1))
            state = fingerprint.take(connection, lambda name: say("tables counted", next(done), of))
            state["stored"] = _stored(connection, state)
            said = dumping.communicate()[1]
        finally:
            if dumping.poll() is None:
                dumping.kill()
                dumping.wait()
        if dumping.returncode:
            raise EngineError(f"pg_dump failed: {said.strip()[-500:]}", "nothing was changed; the message says why")
        (server,) = connection.execute("SHOW server_version").fetchone()
        connection.execute("COMMIT")
    return state, server


def _stored(connection: psycopg.Connection, state: dict[str, Any]) -> list[str]:
    """Names of the files that rows of the snapshot speak of."""
    if "kernel_storedfile" not in state["tables"]:
        return []
    return [name for (name,) in connection.execute("SELECT name FROM kernel_storedfile ORDER BY 1")]


def _copy_files(source: Path, draft: Path, stored: list[str], say: Say) -> tuple[dict[str, list], list[str]]:
    """Copy ``source`` to ``draft``/files. Returns (path → [bytes, sha256], stored names that have no file)."""
    found = [p for p in source.rglob("*") if p.is_file()] if source.exists() else []
    listed = {}
    for n, file in enumerate(sorted(found), start=1):
        name = file.relative_to(source).as_posix()
        copy = draft / "files" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            listed[name] = list(_copy(file, copy))
        except FileNotFoundError:
            continue  # removed since the snapshot
        say("files copied", n, len(found))
    return listed, [name for name in stored if name not in listed]


def _copy(source: Path, target: Path) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    with source.open("rb") as inside, target.open("wb") as out:
        while block := inside.read(1 << 20):
            size += len(block)
            digest.update(block)
            out.write(block)
    return size, digest.hexdigest()


def _digest(file: Path) -> list:
    digest = hashlib.sha256()
    with file.open("rb") as inside:
        while block := inside.read(1 << 20):
            digest.update(block)
    return [file.stat().st_size, digest.hexdigest()]


def _sync(folder: Path) -> None:
    """A backup that is there is on the disk."""
    for path in [*folder.rglob("*"), folder]:
        if path.is_file() or path == folder:
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)


# ---------------------------------------------------------------- looking at a backup
def read_manifest(source: Path) -> dict[str, Any]:
    """The manifest of a whole backup. Raises EngineError for a folder that is none, a partial one, or one altered."""
    file, mark = source / "manifest.json", source / "manifest.sha256"
    if not file.exists() or not mark.exists():
        raise EngineError(f"{source} holds no complete backup.", "name the folder that `sangyu backup` wrote")
    text = file.read_text()
    if hashlib.sha256(text.encode()).hexdigest() != mark.read_text().strip():
        raise EngineError(f"{file} is damaged.", "take another copy of the backup; nothing was touched")
    manifest = json.loads(text)
    if manifest["format"] > FORMAT:
        raise EngineError(
            f"{source} was made by a newer version ({manifest['sangyu']}).", "restore it with that version"
        )
    return manifest


def inspect(source: Path, say: Say = _quiet) -> dict[str, Any]:
    """Read every byte of a backup and return its manifest. Raises EngineError that names what is damaged or missing."""
    manifest = read_manifest(source)
    wrong = [
        name
        for name, known in manifest["parts"].items()
        if not (source / name).is_file() or _digest(source / name) != known
    ]
    if wrong:
        raise EngineError(
            f"Damaged or missing in {source}: {', '.join(wrong)}.",
            "take another copy of the backup; nothing was touched",
        )
    listed = json.loads((source / "files.json").read_text())
    for n, (name, known) in enumerate(listed.items(), start=1):
        file = source / "files" / name
        if not file.is_file() or _digest(file) != known:
            wrong.append(f"files/{name}")
        say("files read", n, len(listed))
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise EngineError(
            f"Damaged or missing in {source}: {', '.join(wrong[:5])}{more}.", "take another copy; nothing was touched"
        )
    return manifest


# ---------------------------------------------------------------- restoring
def prepare(home: Path, source: Path, passphrase: str = "", say: Say = _quiet) -> dict[str, Any]:
    """Check the backup and the home, mark the home, bring the keys; returns the manifest. The database comes next.

    Raises EngineError before anything is touched: damaged backup, home with data or other keys, wrong passphrase.
    """
    manifest = inspect(source, say)
    mark = (source / "manifest.sha256").read_text().strip()
    begun = json.loads((home / MARK).read_text())["manifest"] if (home / MARK).exists() else None
    if begun not in (None, mark):
        raise EngineError(
            f"In {home} the restore of another backup has not ended.",
            "end that one, or name an empty folder in SANGYU_HOME",
        )
    if begun is None and (home / "files").exists() and any((home / "files").iterdir()):
        raise EngineError(f"{home / 'files'} is not empty.", "name an empty folder in SANGYU_HOME")
    kept = home / "keys.json"
    wanted = _keys_of(source, manifest, passphrase)
    if wanted is not None and kept.exists() and kept.read_text() != wanted:
        raise EngineError(f"{kept} differs from the backup's keys.", "name an empty folder in SANGYU_HOME")
    if not home.exists():
        make_folder(home, 0o711 if os.geteuid() == 0 else 0o700)
    _put(home / MARK, json.dumps({"manifest": mark, "source": str(source)}))
    if wanted is not None and not kept.exists():
        _put(kept, wanted)
    return manifest


def _keys_of(source: Path, manifest: dict[str, Any], passphrase: str) -> str | None:
    if manifest["keys"] == SEALED:
        if not passphrase:
            raise EngineError("The keys of this backup are sealed.", "give the passphrase")
        return sealing.unseal((source / "keys.sealed").read_text(), passphrase)
    return (source / "keys.json").read_text() if manifest["keys"] == PLAIN else None


def _put(file: Path, text: str) -> None:
    """Write a file for our account alone, whole or not at all."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.touch(0o600)
    draft.write_text(text)
    draft.rename(file)


def load(home: Path, source: Path, manifest: dict[str, Any], url: str, say: Say = _quiet) -> list[str]:
    """Load database and files of a backup that ``prepare`` has let in, and compare. Returns what differs: nothing.

    The database is loaded in one transaction. After a kill, calling it again goes on where it was. The home's mark goes only
    when nothing differs.
    """
    with psycopg.connect(url) as connection:
        there = set(fingerprint.tables(connection))
    if there and there != set(manifest["tables"]):  # loaded whole by a command that was killed after that
        raise EngineError("The database is not empty.", "name an empty folder in SANGYU_HOME, or an empty database")
    if not there:
        _make_roles(url)
        say("database loaded", 0, 1)
        _load_dump(source / "database.dump", url)
        with psycopg.connect(
            url
        ) as connection:  # a dump carries no figures for the planner: lists would read whole tables
            connection.execute("ANALYZE")
        say("database loaded", 1, 1)
    _bring_files(home, source, say)
    found = compare(manifest, source, home, url, say)
    if not found:
        ended = {"source": str(source), "made_at": manifest["made_at"], "restored_at": _now()}
        _put(home / "restored.json", json.dumps(ended, indent=1))
        (home / MARK).unlink()
    return found


def _make_roles(url: str) -> None:
    """The roles that the dump's grants and policies name; they belong to the server, not to the database."""
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'sangyu_job'").fetchone():
            return
    import django

    django.setup()
    from django.db import connection as owner

    from sangyu.kernel.database_objects import install

    install()
    owner.close()


def _load_dump(dump: Path, url: str) -> None:
    command = [str(_program("pg_restore")), "--exit-on-error", "--single-transaction", "--no-owner", f"--dbname={url}"]
    said = subprocess.run([*command, str(dump)], capture_output=True, text=True, check=False)
    if said.returncode:
        raise EngineError(
            f"pg_restore failed: {said.stderr.strip()[-500:]}", "the database is still empty; the message says why"
        )


def _bring_files(home: Path, source: Path, say: Say) -> None:
    if (home / "files").exists() and any((home / "files").iterdir()):
        return  # renamed when complete
    draft = home / "files.restoring"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    listed = json.loads((source / "files.json").read_text())
    for n, name in enumerate(listed, start=1):
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / "files" / name, draft / name)
        say("files copied", n, len(listed))
    if (home / "files").exists():
        (home / "files").rmdir()
    draft.rename(home / "files")


def compare(manifest: dict[str, Any], source: Path, home: Path, url: str, say: Say = _quiet) -> list[str]:
    """Sentences on how database and files differ from what the manifest says; empty = nothing changed."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        of = len(manifest["tables"])
        done = iter(range(1, 10**6))
        state = fingerprint.take(connection, lambda name: say("tables compared", next(done), of))
        connection.execute("COMMIT")
    return fingerprint.differences(manifest, state) + _file_differences(source, home / "files", say)


def _file_differences(source: Path, folder: Path, say: Say) -> list[str]:
    listed = json.loads((source / "files.json").read_text())
    have = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} if folder.exists() else set()
    found = [f"file {name} is missing" for name in sorted(listed.keys() - have)]
    found += [f"file {name} is new" for name in sorted(have - listed.keys())]
    for n, name in enumerate(sorted(have & listed.keys()), start=1):
        if _digest(folder / name) != listed[name]:
            found.append(f"file {name} has other contents")
        say("files compared", n, len(listed))
    return found


def _program(name: str) -> Path:
    for binaries in doors():
        if (binaries / name).exists():
            return binaries / name
    raise EngineError(f"There is no {name} here.", "set SANGYU_PG_BIN to a folder that has it")
