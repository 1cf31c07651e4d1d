"""Processes that tests start on the test database and end by their own id."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def database_url(user: str = "") -> str:
    """URL of the running test database, for another process; ``user`` signs in as somebody else."""
    s = connection.settings_dict
    return (
        f"postgresql:///{quote(s['NAME'])}?host={quote(s['HOST'], safe='')}&port={s['PORT']}&user={user or s['USER']}"
        f"&password={quote(s['PASSWORD'], safe='')}"
    )


@contextlib.contextmanager
def process(code: str, *, user: str = "", **env: str):
    """Run ``code`` in a Python process with Django set up on the test database; killed at the end."""
    script = f"import django; django.setup()\n{code}"
    environment = {
        **os.environ,
        "SANGYU_TEST_DATABASE_URL": database_url(user),
        "DJANGO_SETTINGS_MODULE": "sangyu.runtime.settings.test",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")]),
        **env,
    }
    child = subprocess.Popen([sys.executable, "-W", "ignore", "-c", script], env=environment, cwd=ROOT)
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait(10)


def eventually(condition: Callable[[], object], seconds: float = 120.0, what: str = "") -> object:
    """Wait until ``condition`` is true and return its value; fail after ``seconds``."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"never happened within {seconds} s: {what or condition}")


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
