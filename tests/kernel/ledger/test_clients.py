"""Several clients at once, and clients that die: real connections, real commits."""

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection, connections, transaction

from sangyu.kernel import checks
from sangyu.kernel.actor import ROOT_PATH, Actor
from sangyu.kernel.errors import Refused
from sangyu.kernel.ledger import services
from sangyu.kernel.ledger.models import Account, OpenReservation, Transfer
from sangyu.kernel.ledger.services import Move
from sangyu.kernel.scoping import scope

pytestmark = pytest.mark.django_db(transaction=True)
JOB = Actor.job("clients")


@pytest.fixture
def accounts():
    """The outside and five accounts of 1000."""
    rows = [(n, ROOT_PATH, None) for n in range(6)]
    world = services.open_account(
        actor=JOB, owner_kind="w", owner_id=0, unit="fen", purpose="x", path=ROOT_PATH, floor=None
    )
    ids = services.open_accounts(actor=JOB, owner_kind="c", unit="fen", purpose="x", rows=rows[1:])
    services.transfer_batch(actor=JOB, moves=[Move(world, a, 1000, f"seed{a}") for a in ids], kind="seed")
    return ids


def balances(ids):
    found = dict(Account.objects.filter(pk__in=ids).values_list("pk", "balance"))
    return [found[i] for i in ids]


def findings():
    with connection.cursor() as cursor:
        return {k: v for k, v in checks.run(cursor).items() if k.startswith("ledger.") and v}


def together(*functions):
    """Run each in a thread of its own with its own connection; answers results or exceptions in order."""
    results = [None] * len(functions)
    barrier = threading.Barrier(len(functions))

    def work(n):
        try:
            barrier.wait()
            results[n] = functions[n]()
        except Exception as error:
            results[n] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(functions))]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    return results


def test_two_clients_do_not_overdraw_one_account(accounts):
    a, b, c = accounts[:3]

    def spend(to, name):
        def work():
            accepted = 0
            for n in range(30):
                try:
                    services.transfer(actor=JOB, debit=a, credit=to, amount=35, key=f"{name}{n}", kind="x")
                    accepted += 1
                except Refused as refusal:
                    if refusal.code != "ledger.insufficient":
                        raise
            return accepted

        return work

    assert sum(together(spend(b, "b"), spend(c, "c"))) == 1000 // 35
    assert balances([a]) == [1000 - 35 * (1000 // 35)]
    assert findings() == {}


def test_opposite_directions_and_batches_do_not_deadlock(accounts):
    def wander(seed):
        def work():
            dice = random.Random(seed)
            for n in range(25):
                d, c = dice.sample(accounts, 2)
                key = f"{seed}:{n}"
                try:
                    match n % 4:
                        case 0:
                            services.transfer(
                                actor=JOB, debit=d, credit=c, amount=dice.randint(0, 400), key=key, kind="x"
                            )
                        case 1:
                            pairs = [dice.sample(accounts, 2) for _ in range(4)]
                            moves = [Move(x, y, dice.randint(0, 200), f"{key}/{i}") for i, (x, y) in enumerate(pairs)]
                            services.transfer_batch(actor=JOB, moves=moves, kind="x")
                        case 2:
                            held = services.reserve(
                                actor=JOB, debit=d, credit=c, amount=dice.randint(0, 400), key=key, kind="x"
                            )
                            services.post(actor=JOB, reservation_id=held, key=key + "p")
                        case 3:
                            due = datetime.now(UTC) - timedelta(seconds=1)
                            services.reserve(actor=JOB, debit=d, credit=c, amount=9, key=key, kind="x", expires_at=due)
                            services.expire_due(actor=JOB, now=datetime.now(UTC))
                except Refused as refusal:
                    if refusal.code != "ledger.insufficient":
                        raise

        return work

    assert together(*(wander(s) for s in range(4))) == [None] * 4
    services.expire_due(actor=JOB, now=datetime.now(UTC))
    assert sum(balances(accounts)) == 5000
    assert OpenReservation.objects.count() == 0
    assert findings() == {}


def test_one_key_from_many_clients_is_one_transfer(accounts):
    a, b = accounts[:2]
    call = {"actor": JOB, "debit": a, "credit": b, "amount": 10, "key": "same", "kind": "x"}
    made = together(*[lambda: services.transfer(**call)] * 4)
    assert len(set(made)) == 1
    assert balances([a, b]) == [990, 1010]
    held = services.reserve(**{**call, "key": "hold"})
    posts = together(*[lambda: services.post(actor=JOB, reservation_id=held, key="post")] * 4)
    assert len(set(posts)) == 1
    assert balances([a, b]) == [980, 1020]
    ends = together(*[(lambda n=n: services.void(actor=JOB, reservation_id=held, key=f"v{n}")) for n in range(2)])
    assert [e.code for e in ends] == ["ledger.resolved"] * 2


def test_of_two_who_end_a_reservation_one_wins(accounts):
    a, b = accounts[:2]
    for n in range(10):
        held = services.reserve(actor=JOB, debit=a, credit=b, amount=10, key=f"h{n}", kind="x")
        ends = together(
            lambda held=held, n=n: services.post(actor=JOB, reservation_id=held, key=f"p{n}"),
            lambda held=held, n=n: services.void(actor=JOB, reservation_id=held, key=f"v{n}"),
        )
        assert [getattr(e, "code", None) for e in ends if isinstance(e, Exception)] == ["ledger.resolved"]
    assert findings() == {}


def _die_after(steps, a, b, c):
    """A client does ``steps`` acts in one transaction, is killed, and tries another; answers what it met."""
    pid, reached, killed = [], threading.Event(), threading.Event()

    def die():
        with scope(JOB):
            services.transfer(actor=JOB, debit=a, credit=b, amount=10, key="one", kind="x")
            if steps > 1:
                services.reserve(actor=JOB, debit=b, credit=c, amount=10, key="two", kind="x")
            if steps > 2:
                services.transfer_batch(actor=JOB, moves=[Move(c, a, 5, "three")], kind="x")
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pid.append(cursor.fetchone()[0])
            reached.set()
            killed.wait(30)
            services.transfer(actor=JOB, debit=a, credit=c, amount=10, key="four", kind="x")

    def kill():
        reached.wait(30)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid[0]])
        killed.set()

    return together(die, kill)[0]


def test_a_client_killed_between_statements_leaves_nothing_half_done(accounts):
    a, b, c = accounts[:3]
    before = balances(accounts)
    for steps in (1, 2, 3):
        assert isinstance(_die_after(steps, a, b, c), OperationalError)
        assert balances(accounts) == before
        assert Transfer.objects.exclude(kind="seed").count() == 0
        assert OpenReservation.objects.count() == 0
    # the retry with the same keys does it once
    with transaction.atomic():
        services.transfer(actor=JOB, debit=a, credit=b, amount=10, key="one", kind="x")
    assert balances([a, b]) == [990, 1010]
    assert findings() == {}
