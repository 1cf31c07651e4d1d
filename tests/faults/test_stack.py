"""The whole stack under `sangyu up`: killed parts come back, `sangyu down` leaves nothing (issue 2 §4.5)."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from sangyu.runtime.engines import process
from sangyu.runtime.engines.process import wait_until

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {
    "SANGYU_DATABASE_URL",
    "SANGYU_NATS_URL",
    "SANGYU_OWNER_DATABASE_URL",
    "SANGYU_PORT",
    "DJANGO_SETTINGS_MODULE",
}


class Stack:
    """`sangyu up` on a free port in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, process.free_port()
        self.env = {k: v for k, v in os.environ.items() if k not in NOT_OURS}
        self.env |= {"SANGYU_HOME": str(home), "PYTHONPATH": str(ROOT / "src"), "SANGYU_WEB_WORKERS": "1"}
        self.log = home / "out"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                self.words("up", "--port", str(self.port)), env=self.env, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
            )

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "sangyu.runtime.cli", *words]

    def sangyu(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(self.words(*words), env=self.env, cwd=ROOT, capture_output=True, text=True, check=False)

    @property
    def parts(self) -> dict[str, dict]:
        return json.loads((self.home / "supervisor.json").read_text()).get("parts", {})

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}/healthz", timeout=5) as answer:
                return answer.read() == b"ok"
        except (urllib.error.URLError, OSError):
            return False


@pytest.fixture
def stack(home):
    made = Stack(home)
    yield made
    if made.process.poll() is None:
        made.process.terminate()
        made.process.wait(60)


def test_killed_parts_come_back_and_down_leaves_nothing(stack):
    assert wait_until(lambda: "answers at" in stack.log.read_text() or stack.process.poll() is not None, 240, 0.5)
    assert stack.healthy(), stack.log.read_text()[-3000:]
    with urllib.request.urlopen(f"http://localhost:{stack.port}/accounts/sign-in/", timeout=30) as page:
        assert page.status == 200  # its styles were collected into the new home
    before = stack.parts
    assert {"postgres", "nats", "web", "jobs", "door"} <= set(before)
    said = stack.sangyu("status")
    assert said.returncode == 0
    assert f"http://localhost:{stack.port}" in said.stdout

    for name in ("postgres", "web", "door", "jobs"):
        os.kill(stack.parts[name]["pid"], signal.SIGKILL)
    assert wait_until(
        lambda: all(stack.parts[n]["restarts"] == 1 for n in ("postgres", "web", "door", "jobs")), 60, 0.2
    ), stack.log.read_text()[-3000:]
    assert wait_until(stack.healthy, 60, 0.5), stack.log.read_text()[-3000:]

    assert stack.sangyu("check").returncode == 0
    (stack.home / "files").mkdir()
    (stack.home / "files/letter").write_text("kept")
    assert stack.sangyu("backup", str(stack.home / "saved")).returncode == 0

    pids = [part["pid"] for part in (*before.values(), *stack.parts.values()) if part["pid"]]
    assert stack.sangyu("down").returncode == 0
    assert stack.process.wait(30) == 0
    assert [pid for pid in pids if process.process_state(pid) not in {"", "Z"}] == []
    assert [p for p in os.listdir("/proc") if p.isdigit() and str(stack.home) in process.command_line(int(p))] == []
    assert stack.sangyu("status").returncode == 3

    restore_elsewhere(stack)


def restore_elsewhere(stack):
    """The backup taken while everything ran is a complete platform in another home; a second restore is refused."""
    saved, other = stack.home / "saved", stack.home / "other"
    assert saved.stat().st_mode & 0o777 == 0o700
    stack.env["SANGYU_HOME"] = str(other)
    said = stack.sangyu("restore", str(saved))
    assert (said.returncode, "Nothing changed:" in said.stdout) == (0, True), said.stdout + said.stderr
    assert (other / "files/letter").read_text() == "kept"
    assert (other / "keys.json").read_text() == (stack.home / "keys.json").read_text()
    pending = stack.sangyu("django", "--owner", "migrate", "--plan")
    assert "No planned migration operations" in pending.stdout, pending.stderr
    again = stack.sangyu("restore", str(saved))
    assert again.returncode == 1
    assert "is not empty." in again.stderr
