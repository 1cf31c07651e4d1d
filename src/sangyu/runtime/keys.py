"""Secrets of one installation: environment first, else ``$SANGYU_HOME/keys.json`` (0600), made on the first start.

Losing the file loses every encrypted field for good: it belongs into the backup, apart from the database.
"""

import json
import os
import secrets
from pathlib import Path

from .engines.postgres import place_of
from .engines.process import EngineError, make_folder

#: Name in keys.json → environment variable.
VARIABLES = {
    "secret_key": "SANGYU_SECRET_KEY",
    "keys": "SANGYU_KEYS",
    "index_key": "SANGYU_INDEX_KEY",
    "nats_token": "SANGYU_NATS_TOKEN",
}


def load(home: Path, *, create: bool) -> dict:
    """``secret_key``, ``keys`` (id → 64 hex digits, the highest id encrypts), ``index_key``, ``nats_token``.

    ``create`` makes what is missing (development and demo); without it a missing key raises EngineError that names it.
    """
    file = home / "keys.json"
    found = _read(file)
    for name, variable in VARIABLES.items():
        if value := os.environ.get(variable):
            found[name] = _ring(value, variable) if name == "keys" else value
    missing = [name for name in VARIABLES if not found.get(name)]
    if missing and create:
        return {**_create(home, file), **found}
    if missing:
        raise EngineError(
            f"Keys are missing: {', '.join(VARIABLES[m] for m in missing)}.",
            f"set these variables, or bring back {file} from the backup; `sangyu keys` makes a new set for a new"
            " installation",
        )
    return found


def _read(file: Path) -> dict:
    try:
        text = file.read_text()
    except FileNotFoundError:
        return {}
    except PermissionError:
        raise EngineError(
            f"{file} may not be read by this account.", "start Sangyu under the account that made it"
        ) from None
    if file.stat().st_mode & 0o077:
        raise EngineError(f"{file} can be read by others.", f"chmod 600 {file}")
    try:
        return json.loads(text)
    except ValueError:
        raise EngineError(f"{file} is damaged.", "bring it back from the backup") from None


def _create(home: Path, file: Path) -> dict:
    if (place_of(home) / "data/PG_VERSION").exists() and not file.exists():
        raise EngineError(
            f"{file} is missing, but there is a database: with new keys its encrypted fields could never be read"
            " again.",
            "bring keys.json back from the backup, or name an empty folder in SANGYU_HOME",
        )
    made = {
        "secret_key": secrets.token_urlsafe(50),
        "keys": {"1": secrets.token_hex(32)},
        "index_key": secrets.token_hex(32),
        "nats_token": secrets.token_urlsafe(24),
    }
    if not home.exists():
        make_folder(home, 0o711 if os.geteuid() == 0 else 0o700)
    draft = home / f".keys.{os.getpid()}"
    draft.touch(0o600)
    draft.write_text(json.dumps(made, indent=1) + "\n")
    try:
        os.link(draft, file)  # never overwrites: of two first starts at once one wins and both read its keys
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return _read(file)


def _ring(text: str, variable: str) -> dict[str, str]:
    """``1:hex,2:hex`` → {"1": hex, "2": hex}."""
    pairs = [part.partition(":") for part in text.split(",") if part]
    if not all(i.isdigit() and len(key) == 64 for i, _, key in pairs):
        raise EngineError(f"{variable} is not a list of keys.", "write it as 1:<64 hex digits>,2:<64 hex digits>")
    return {i: key for i, _, key in pairs}
