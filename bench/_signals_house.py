"""The platform that bench/signals.py measures, and the load that it puts on it."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETTINGS = "sangyu.runtime.settings.test"


#: What stands in a column that must have a value and of which nothing is measured.
_PLAIN = {
    "integer": "0", "smallint": "0", "bigint": "0", "boolean": "false", "jsonb": "'{}'", "date": "'2000-01-01'", "timestamp with time zone": "now()",
    "ARRAY": "'{}'",
}  # fmt: skip


# ---------------------------------------------------------------- the house
class House:
    """Engines and parts of one platform in a folder, each a process of its own, all ended with it."""

    def __init__(self, postgres, devices: int) -> None:
        from sangyu.runtime.engines.nats import Nats
        from sangyu.runtime.engines.process import wait_until

        self.postgres, self.home = postgres, Path(tempfile.mkdtemp(prefix="sangyu-signals-"))
        self.nats = Nats(self.home, "bench")
        self.nats.prepare()
        self.server = self.nats.command().spawn(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_until(self.nats.ready, 30)
        self.env = {
            **os.environ, "SANGYU_TEST_DATABASE_URL": postgres.url(), "SANGYU_NATS_URL": self.nats.url, "DJANGO_SETTINGS_MODULE": SETTINGS,
            "SANGYU_HOME": str(self.home), "PYTHONPATH": str(ROOT / "src") + os.pathsep + str(ROOT / "tests"), "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        owner = {**self.env, "SANGYU_TEST_DATABASE_URL": postgres.url("postgres")}
        subprocess.run([sys.executable, "-m", "django", "migrate", "--skip-checks", "-v", "0"], env=owner, check=True)
        self.register(devices)
        self.parts: list[subprocess.Popen] = []

    def sql(self, text: str, *values):
        import psycopg

        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as c:
            answer = c.execute(text, values or None)
            return answer.fetchall() if answer.description else None

    def register(self, count: int) -> None:
        """Watches with their wearers, who agreed to position and health data: everything that they say is kept."""
        self.fill(
            "regions_region",
            "id, path, level, name, full_name, code, valid_from",
            "1, '000', 0, '中国', '中国', '000000000000', '2000-01-01'",
        )
        many = f"generate_series(1, {count}) n"
        self.fill("people_person", "id, name, sex, region_id, path, source", "n, '试验', '2', 1, '000', 'bench'", many)
        for purpose in ("location", "health_data"):
            given = f"n, '{purpose}', '1', 'self', '2026-01-01', '000', '{{}}'"
            self.fill("people_consent", "person_id, purpose, version, given_by, given_on, path, parts", given, many)
        self.fill(
            "devices_device", "id, product, kind, protocol, identity, region_id, path, person_id, state, payer, received_on",
            "n, 'watch-3g', 'watch', 'watch', '88' || lpad(n::text, 8, '0'), 1, '000', n, 'issued', 'government', '2026-01-01'", many,
        )  # fmt: skip
        self.fill(
            "devices_binding",
            "device_id, person_id, path, issued_at, issued_by",
            "n, n, '000', now() - interval '30 days', 'bench'",
            many,
        )
        self.sql("ANALYZE")

    def fill(self, table: str, names: str, values: str, source: str = "") -> None:
        """Insert rows, with something plain in whatever further columns must have a value."""
        columns = self.sql(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s AND is_nullable = 'NO'"
            " AND column_default IS NULL AND is_identity = 'NO'", table
        )  # fmt: skip
        given = names.split(", ")
        rest = {name: _PLAIN.get(kind, "''") for name, kind in columns if name not in given}
        self.sql(
            f"INSERT INTO {table} ({', '.join([*given, *rest])}) OVERRIDING SYSTEM VALUE SELECT {', '.join([values, *rest.values()])}"
            + (f" FROM {source}" if source else "")
        )

    def start(self, word: str, n: int = 0) -> subprocess.Popen:
        env = dict(self.env)
        if word == "gateway":
            env |= {"SANGYU_HOME": str(self.home / f"g{n}"), "SANGYU_GATEWAY": f"watch=127.0.0.1:{self.port(n)}"}
        log = (self.home / f"{word}{n}.log").open("ab")
        child = subprocess.Popen([sys.executable, "-m", "sangyu.runtime.cli", word], env=env, stdout=log, stderr=log)
        self.parts.append(child)
        return child

    def stages(self) -> dict[str, int]:
        """What runs, by name: whose processor time is told."""
        running = {f"{Path(child.args[-1]).name} {n}": child.pid for n, child in enumerate(self.parts)}
        return {**running, "NATS": self.server.pid, "PostgreSQL": self.postgres.process.pid}

    def port(self, n: int) -> int:
        from sangyu.runtime.engines.process import free_port

        kept = self.home / f"port{n}"
        if not kept.exists():
            kept.write_text(str(free_port()))
        return int(kept.read_text())

    def state(self, n: int = 0) -> dict:
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.home / f"g{n}" / "gateway" / "state.json").read_text())
        return {}

    def wait_for(self, n: int = 0, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while not self.state(n).get("ports"):
            assert time.monotonic() < until, (self.home / f"gateway{n}.log").read_text()[-2000:]
            time.sleep(0.1)

    def committed(self) -> int:
        """Messages in the database: each has its id there once."""
        return self.sql("SELECT count(*) FROM signals_seen")[0][0]

    def stored(self, gateways: int) -> int:
        """Messages that the gateways have on the stream, as they told last."""
        counts = (self.state(n).get("counts", {}) for n in range(gateways))
        return sum(c.get("stored", 0) + c.get("alarms_stored", 0) for c in counts)

    def end(self, child: subprocess.Popen, number: int = signal.SIGTERM) -> None:
        if child.poll() is None:
            child.send_signal(number)
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(10)
        if child in self.parts:
            self.parts.remove(child)

    def close(self) -> None:
        for child in list(self.parts):
            self.end(child)
        self.server.terminate()
        self.server.wait(20)
        shutil.rmtree(self.home, ignore_errors=True)


# ---------------------------------------------------------------- the load
def load(ports: list[int], devices: int, rate: int, seconds: float, out, first: int = 1) -> None:
    """A process: ``devices`` connections, ``rate`` messages a second of all together; tells how many were sent and how late it ran."""
    import uvloop

    out.put(asyncio.Runner(loop_factory=uvloop.new_event_loop).run(_load(ports, devices, rate, seconds, first)))


class _Line(asyncio.Protocol):
    def connection_made(self, transport) -> None:
        self.transport, self.answered = transport, 0

    def data_received(self, data: bytes) -> None:
        self.answered += 1

    def connection_lost(self, error) -> None:
        self.transport = None


async def _load(ports: list[int], devices: int, rate: int, seconds: float, first: int) -> dict:
    loop = asyncio.get_running_loop()
    lines = []
    for n in range(devices):
        _t, line = await loop.create_connection(_Line, "127.0.0.1", ports[n % len(ports)])
        lines.append((line, b"88%08d" % (n + first)))
        line.transport.write(b"[3G*88%08d*0002*LK]" % (n + first))
    while sum(line.answered > 0 for line, _i in lines) < devices:
        await asyncio.sleep(0.05)
    today = f"{datetime.now(UTC):%d%m%y}".encode()
    began, sent, late, used = time.perf_counter(), 0, 0.0, time.process_time()
    while (now := time.perf_counter()) - began < seconds:
        due = min(int((now - began) * rate), sent + rate // 20 + 1)
        clock = f"{datetime.now(UTC):%H%M%S}".encode()
        for n in range(sent, due):
            line, identity = lines[n % devices]
            content = b"UD,%s,%s,A,40.%06d,N,122.%06d,E,0.40,12.0,8.0,9,80,%d,%d,0,00000018,1,0,460,00,9763,4021,130" % (
                today, clock, 600_000 + n % 90_000, 200_000 + n % 70_000, 20 + n % 80, n % 20_000,
            )  # fmt: skip
            if line.transport is None:
                return {"sent": sent, "late": 0.0, "processor": 0.0, "broken": True}
            line.transport.write(b"[3G*%s*%04X*%s]" % (identity, len(content), content))
        sent = due
        late = max(late, (now - began) - sent / rate)
        await asyncio.sleep(0.004)
    took, used = time.perf_counter() - began, time.process_time() - used
    await asyncio.sleep(1)
    for line, _identity in lines:
        if line.transport is not None:
            line.transport.close()
    return {"sent": sent, "late": late, "seconds": took, "processor": used, "broken": False}
