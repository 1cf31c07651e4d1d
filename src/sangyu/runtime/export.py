"""Everything readable, for whoever takes over: one CSV a table, the files, a data dictionary, a manifest (issue 3).

Format (docs/guides/production.md): UTF-8 with BOM, comma, RFC 4180 quotes, first row the column names, rows in the order of
their keys, times in UTC (ISO 8601), true/false, JSON as JSON, empty for NULL. All of one snapshot. Ciphertexts are written as
``[sealed]``, or decrypted when the caller asks for it with a purpose, which is logged.
"""

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from . import fingerprint
from .backup import Say, _copy_files, _digest, _quiet
from .engines.process import EngineError, make_folder

BOM = "\ufeff"
SEALED = "[sealed]"
#: Tables that are no data of the house, with the reason.
LEFT_OUT = {
    "django_session": "sign-ins of this moment",
    "accounts_secondfactor": "secrets of sign-in",
    "accounts_passwordused": "secrets of sign-in",
    "accounts_onetimecode": "secrets of sign-in",
    "accounts_passkey": "secrets of sign-in",
    "accounts_identitylink": "secrets of sign-in",
    "accounts_signinthrottle": "counters of sign-in",
    "procrastinate_jobs": "the work queue",
    "procrastinate_events": "the work queue",
    "procrastinate_workers": "the work queue",
    "procrastinate_periodic_defers": "the work queue",
}
#: Columns that are left out of their tables: secrets of sign-in. Blind indexes are left out everywhere.
SECRET_COLUMNS = {"accounts_account": {"password"}, "accounts_apitoken": {"digest"}}
README = """Sangyu 桑榆: all data, for reading without Sangyu. 全部数据导出（不依赖本系统即可阅读）

tables/NAME.csv   one table each: UTF-8 with BOM, comma, first row the column names, times in UTC, empty = no value.
                  每张表一个文件：UTF-8（带BOM）、逗号分隔、首行为列名、时间为UTC、空白表示无值。
dictionary.csv    every table and column: title, type, what it refers to, values. 数据字典：表、列、名称、类型、引用、取值。
files/            attachments under the names in tables/kernel_storedfile.csv (column name). 附件，文件名见该表 name 列。
manifest.json     rows and SHA-256 of each file; what was left out and why. 清单：行数、校验值、未导出内容及原因。

Money is in fen (1/100 yuan); an interval holds from valid_from up to, not including, valid_to; path is the place in the tree of
administrative divisions (three characters a level, regions_region.path).
金额单位为分；有效期含 valid_from、不含 valid_to；path 为行政区划路径（每级三位，见 regions_region）。
"""


