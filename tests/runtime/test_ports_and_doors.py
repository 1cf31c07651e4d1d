"""NATS and Caddy: ports, tokens, configuration that the real programs accept."""

import asyncio
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import nats
import pytest

from sangyu.runtime.engines import caddy, process
from sangyu.runtime.engines.caddy import Caddy, Door
from sangyu.runtime.engines.nats import Nats, url_of
from sangyu.runtime.engines.process import EngineError


@pytest.fixture
def taken():
    """A port that this process listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_in_use_names_its_holder_and_the_option(taken):
    with pytest.raises(EngineError, match=rf"Port {taken} is in use by \S+ \(pid \d+: .*python") as caught:
        process.require_port(taken, "--port")
    assert caught.value.remedy.endswith("--port")


def test_the_default_port_gives_way_and_says_so(home, monkeypatch, taken):
    monkeypatch.setattr(caddy, "DEFAULT_PORT", taken)
    door = Caddy(home, home, home, Door(bind=("127.0.0.1",)))
    door.prepare()
    assert door.port > taken
    assert door.notices[0].startswith(f"Port {taken} is in use by ")
    assert door.address == f"http://localhost:{door.port}"


def test_a_named_port_does_not_give_way(home, taken):
    with pytest.raises(EngineError, match=f"Port {taken} is in use"):
        Caddy(home, home, home, Door(port=taken, bind=("127.0.0.1",))).prepare()


@pytest.mark.parametrize("door", [{}, {"internal_ca": True}, {"public_name": "care.example.org"}])
def test_caddy_accepts_every_configuration(home, door, monkeypatch):
    monkeypatch.setattr(process, "require_port", lambda *args: None)
    made = Caddy(home, home / "run", home / "static", Door(port=process.free_port(), **door))
    made.prepare()
    argv = [str(caddy.program()), "validate", "--adapter", "caddyfile", "--config", str(made.folder / "Caddyfile")]
    said = subprocess.run(argv, env=made.command().env, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


def test_unknown_tls_is_refused(monkeypatch):
    monkeypatch.setenv("SANGYU_TLS", "yes")
    with pytest.raises(EngineError, match="SANGYU_TLS=yes is not known"):
        Door.from_environment()


def test_nats_keeps_its_port_wants_its_token_and_has_jetstream(home):
    server = Nats(home, "secret")
    server.prepare()
    command = server.command()
    running = command.spawn(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert process.wait_until(server.ready, 60)

        async def talk():
            client = await nats.connect(server.url)
            await client.jetstream().add_stream(name="T", subjects=["t.>"])
            stored = await client.jetstream().publish("t.x", b"1")
            await client.close()
            with pytest.raises(Exception, match="Authorization Violation"):
                await nats.connect(
                    f"nats://wrong@127.0.0.1:{server.port}", allow_reconnect=False, max_reconnect_attempts=0
                )
            return stored.seq

        # In a thread of its own: a browser test earlier in the session leaves a running loop in this one.
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(asyncio.run, talk()).result() == 1
    finally:
        process.stop(running, command)
    assert (server.folder / "nats.conf").stat().st_mode & 0o077 == 0
    again = Nats(home, "secret")
    again.prepare()
    assert again.url == server.url == url_of(home, "secret")


def test_disk_and_port_troubles_are_explained():
    assert process.explain(["x", "PANIC: could not write: No space left on device"]).startswith("The disk is full.")
    assert process.explain(["all is well"]) == ""
