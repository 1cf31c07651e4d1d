"""Kill -9 in the middle of the road: after the restart nothing is lost and nothing is paid twice (issue 2 §4.5)."""

import http.client
import json
import os
import signal
import threading
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sangyu.runtime.engines.process import wait_until
from sangyu.runtime.trial import client_id

pytestmark = pytest.mark.stack
#: Roads driven to their end, and requests beside them, while parts are killed in turn.
ROADS, REQUESTS = 3, 24
VICTIMS = ("web", "postgres", "jobs", "postgres", "web")
SECONDS = 200

FACTS = """
from collections import Counter
from django.db.models import Sum
from sangyu.care.orders.models import Order, OrderLog
from sangyu.kernel.ledger.models import Account, OpenReservation, Transfer
vouchers = Account.objects.filter(owner_kind="voucher").values("pk")
def facts(order):
    moved = Transfer.objects.filter(reference__startswith=order.number + "#", phase__in=["transfer", "post", "correct"])
    return {{
        "pk": order.pk, "state": order.state, "voucher": order.voucher_amount,
        "spent": moved.filter(debit__in=vouchers).aggregate(n=Sum("amount"))["n"] or 0,
        "held": OpenReservation.objects.filter(transfer__reference__startswith=order.number + "#").aggregate(n=Sum("amount"))["n"] or 0,
        "log": dict(Counter(order.log.values_list("action", flat=True))),
    }}
answer = {{key: [facts(o) for o in Order.objects.filter(key=key)] for key in {keys!r}}}
"""


class Caller:
    """One signed-in person who repeats a call until it is answered."""

    def __init__(self, visitor, until: float) -> None:
        self.visitor, self.until, self.repeats = visitor, until, 0

    def call(self, path: str, body: dict | None = None) -> dict:
        """The answer, however often it takes; a refusal after a repeat means that the first one had arrived."""
        tries = 0
        while time.monotonic() < self.until:
            tries += 1
            try:
                answer = self._send(path, body)
            except (OSError, http.client.HTTPException):
                answer = None
            if answer is not None and answer.status < 300:
                return json.loads(answer.body)
            if answer is not None and answer.status in (403, 404, 409, 422):
                if tries > 1 and answer.status == 409:
                    return {}
                raise AssertionError(f"{path}: {answer.status} {answer.text[:400]}")
            self.repeats += 1
            time.sleep(0.4)
        raise AssertionError(f"{path}: no answer in time")

    def _send(self, path: str, body: dict | None):
        if body is None:
            return self.visitor.get(f"/api/v1{path}")
        headers = {"Content-Type": "application/json", "X-CSRFToken": self.visitor.cookies["csrftoken"]}
        headers["Origin"] = f"http://localhost:{self.visitor.port}"
        return self.visitor._send("POST", f"/api/v1{path}", json.dumps(body).encode(), headers)


def test_killed_in_the_middle_nothing_is_lost_or_paid_twice(town):
    """R-012, R-050, R-085: each key is one order, each step once, each voucher spent once, the books clean."""
    until = time.monotonic() + SECONDS
    town.visitor(town.cast["elder"]["username"])
    desk, elder = (Caller(town.visitor(n), until) for n in (town.cast["roles"]["operator"], town.cast["elder"]["username"]))  # fmt: skip
    before = {name: part["restarts"] for name, part in town.city.parts.items()}
    stop = threading.Event()
    killed: list[str] = []
    killer = threading.Thread(target=kill, args=(town, stop, killed))
    keys, roads = [], []
    killer.start()
    try:
        for n in range(max(ROADS, REQUESTS)):
            key = f"fault-{client_id()}"
            keys.append(key)
            order = desk.call("/orders", need(town, key, n))["id"]
            if n < ROADS:
                roads.append(key)
                drive(town, desk, elder, order, until)
        assert wait_until(lambda: len(killed) == len(VICTIMS), max(1, until - time.monotonic()), 0.5), killed
    finally:
        stop.set()
        killer.join(60)
    assert wait_until(town.city.healthy, 60, 0.5), town.city.tail()
    assert wait_until(lambda: all(town.city.parts[n]["restarts"] > before[n] for n in set(VICTIMS)), 60, 0.5)

    facts = town.city.ask(FACTS.format(keys=keys))
    assert {key: len(found) for key, found in facts.items()} == dict.fromkeys(keys, 1)
    for key in keys:
        (found,) = facts[key]
        assert set(found["log"].values()) == {1}, (key, found["log"])
        if key in roads:
            assert (found["state"], found["spent"], found["held"]) == ("confirmed", found["voucher"], 0)
            assert list(found["log"]) == ["request", "receive", "offer", "accept", "depart", "arrive", "finish", "confirm"] or len(found["log"]) == 8  # fmt: skip
        else:
            assert (found["state"], found["spent"], found["held"]) == ("requested", 0, 0)
    checked = town.city.sangyu("check")
    assert checked.returncode == 0, checked.stdout


def kill(town, stop: threading.Event, killed: list[str]) -> None:
    """End one part after another, giving each time to come back."""
    for victim in VICTIMS:
        if stop.wait(3.0):
            return
        until = time.monotonic() + 40
        while not town.city.healthy() and time.monotonic() < until:
            if stop.wait(0.3):
                return
        try:
            os.kill(town.city.parts[victim]["pid"], signal.SIGKILL)
            killed.append(victim)
        except (ProcessLookupError, TypeError, KeyError):
            stop.wait(1.0)


def need(town, key: str, n: int) -> dict:
    day = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(days=3 + n // 8)
    start = day.replace(hour=8 + n % 8, minute=0, second=0, microsecond=0)
    return {"person_id": town.cast["elder"]["id"], "item_code": "cleaning", "planned_start": start.isoformat(),
            "requested_by": "老人本人", "key": key, "channel": "api"}  # fmt: skip


def drive(town, desk: Caller, elder: Caller, order: int, until: float) -> None:
    """One order to its confirmation."""
    desk.call(f"/orders/{order}/receive", {})
    best = next(p for p in desk.call(f"/orders/{order}/proposals") if not p["blocked"])
    chosen = {"organisation_id": best["organisation_id"], "worker_id": best["worker_id"]}
    desk.call(f"/orders/{order}/offer", chosen)
    manager = Caller(patiently(town, town.cast["managers"][str(chosen["organisation_id"])], until), until)
    worker = Caller(patiently(town, town.cast["workers"][str(chosen["worker_id"])], until), until)
    manager.call(f"/orders/{order}/accept", {"worker_id": chosen["worker_id"]})
    where = town.cast["elder"]
    worker.call(f"/orders/{order}/depart", {"client_id": client_id()})
    worker.call(f"/orders/{order}/arrive", {"client_id": client_id(), "latitude": where["latitude"], "longitude": where["longitude"], "accuracy": 10})  # fmt: skip
    worker.call(f"/orders/{order}/finish", {"client_id": client_id(), "items": ["清扫"]})
    elder.call(f"/orders/{order}/confirm", {"rating": 5})


def patiently(town, username: str, until: float):
    """Sign in, also while parts come back."""
    while True:
        try:
            return town.visitor(username)
        except (AssertionError, OSError, http.client.HTTPException):
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
