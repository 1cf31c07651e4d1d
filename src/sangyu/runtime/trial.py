"""A whole platform on trial: a small demo city in a folder of its own, on free ports, and visitors who use it over HTTP.

Used by ``make smoke`` and by the tests of the whole stack. Standard library only: it meets the platform as others do.
"""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from .engines import process

#: Settings of the caller's own platform that must not reach the one on trial.
NOT_OURS = (
    "SANGYU_DATABASE_URL",
    "SANGYU_OWNER_DATABASE_URL",
    "SANGYU_NATS_URL",
    "SANGYU_PORT",
    "SANGYU_NATS_PORT",
    "SANGYU_GATEWAY",
    "SANGYU_HOSTS",
    "SANGYU_STATIC_ROOT",
    "SANGYU_PUBLIC_NAME",
    "DJANGO_SETTINGS_MODULE",
)
#: The demo's, printed by `sangyu demo`.
PASSWORD = "Sangyu-2108"


#: Answers one question a line on standard input, each in a fork of its own, so that none sees what another left in memory.
ASKED = """
import json, os, sys, traceback
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            names = {}
            exec(json.loads(line), names)
            print("ANSWER" + json.dumps(names["answer"], default=str), flush=True)
        except BaseException:
            traceback.print_exc(file=sys.stdout)
            print("TROUBLE", flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print("TROUBLE", flush=True)
"""


class Trouble(Exception):
    """The platform on trial did not do what is needed to go on; the message says what, with the end of its log."""