def write(home: Path, target: Path, url: str, *, personal: bool, say: Say = _quiet) -> dict[str, Any]:
    """Write everything to the new folder ``target``; returns the manifest. ``personal`` decrypts what is sealed.

    Raises EngineError when the folder is there; leaves no half export behind.
    """
    if target.exists():
        raise EngineError(f"{target} is there already.", "name a folder that does not exist yet")
    draft = target.with_name(target.name + ".unfinished")
    shutil.rmtree(draft, ignore_errors=True)
    make_folder(draft)
    try:
        (draft / "tables").mkdir()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            state = fingerprint.take(connection)
            names = [name for name in state["tables"] if name not in LEFT_OUT]
            dictionary, tables = [], {}
            for n, name in enumerate(names, start=1):
                table = _Table(connection, name, personal=personal)
                dictionary += table.dictionary()
                file = draft / "tables" / f"{name}.csv"
                rows = table.write(file)
                if rows != state["tables"][name]["rows"]:
                    raise EngineError(f"{name}: {rows} rows written instead of {state['tables'][name]['rows']}.")
                tables[name] = {"rows": rows, "title": table.title, "sha256": _digest(file)[1]}
                say("tables written", n, len(names))
            stored = [row[0] for row in connection.execute("SELECT name FROM kernel_storedfile ORDER BY 1")]
            connection.execute("COMMIT")
        _write_dictionary(draft / "dictionary.csv", dictionary)
        listed, missing = _copy_files(home / "files", draft, stored, say)
        (draft / "README.txt").write_text(BOM + README, encoding="utf-8")
        manifest = {
            "format": 1,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "sangyu": version("sangyu"),
            "personal_columns": "decrypted" if personal else SEALED,
            "tables": tables,
            "rows": sum(t["rows"] for t in tables.values()),
            "left_out": {
                **{name: why for name, why in LEFT_OUT.items() if name in state["tables"]},
                **{f"{t}.{c}": "secrets of sign-in" for t, columns in SECRET_COLUMNS.items() for c in sorted(columns)},
                "*_index, *_tail": "blind indexes of sealed columns",
            },
            "ledger": state["ledger"],
            "files": {"count": len(listed), "missing": missing, "sha256": {name: f[1] for name, f in listed.items()}},
            "dictionary": _digest(draft / "dictionary.csv")[1],
        }
        (draft / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def check(folder: Path) -> list[str]:
    """What of an export is damaged or missing; counts the rows again. Empty = nothing."""
    manifest = json.loads((folder / "manifest.json").read_text())
    found = []
    for name, known in manifest["tables"].items():
        file = folder / "tables" / f"{name}.csv"
        if not file.is_file() or _digest(file)[1] != known["sha256"]:
            found.append(f"tables/{name}.csv")
            continue
        with file.open(encoding="utf-8-sig", newline="") as text:
            if sum(1 for _row in csv.reader(text)) - 1 != known["rows"]:
                found.append(f"tables/{name}.csv: rows")
    found += [
        f"files/{name}"
        for name, digest in manifest["files"]["sha256"].items()
        if not (folder / "files" / name).is_file() or _digest(folder / "files" / name)[1] != digest
    ]
    return found


class _Table:
    """One table with what its model knows of it; library tables have none."""

    def __init__(self, connection: psycopg.Connection, name: str, *, personal: bool) -> None:
        from django.apps import apps

        from sangyu.kernel.crypto import EncryptedTextField

        self.connection, self.name, self.personal = connection, name, personal
        self.model = next((m for m in apps.get_models(include_auto_created=True) if m._meta.db_table == name), None)
        self.title = str(self.model._meta.verbose_name) if self.model else name
        self.fields = {f.column: f for f in self.model._meta.concrete_fields} if self.model else {}
        self.sealed = {c: f for c, f in self.fields.items() if isinstance(f, EncryptedTextField)}
        hidden = {index for f in self.sealed.values() for index in f.indexes} | SECRET_COLUMNS.get(name, set())
        rows = connection.execute(
            "SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            [f'public."{name}"'],
        )
        self.columns = {c: (kind, null) for c, kind, null in rows if c not in hidden}

    # ------------------------------------------------------------ rows
    def write(self, file: Path) -> int:
        """Write the rows; returns how many."""
        if not self.personal or not (self.sealed or self.name == "kernel_change"):
            return self._copy(file)
        return self._decrypt(file)

    def _select(self, sealed: Callable[[str], sql.Composable]) -> sql.Composed:
        columns = [sealed(c) if c in self.sealed else sql.Identifier(c) for c in self.columns]
        key = sql.SQL(" ORDER BY {}").format(sql.Identifier(self._key)) if self._key else sql.SQL("")
        return sql.SQL("SELECT {} FROM {}{}").format(sql.SQL(", ").join(columns), sql.Identifier(self.name), key)

    @property
    def _key(self) -> str:
        return self.model._meta.pk.column if self.model else next(iter(self.columns), "")

    def _copy(self, file: Path) -> int:
        def hidden(column: str) -> sql.Composable:
            word = sql.SQL("CASE WHEN {0} IS NULL THEN NULL ELSE {1} END AS {0}")
            return word.format(sql.Identifier(column), sql.Literal(SEALED))

        query = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER)").format(self._select(hidden))
        with file.open("wb") as out, self.connection.cursor() as cursor:
            out.write(BOM.encode())
            with cursor.copy(query) as copy:
                for block in copy:
                    out.write(block)
            return cursor.rowcount

    def _decrypt(self, file: Path) -> int:
        from sangyu.kernel.crypto import decrypt

        places = {n: self.sealed[c].purpose for n, c in enumerate(self.columns) if c in self.sealed}
        history = _HistoryColumn() if self.name == "kernel_change" else None
        names = list(self.columns)
        count = 0
        with file.open("w", encoding="utf-8", newline="") as out:
            out.write(BOM)
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(names)
            for row in self._rows(names):
                for n, purpose in places.items():
                    row[n] = decrypt(bytes.fromhex(row[n][2:]), purpose) if row[n] else ""
                if history:
                    place = names.index("fields")
                    row[place] = history.readable(row[names.index("table_name")], row[place])
                writer.writerow(row)
                count += 1
        return count

    def _rows(self, names: list[str]) -> Iterator[list[str]]:
        """Rows as PostgreSQL writes them into CSV, so that both ways of writing look alike."""
        query = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(self._select(sql.Identifier))
        with self.connection.cursor() as cursor, cursor.copy(query) as copy:
            yield from csv.reader(io.TextIOWrapper(_Reader(iter(copy)), encoding="utf-8", newline=""))

    # ------------------------------------------------------------ dictionary
    def dictionary(self) -> list[list[str]]:
        """Rows of the data dictionary: one a column."""
        made = []
        for column, (kind, null) in self.columns.items():
            field = self.fields.get(column)
            refers = field.related_model._meta.db_table if field is not None and field.related_model else ""
            choices = "; ".join(f"{value}={label}" for value, label in getattr(field, "flatchoices", None) or ())
            made.append(
                [
                    self.name, self.title, column, str(getattr(field, "verbose_name", column)), kind, "yes" if null else "no",
                    refers, "yes" if column in self.sealed else "no", choices, str(getattr(field, "help_text", "")),
                ]
            )  # fmt: skip
        return made


