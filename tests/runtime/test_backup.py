"""Backup, restore, proof and export on a real server (issue 3): what is there comes back, and what does not is named."""

import csv
import json
import shutil
import stat
from datetime import date
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from sangyu.kernel import files
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.scoping import scope
from sangyu.registry.people.models import Person
from sangyu.registry.people.values import phone_columns
from sangyu.runtime import backup, export, keeping, sealing
from sangyu.runtime.engines.process import EngineError
from support.processes import database_url

pytestmark = pytest.mark.django_db(transaction=True)
PHRASE = "walnut tree by the river"


@pytest.fixture
def house(home, regions, staff, settings):
    """A home with keys, two persons, a file and money, committed; pytest's database is its database."""
    settings.MEDIA_ROOT = home / "files"
    (home / "keys.json").write_text(json.dumps({"keys": "the keys"}))
    city = staff("city")
    for n, name in enumerate(("王桂兰", "李建华")):
        Person.objects.create(
            name=name, pinyin="x", initials="x", sex="2", birth_date=date(1940, 1, 1 + n), region=regions["a_one"],
            path=regions["a_one"].path, source="test", **phone_columns(f"1380417000{n}"),
        )  # fmt: skip
    with scope(city):
        files.save(city, title="letter.csv", content_type="text/csv", data="收信人\n".encode())
        place = {"owner_kind": "test", "unit": "fen", "path": city.path}
        source = ledger.open_account(actor=city, owner_id=1, purpose="out", floor=None, **place)
        target = ledger.open_account(actor=city, owner_id=2, purpose="in", **place)
        ledger.transfer(actor=city, debit=source, credit=target, amount=700, key="k", kind="test")
    return home


@pytest.fixture
def empty():
    """URL of an empty database on the same server; gone afterwards."""
    name = f"{connection.settings_dict['NAME']}_again"
    with psycopg.connect(database_url(), autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}"')
    yield database_url().replace(f"/{quote(connection.settings_dict['NAME'])}?", f"/{quote(name)}?", 1)
    with psycopg.connect(database_url(), autocommit=True) as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def saved(house: Path, **how) -> Path:
    backup.write(house, house / "saved", database_url(), **how)
    return house / "saved"


def restored(source: Path, home: Path, url: str, passphrase: str = "") -> list[str]:
    manifest = backup.prepare(home, source, passphrase)
    return backup.load(home, source, manifest, url)


def rows(url: str, query: str) -> list[tuple]:
    with psycopg.connect(url) as database:
        return database.execute(query).fetchall()


def test_everything_comes_back_and_what_differs_is_named(house, empty):
    source = saved(house)
    assert stat.S_IMODE(source.stat().st_mode) == 0o700
    manifest = backup.inspect(source)
    assert manifest["tables"]["people_person"]["rows"] == 2
    assert manifest["ledger"] == {"fen": {"held": 700, "sum": 0}}
    assert (manifest["files"]["count"], manifest["files"]["missing"]) == (1, [])
    other = house / "other"
    assert restored(source, other, empty) == []
    assert (other / "keys.json").read_text() == (house / "keys.json").read_text()
    assert not (other / backup.MARK).exists()
    assert rows(empty, "SELECT name FROM people_person ORDER BY id") == [("王桂兰",), ("李建华",)]
    # the planner knows the sizes, or the first pages would read whole tables
    assert rows(empty, "SELECT reltuples FROM pg_class WHERE relname = 'people_person'") == [(2.0,)]
    # roles, policies and triggers hold there too
    with psycopg.connect(empty) as there:
        county = rows(empty, "SELECT path FROM people_person LIMIT 1")[0][0][:12]
        for path, seen in ((county, 2), (county[:-3] + "zzz", 0)):
            there.execute(
                "SELECT set_config('sangyu.path', %s, true), set_config('role', 'sangyu_staff', true)", [path]
            )
            assert there.execute("SELECT count(*) FROM people_person").fetchone() == (seen,)
            there.execute("RESET ROLE")
        before = there.execute("SELECT count(*) FROM kernel_change").fetchone()[0]
        there.execute("UPDATE people_person SET address = 'x'")
        assert there.execute("SELECT count(*) FROM kernel_change").fetchone()[0] == before + 2
        there.rollback()
    # and what differs is named
    with psycopg.connect(empty, autocommit=True) as there:
        there.execute("SET session_replication_role = replica")
        there.execute("UPDATE people_person SET address = 'elsewhere' WHERE name = '王桂兰'")
        there.execute("DELETE FROM ledger_transfer")
        there.execute("DROP POLICY scope_staff ON people_person")
    file = next(p for p in (other / "files").rglob("*") if p.is_file())
    file.write_text("other")
    assert backup.compare(backup.inspect(source), source, other, empty) == [
        "table ledger_transfer has 0 rows instead of 1",
        "table people_person has the same number of rows but other contents",
        "sequence kernel_change_id_seq stands elsewhere",
        "policies differ",
        f"file {file.relative_to(other / 'files')} has other contents",
    ]


