"""One supervisor: order, logs, restart, clean shutdown, no orphan (issue 2 §1 "Engines")."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sangyu.runtime.engines import process
from sangyu.runtime.engines.process import wait_until

ROOT = Path(__file__).resolve().parents[2]

#: Parts are small Python programs that write their pid and then what they were told to.
STACK = """
import sys
from pathlib import Path
from sangyu.runtime.engines.process import Command
from sangyu.runtime.supervisor import Part, Supervisor
home = Path(sys.argv[1])
CHILD = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)']); "
def part(name, code, **kw):
    code = f"import os, time; print('pid', os.getpid(), flush=True); {code}"
    return Part(name, lambda: Command([sys.executable, '-c', code], stop_seconds=3), **kw)
sys.exit(Supervisor(home, [%s]).run(lambda: print('READY', flush=True)))
"""


class Run:
    """A supervisor in a process of its own, writing to a file."""

    def __init__(self, home: Path, parts: str) -> None:
        self.log = home / "out"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", STACK % parts, str(home)],
                env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        return self.log.read_text()

    def pids(self, name: str) -> list[int]:
        return [int(pid) for pid in re.findall(rf"^{name} +│ pid (\d+)$", self.text, re.MULTILINE)]

    def wait_for(self, words: str) -> None:
        assert wait_until(lambda: words in self.text, 120), self.text

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture
def run(home):
    runs = []

    def start(parts: str) -> Run:
        runs.append(Run(home, parts))
        return runs[-1]

    yield start
    for started in runs:
        if started.process.poll() is None:
            started.process.kill()
            started.process.wait()


def group_is_empty(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return True
    return all(
        process.process_state(int(p)) in {"", "Z"} for p in os.listdir("/proc") if p.isdigit() and _group(p) == pid
    )


def _group(pid: str) -> int:
    try:
        return os.getpgid(int(pid))
    except ProcessLookupError:
        return -1


def test_starts_in_order_forwards_logs_and_stops_in_reverse(run):
    farewell = (
        "import signal, sys; signal.signal(15, lambda *a: (print('bye', flush=True), sys.exit(0))); "
        "print('set', flush=True); time.sleep(99)"
    )
    up = run(f'part("first", {farewell!r}), part("step", "print(1)", once=True), part("second", {farewell!r})')
    up.wait_for("READY")
    up.wait_for("second │ set")  # and so the first, which began before: a signal finds them listening
    assert up.end() == 0
    lines = [
        line.split("│")[0].strip() + ":" + line.split("│")[1].strip() for line in up.text.splitlines() if "│" in line
    ]
    lines = [line for line in lines if not line.endswith(":set")]
    assert [re.sub(r"pid \d+", "pid", line) for line in lines] == [
        *(
            "first:pid",
            "step:pid",
            "step:1",
            "second:pid",
            "sangyu:stopping",
            "second:bye",
            "first:bye",
            "sangyu:stopped",
        ),
    ]


def test_a_dead_part_is_started_again_with_a_growing_pause(run):
    up = run('part("part", "time.sleep(99)")')
    up.wait_for("READY")
    up.wait_for("part   │ pid")  # READY says that it was started, not how far it is
    for round_number, pause in ((1, "1"), (2, "2")):
        os.kill(up.pids("part")[-1], signal.SIGKILL)
        up.wait_for(
            f"part was ended by signal 9 after 0 s; starting again in {pause} s"
            if round_number == 1
            else f"starting again in {pause} s"
        )
        assert wait_until(lambda n=round_number: len(up.pids("part")) == n + 1, 120), up.text
    assert up.end() == 0
    assert all(group_is_empty(pid) for pid in up.pids("part"))


def test_stubborn_parts_and_their_children_do_not_outlive_it(run):
    up = run(
        'part("stubborn", CHILD + "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True);'
        ' time.sleep(99)")'
    )
    up.wait_for("│ 1")
    up.wait_for("READY")
    assert up.end(signal.SIGINT) == 0
    assert "stubborn did not stop within 3 s: killed" in up.text
    assert group_is_empty(up.pids("stubborn")[0])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_parts_end_when_the_supervisor_is_killed(run):
    up = run('part("part", "time.sleep(99)")')
    up.wait_for("READY")
    up.wait_for("part   │ pid")  # READY says that it was started, not how far it is
    up.end(signal.SIGKILL)
    assert wait_until(lambda: process.process_state(up.pids("part")[0]) in {"", "Z"}, 60)


def test_a_second_one_in_the_same_home_is_refused_and_a_third_after_it_starts(run, home):
    up = run('part("part", "time.sleep(99)")')
    up.wait_for("READY")
    up.log.rename(home / "first")
    second = run("")
    assert second.process.wait(10) == 1
    assert f"Sangyu already runs in {home} (pid {up.process.pid}" in second.text
    assert "sangyu down" in second.text
    up.end(signal.SIGKILL)
    third = run('part("part", "time.sleep(99)")')
    third.wait_for("READY")
    assert third.end() == 0


def test_a_part_that_fails_at_once_stops_everything_with_its_words(run):
    up = run(
        'part("good", "time.sleep(99)"), part("bad", "print(chr(78)+\'o space left on device\'); raise SystemExit(4)",'
        " ready=lambda: False)"
    )
    assert up.process.wait(10) == 1
    assert "bad ended at once (exit 4)." in up.text
    assert "The disk is full." in up.text
    assert group_is_empty(up.pids("good")[0])


def test_a_failed_step_stops_the_start(run):
    up = run('part("step", "raise SystemExit(2)", once=True), part("never", "time.sleep(99)")')
    assert up.process.wait(10) == 1
    assert "step failed (exit 2)." in up.text
    assert up.pids("never") == []


def test_a_full_disk_while_running_is_said_once(run):
    up = run(
        'part("part", "[print(\'could not extend: No space left on device\', flush=True) for _ in range(3)];'
        ' time.sleep(99)")'
    )
    up.wait_for("READY")
    up.wait_for("part: The disk is full. Free some space")
    assert up.end() == 0
    assert up.text.count("The disk is full") == 1


def test_a_part_stands_back_when_told(home):
    """Readings and jobs leave the processor to alarms (issue 5 §6.5), also where the kernel shares it out by session."""
    say = "import os; print(os.nice(0), open('/proc/self/autogroup').read() if os.path.exists('/proc/self/autogroup') else '')"
    child = process.Command([sys.executable, "-c", say], nice=10).spawn(stdout=subprocess.PIPE, text=True)
    said = child.communicate(timeout=60)[0]
    assert said.split()[0] == str(min(19, os.nice(0) + 10))
    assert "autogroup" not in said or "nice 10" in said