class City:
    """One platform in a temporary SANGYU_HOME. ``build`` → ``start`` → … → ``close``; nothing is left afterwards."""

    #: What it is built with.
    ELDERS, ORDERS = 300, 40

    def __init__(self, *, seconds: int = 600) -> None:
        self.own = True
        self.home = Path(tempfile.mkdtemp(prefix="sangyu-trial-"))
        self.home.chmod(0o711)  # the server's account passes through when we are root
        self.seconds = seconds
        self.port = process.free_port()
        self.env = {k: v for k, v in os.environ.items() if k not in NOT_OURS}
        self.env |= {"SANGYU_HOME": str(self.home), "SANGYU_WEB_WORKERS": "1", "PYTHONWARNINGS": "ignore"}
        self.env["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
        self.log = self.home / "up.log"
        self.process: subprocess.Popen | None = None
        self._helper: subprocess.Popen | None = None

    @classmethod
    def running(cls, home: Path) -> "City":
        """The platform that runs in ``home`` already, for the body of a ``with`` that leaves it alone."""
        made = cls.__new__(cls)
        made.home, made.log, made.process, made.own = home, home / "up.log", None, False
        made._helper = None
        made.env = {k: v for k, v in os.environ.items() if k not in NOT_OURS} | {"SANGYU_HOME": str(home)}
        made.port = urlsplit(json.loads((home / "supervisor.json").read_text())["address"]).port
        return made

    # ------------------------------------------------------------ commands
    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def _words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "sangyu.runtime.cli", *words]

    def sangyu(self, *words: str, seconds: float = 240) -> subprocess.CompletedProcess:
        """Run ``sangyu …`` on this home; the caller looks at the return code."""
        return subprocess.run(
            self._words(*words), env=self.env, capture_output=True, text=True, timeout=seconds, check=False
        )

    def ask(self, code: str) -> object:
        """Run Python ``code`` with Django on this home's database, past every scope; the value it leaves in ``answer``.

        One process loads Django and forks for each question: a start takes longer than most questions.
        """
        if self._helper is None:
            pipe, words = subprocess.PIPE, self._words("django", "--owner", "shell", "-v", "0", "-c", ASKED)
            self._helper = subprocess.Popen(
                words, env=self.env, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True
            )
        said, late = [], threading.Timer(240, self._helper.kill)
        late.start()
        with contextlib.suppress(BrokenPipeError):
            self._helper.stdin.write(json.dumps(code) + "\n")
            self._helper.stdin.flush()
        for line in self._helper.stdout:
            said.append(line)
            if line.startswith(("ANSWER", "TROUBLE")):
                break
        late.cancel()
        runs = self.process.poll() is None if self.process else not self.own
        if not runs or self._helper.poll() is not None:  # where nothing runs, the helper holds the lock of the home
            self._dismiss()
        if not said or not said[-1].startswith("ANSWER"):
            raise Trouble(f"asking the database failed:\n{''.join(said)[-3000:]}")
        return json.loads(said[-1].removeprefix("ANSWER"))

    def _dismiss(self) -> None:
        """End the process that ``ask`` keeps."""
        helper, self._helper = self._helper, None
        if helper is not None:
            with contextlib.suppress(BrokenPipeError):
                helper.stdin.close()
            helper.wait(30)
            helper.stdout.close()

    # ------------------------------------------------------------ life
    def build(self) -> "City":
        """Load the demo city and collect the static files, side by side."""
        run = {"env": self.env, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        words = ("demo", "--elders", str(self.ELDERS), "--orders", str(self.ORDERS))
        steps = [self._words(*words), self._words("django", "collectstatic", "--no-input", "-v", "0")]
        # `keys` first: both would make them
        if (keys := self.sangyu("keys")).returncode:
            raise Trouble(keys.stderr[-2000:])
        children = [subprocess.Popen(step, **run) for step in steps]
        try:
            for child, step in zip(children, steps, strict=True):
                said = child.communicate(timeout=self.seconds)[0]
                if child.returncode:
                    raise Trouble(f"`sangyu {' '.join(step[3:])}` ended with {child.returncode}:\n{said[-3000:]}")
        except subprocess.TimeoutExpired:
            raise Trouble(f"the demo city was not there within {self.seconds} s") from None
        finally:
            for child in children:
                if child.poll() is None:
                    child.terminate()
                    child.wait(30)
        return self

    def start(self) -> "City":
        """`sangyu up` in the background until the front door answers."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self._words("up", "--port", str(self.port)), env=self.env, stdout=out, stderr=subprocess.STDOUT
            )
        until = time.monotonic() + 300  # a loaded machine of two cores takes a minute and more
        while time.monotonic() < until and self.process.poll() is None:
            if "answers at" in self.log.read_text(errors="replace") and self.healthy():
                return self
            time.sleep(0.3)
        raise Trouble(f"`sangyu up` did not answer:\n{self.tail()}")

    def healthy(self) -> bool:
        try:
            connection = http.client.HTTPConnection("localhost", self.port, timeout=5)
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

    @property
    def parts(self) -> dict[str, dict]:
        """name → {"pid", "restarts", …} as the supervisor says."""
        return json.loads((self.home / "supervisor.json").read_text()).get("parts", {})

    def tail(self, characters: int = 3000) -> str:
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""

    def stop(self) -> int | None:
        """End what was started, cleanly; the supervisor's return code."""
        self._dismiss()
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        return self.process.returncode

    def left_over(self) -> list[str]:
        """Command lines of processes that still name this home."""
        pids = (int(p) for p in os.listdir("/proc") if p.isdigit() and int(p) != os.getpid())
        return [line for pid in pids if str(self.home) in (line := process.command_line(pid))]

    def close(self) -> None:
        """Stop, and remove the folder with everything in it (also a database that lies elsewhere)."""
        from .engines.postgres import place_of

        self.stop()
        if not self.own:
            return
        place = Path(place_of(self.home))
        shutil.rmtree(self.home, ignore_errors=True)
        if self.home.name in str(place):
            shutil.rmtree(place, ignore_errors=True)

    def __enter__(self) -> "City":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@dataclass
class Answer:
    """One HTTP answer: status, headers (lower case), body."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def words(self) -> str:
        """What is read on the page: no tags, single spaces."""
        bare = re.sub(r"<(script|style)\b.*?</\1>", " ", self.text, flags=re.S)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", bare)))

    @property
    def location(self) -> str:
        return self.headers.get("location", "")


@dataclass
class Visitor:
    """A browser without a screen: cookies, CSRF, one step at a time, no redirect followed unless asked."""

    port: int
    name: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    secret: str = ""
    seconds: float = 30

    def get(self, path: str, **headers: str) -> Answer:
        return self._send("GET", path, None, headers)

    def post(self, path: str, form: dict | list | None = None, **headers: str) -> Answer:
        """Send a form with the CSRF token of the cookie, as a page of the platform would."""
        if "csrftoken" not in self.cookies:
            self.get("/accounts/sign-in/")
        pairs = list(form.items()) if isinstance(form, dict) else list(form or [])
        if not any(name == "csrfmiddlewaretoken" for name, _value in pairs):
            pairs.append(("csrfmiddlewaretoken", self.cookies.get("csrftoken", "")))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"http://localhost:{self.port}",
            **headers,
        }
        return self._send("POST", path, urlencode(pairs).encode(), headers)

    def follow(self, path: str) -> Answer:
        """GET ``path`` and go where it leads, at most five times."""
        answer = self.get(path)
        for _n in range(5):
            if answer.status not in (301, 302, 303, 307):
                break
            answer = self.get(answer.location)
        return answer

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        parts = urlsplit(path)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection = http.client.HTTPConnection("localhost", self.port, timeout=self.seconds)
        try:
            sent = {"Accept-Language": "zh-CN", **{k.replace("_", "-"): v for k, v in headers.items()}}
            if self.cookies:
                sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
            connection.request(method, target, body, sent)
            response = connection.getresponse()
            data = response.read()
            for key, value in response.getheaders():
                if key.lower() == "set-cookie":
                    self._keep(value)
            found = {k.lower(): v for k, v in response.getheaders()}
            return Answer(response.status, found, data, target)
        finally:
            connection.close()

    def _keep(self, header: str) -> None:
        for name, morsel in SimpleCookie(header).items():
            if morsel.value and morsel["max-age"] != "0":
                self.cookies[name] = morsel.value
            else:
                self.cookies.pop(name, None)

    # ------------------------------------------------------------ sign-in
    def sign_in(self, username: str, password: str = PASSWORD) -> Answer:
        """Sign in as a person would; set up the second factor where the role asks for it. The last answer."""
        self.name = username
        self.get("/accounts/sign-in/")
        answer = self.post("/accounts/sign-in/", {"username": username, "password": password})
        if answer.status not in (302, 303):
            return answer
        home = self.get("/")
        if "/accounts/second-factor/" in home.location:
            page = self.get("/accounts/second-factor/")
            found = re.search(r'door__key">([A-Z2-7]+)<', page.text)
            if found:
                self.secret = found[1]
            if self.secret:
                answer = self.post("/accounts/second-factor/", {"code": code_at(self.secret)})
        return answer


def code_at(secret: str, moment: float | None = None) -> str:
    """The six digits that an authenticator with ``secret`` shows (RFC 6238)."""
    counter = struct.pack(">Q", int((time.time() if moment is None else moment) // 30))
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


#: Who is who in the demo city, and whose need the road is about: an elder with a sign-in and vouchers left.
CASTING = """
from datetime import timedelta
from django.utils import timezone
from sangyu.care.orders.services import price_preview
from sangyu.kernel.errors import SangyuError
from sangyu.kernel.scoping import scope
from sangyu.runtime.demo.accounts import acting
from sangyu.care.orders.models import Order
from sangyu.kernel.models import Share
from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.people.models import Person
street = Grant.objects.get(account__username="street")
county = street.path[:-3]
signed = list(Share.objects.filter(audience="family", kind="person", until=None).values_list("subject_id", "object_id"))
names = dict(Account.objects.values_list("pk", "username"))
people = Person.objects.filter(pk__in=[p for _a, p in signed], died_on=None, latitude__isnull=False).select_related("region")
accounts = {p: names[a] for a, p in signed if a in names}
operator = acting("operator")
def paid_by_voucher(person):
    try:
        with scope(operator):
            at = timezone.localtime() + timedelta(days=1)
            return price_preview(actor=operator, person_id=person.pk, item_code="cleaning", planned_start=at).voucher
    except SangyuError:
        return -1
elder = max(people.filter(pk__in=accounts).order_by("pk"), key=paid_by_voucher)
far = Order.objects.exclude(path__startswith=county).order_by("pk").values_list("pk", flat=True).first()
grants = Grant.objects.filter(account__is_active=True).order_by("pk")
first = Grant.objects.filter(role="worker").order_by("pk").first().subject_id
orders = Order.objects.order_by("-pk")
answer = {
    "states": dict(orders.values_list("state", "pk")),
    "received_person": orders.filter(state="received").order_by("pk").values_list("person_id", flat=True).first(),
    "worker_visits": dict(orders.filter(worker_id=first).values_list("state", "pk")),
    "elder_visits": dict(orders.filter(person_id=elder.pk).values_list("state", "pk")),
    "elder": {"id": elder.pk, "name": elder.name, "username": accounts[elder.pk], "latitude": elder.latitude, "longitude": elder.longitude},
    "far_order": far,
    "near_person": Person.objects.filter(path__startswith=street.path).order_by("pk").values_list("pk", flat=True).first(),
    "far_person": Person.objects.exclude(path__startswith=county).order_by("pk").values_list("pk", flat=True).first(),
    "managers": {g.subject_id: names[g.account_id] for g in grants if g.role == "provider_manager"},
    "workers": {g.subject_id: names[g.account_id] for g in grants if g.role == "worker"},
    "roles": {g.role: names[g.account_id] for g in reversed(list(grants))},
}
"""

#: What the books say about one order: its price and, from the ledger, what left the vouchers and what is still held.
BOOKS = """
from django.db.models import Sum
from sangyu.care.orders.models import Order
from sangyu.kernel.ledger.models import Account, OpenReservation, Transfer
order = Order.objects.get(pk={pk})
vouchers = Account.objects.filter(owner_kind="voucher").values("pk")
moved = Transfer.objects.filter(reference__startswith=order.number + "#", phase__in=["transfer", "post", "correct"])
answer = {{
    **{{n: getattr(order, n) for n in ("number", "state", "market_price", "concession", "voucher_amount", "public_pay", "self_pay", "rating", "organisation_id", "worker_id")}},
    "left_vouchers": moved.filter(debit__in=vouchers).aggregate(n=Sum("amount"))["n"] or 0,
    "held": OpenReservation.objects.filter(transfer__reference__startswith=order.number + "#").aggregate(n=Sum("amount"))["n"] or 0,
}}
"""


def client_id() -> str:
    """A number for one step of a phone; a repeat with it changes nothing."""
    return str(uuid4())