def test_a_damaged_backup_is_refused_before_anything_is_touched(house, empty):
    whole, other = saved(house), house / "other"
    for part in ("database.dump", "files.json", "keys.json", "manifest.json", "file", "unfinished", "missing"):
        source = shutil.copytree(whole, house / f"damaged-{part}")
        kept = next(p for p in (source / "files").rglob("*") if p.is_file())
        if part == "unfinished":
            (source / "manifest.sha256").unlink()
        elif part == "missing":
            kept.unlink()
        else:
            file = kept if part == "file" else source / part
            data = bytearray(file.read_bytes())
            data[len(data) // 2] ^= 1
            file.write_bytes(bytes(data))
        with pytest.raises(EngineError, match=kept.name if part == "missing" else r"amaged|no complete backup"):
            restored(source, other, empty)
        assert not other.exists(), part
    assert rows(empty, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_a_restore_killed_while_loading_begins_again(house, empty, monkeypatch, tmp_path):
    source, other = saved(house), house / "other"
    real = backup._program("pg_restore")
    dying = tmp_path / "pg_restore"
    dying.write_text(f'#!/bin/sh\nexec timeout -s KILL 0.2 {real} "$@"\n')
    dying.chmod(0o755)
    with monkeypatch.context() as patch, pytest.raises(EngineError, match="pg_restore failed"):
        patch.setattr(backup, "_program", lambda name: dying)
        restored(source, other, empty)
    with pytest.raises(EngineError, match="has not ended"):
        keeping.require_whole(other)
    assert restored(source, other, empty) == []
    keeping.require_whole(other)


def test_a_restore_killed_after_loading_goes_on(house, empty, monkeypatch):
    source, other = saved(house), house / "other"

    def killed(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(backup, "_bring_files", killed)
        restored(source, other, empty)
    with pytest.raises(EngineError, match="has not ended"):
        keeping.require_whole(other)
    assert restored(source, other, empty) == []
    assert len([p for p in (other / "files").rglob("*") if p.is_file()]) == 1


def test_a_place_that_is_not_empty_is_refused(house, empty):
    source = saved(house)
    with pytest.raises(EngineError, match="not empty"):
        restored(source, house, empty)
    other = house / "other"
    other.mkdir()
    (other / "keys.json").write_text("{}")
    with pytest.raises(EngineError, match="differs from the backup's keys"):
        restored(source, other, empty)
    (other / "keys.json").unlink()
    with psycopg.connect(empty, autocommit=True) as there:
        there.execute("CREATE TABLE somebodys (id int)")
    with pytest.raises(EngineError, match="database is not empty"):
        restored(source, other, empty)
    with pytest.raises(EngineError, match="there already"):
        saved(house)


def test_keys_under_a_passphrase(house, empty):
    source = saved(house, keys=backup.SEALED, passphrase=PHRASE)
    assert not (source / "keys.json").exists()
    assert b"the keys" not in (source / "keys.sealed").read_bytes()
    other = house / "other"
    for wrong in ("", "walnut tree by the sea"):
        with pytest.raises(EngineError, match=r"passphrase|sealed"):
            restored(source, other, empty, wrong)
        assert not other.exists()
    assert restored(source, other, empty, PHRASE) == []
    assert (other / "keys.json").read_text() == (house / "keys.json").read_text()
    with pytest.raises(EngineError, match="fewer than"):
        sealing.seal("x", "short")


def test_keys_kept_apart(house, empty):
    source = saved(house, keys=backup.APART)
    assert not [p for p in source.iterdir() if p.name.startswith("keys")]
    assert restored(source, house / "other", empty) == []
    assert not (house / "other/keys.json").exists()


def read_csv(file: Path) -> list[dict[str, str]]:
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text))


@pytest.mark.parametrize("personal", [False, True])
def test_an_export_holds_every_row_readably(house, personal):
    made = export.write(house, house / "out", database_url(), personal=personal)
    assert export.check(house / "out") == []
    for name, table in made["tables"].items():
        counted = rows(database_url(), f'SELECT count(*) FROM "{name}"')[0][0]
        assert (table["rows"], len(read_csv(house / f"out/tables/{name}.csv"))) == (counted, counted), name
    people = read_csv(house / "out/tables/people_person.csv")
    phones = ["13804170000", "13804170001"] if personal else [export.SEALED] * 2
    assert [(p["name"], p["phone"]) for p in people] == list(zip(("王桂兰", "李建华"), phones, strict=True))
    assert "phone_index" not in people[0]
    assert not (house / "out/tables/accounts_secondfactor.csv").exists()
    assert made["left_out"]["accounts_account.password"] == "secrets of sign-in"
    dictionary = {(r["table"], r["column"]): r for r in read_csv(house / "out/dictionary.csv")}
    assert dictionary["people_person", "phone"]["sealed"] == "yes"
    assert dictionary["people_person", "region_id"]["refers_to"] == "regions_region"
    known = set(made["tables"])
    assert {t for t, _c in dictionary} == known
    stored = read_csv(house / "out/tables/kernel_storedfile.csv")[0]["name"]
    assert (house / "out/files" / stored).read_text() == "收信人\n"
    (house / "out/tables/people_person.csv").write_text("x")
    assert export.check(house / "out") == ["tables/people_person.csv"]


def test_history_is_readable_when_asked(house):
    person = Person.objects.first()
    Person.objects.filter(pk=person.pk).update(**phone_columns("13804179999"))
    export.write(house, house / "out", database_url(), personal=True)
    changed = [r for r in read_csv(house / "out/tables/kernel_change.csv") if "13804179999" in r["fields"]]
    assert [json.loads(r["fields"])["phone"] for r in changed] == [["13804170000", "13804179999"]]


def test_an_export_leaves_nothing_half_done(house, monkeypatch):
    monkeypatch.setattr(export, "_write_dictionary", lambda *a: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export.write(house, house / "out", database_url(), personal=False)
    assert [p.name for p in house.iterdir() if p.name.startswith("out")] == []
    shutil.rmtree(house / "files")
    assert str(settings.MEDIA_ROOT) == str(house / "files")