class _HistoryColumn:
    """Old and new values of sealed columns in the history."""

    def __init__(self) -> None:
        from django.apps import apps

        from sangyu.kernel.crypto import EncryptedTextField

        self.purposes = {
            m._meta.db_table: {
                f.column: f.purpose for f in m._meta.concrete_fields if isinstance(f, EncryptedTextField)
            }
            for m in apps.get_models()
        }

    def readable(self, table: str, fields: str) -> str:
        from sangyu.kernel.crypto import decrypt_history

        purposes = self.purposes.get(table)
        if not purposes or "\\\\x" not in fields:
            return fields
        changed = json.loads(fields)
        for column in changed.keys() & purposes.keys():
            value = changed[column]
            open_ = [decrypt_history(v, purposes[column]) for v in (value if isinstance(value, list) else [value])]
            changed[column] = open_ if isinstance(value, list) else open_[0]
        return json.dumps(changed, ensure_ascii=False)


class _Reader(io.RawIOBase):
    """The blocks of a COPY as a file."""

    def __init__(self, blocks: Iterator[memoryview]) -> None:
        self.blocks, self.rest = blocks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        while not self.rest:
            block = next(self.blocks, None)
            if block is None:
                return 0
            self.rest = bytes(block)
        part = self.rest[: len(buffer)]
        self.rest = self.rest[len(part) :]
        buffer[: len(part)] = part
        return len(part)


def _write_dictionary(file: Path, rows: list[list[str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        out.write(BOM)
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(
            [
                "table",
                "table_title",
                "column",
                "title",
                "type",
                "may_be_empty",
                "refers_to",
                "sealed",
                "values",
                "help",
            ]
        )
        writer.writerows(rows)


def digest_of(folder: Path) -> str:
    """One checksum over all files of an export, to write down on the hand-over paper."""
    digest = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()} {_digest(file)[1]}\n".encode())
    return digest.hexdigest()
