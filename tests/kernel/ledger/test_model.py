"""Random histories against a simple model in Python: balances, limits, sum zero (design rule 4)."""

from dataclasses import dataclass, field

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sangyu.kernel import checks
from sangyu.kernel.actor import ROOT_PATH, Actor
from sangyu.kernel.errors import Refused
from sangyu.kernel.ledger import services
from sangyu.kernel.ledger.models import Account
from sangyu.kernel.ledger.services import Move

pytestmark = pytest.mark.django_db

JOB = Actor.job("model")
#: (floor, ceiling) of the accounts in play; the first is the outside world.
LIMITS = [(None, None), (0, None), (0, 400), (-100, None)]
side = st.integers(0, len(LIMITS) - 1)
amount = st.integers(0, 300)
step = st.one_of(
    st.tuples(st.just("transfer"), side, side, amount),
    st.tuples(st.just("reserve"), side, side, amount),
    st.tuples(st.just("post"), st.integers(0, 20), st.one_of(st.none(), amount)),
    st.tuples(st.just("void"), st.integers(0, 20)),
    st.tuples(st.just("correct"), st.integers(0, 20), st.one_of(st.none(), amount)),
    st.tuples(st.just("batch"), st.lists(st.tuples(side, side, amount), min_size=1, max_size=4)),
    st.tuples(st.just("again"), st.integers(0, 50)),
)


@dataclass
class Model:
    """What the ledger should hold, in a few lines."""

    balance: list[int] = field(default_factory=lambda: [0] * len(LIMITS))
    out: list[int] = field(default_factory=lambda: [0] * len(LIMITS))
    into: list[int] = field(default_factory=lambda: [0] * len(LIMITS))
    held: list[list] = field(default_factory=list)  # [id, d, c, amount, open]
    moved: list[list] = field(default_factory=list)  # [id, d, c, amount left to correct]

    def fits(self) -> bool:
        return all(
            (low is None or b - o >= low) and (high is None or b + i <= high)
            for (low, high), b, o, i in zip(LIMITS, self.balance, self.out, self.into, strict=True)
        )

    def shift(self, d: int, c: int, moved: int, reserved: int) -> None:
        self.balance[d] -= moved
        self.balance[c] += moved
        self.out[d] += reserved
        self.into[c] += reserved


def state(m: Model):
    return list(m.balance), list(m.out), list(m.into)


def run(m: Model, ids: list[int], done: list, n: int, action: tuple) -> None:
    """Do one step on both sides; the ledger must accept exactly what the model allows."""
    key, before = f"k{n}", state(m)
    name, *args = action
    allowed, call, effect = True, None, None
    if name in {"transfer", "reserve"}:
        d, c, a = args
        allowed = d != c
        m.shift(d, c, *((a, 0) if name == "transfer" else (0, a)))
        call = {"debit": ids[d], "credit": ids[c], "amount": a, "key": key, "kind": "x"}
        effect = lambda made: (m.moved if name == "transfer" else m.held).append([made, d, c, a, True])  # noqa: E731
    elif name in {"post", "void"}:
        if not m.held:
            return
        row = m.held[args[0] % len(m.held)]
        a = 0 if name == "void" else row[3] if args[1] is None else args[1]
        allowed = row[4] and a <= row[3]
        m.shift(row[1], row[2], a, -row[3])
        call = {"reservation_id": row[0], "key": key} | ({"amount": args[1]} if name == "post" else {})

        def effect(made):
            row[4] = False
            if name == "post":
                m.moved.append([made, row[1], row[2], a])
    elif name == "correct":
        if not m.moved:
            return
        row = m.moved[args[0] % len(m.moved)]
        full = next(r[3] for r in done if r[0] == row[0])
        a = full if args[1] is None else args[1]
        allowed = a <= row[3]
        m.shift(row[2], row[1], a, 0)
        call = {"transfer_id": row[0], "amount": args[1], "key": key, "reason": "x"}

        def effect(made):
            row[3] -= a
    elif name == "batch":
        lines = args[0]
        allowed = all(d != c for d, c, _a in lines)
        for d, c, a in lines:
            m.shift(d, c, a, 0)
        moves = [Move(ids[d], ids[c], a, f"{key}/{i}") for i, (d, c, a) in enumerate(lines)]
        call, name = {"moves": moves, "kind": "x"}, "transfer_batch"
        effect = lambda made: [m.moved.append([t, d, c, a]) for t, (d, c, a) in zip(made, lines, strict=True)]  # noqa: E731
    else:  # replay an earlier accepted call: same answer, no effect
        replays = [r for r in done if r[1]]
        if replays:
            made, name, call, _full = replays[args[0] % len(replays)]
            assert getattr(services, name)(actor=JOB, **call) == made
        return
    allowed = allowed and m.fits()
    try:
        made = getattr(services, name)(actor=JOB, **call)
    except Refused:
        m.balance, m.out, m.into = before
        assert not allowed, (action, state(m))
        return
    assert allowed, (action, state(m))
    effect(made)
    if name == "transfer_batch":
        done.extend((t, "", None, move.amount) for t, move in zip(made, call["moves"], strict=True))
    else:
        full = call.get("amount")
        if name == "post":
            full = m.moved[-1][3]
        done.append((made, name, call, full))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(step, max_size=30))
def test_the_ledger_agrees_with_the_model(db, actions):
    """R-050: after any history of issue, hold, spend, release, refund the ledger balances."""
    with transaction.atomic():
        ids = [
            services.open_account(
                actor=JOB, owner_kind="m", owner_id=i, unit="fen", purpose="x", path=ROOT_PATH, floor=low, ceiling=high
            )
            for i, (low, high) in enumerate(LIMITS)
        ]
        model, done = Model(), []
        for n, action in enumerate(actions):
            run(model, ids, done, n, action)
            rows = {a.pk: a for a in Account.objects.filter(pk__in=ids)}
            found = (
                [rows[i].balance for i in ids],
                [rows[i].reserved_out for i in ids],
                [rows[i].reserved_in for i in ids],
            )
            assert found == state(model), action
        with connection.cursor() as cursor:
            assert {k: v for k, v in checks.run(cursor).items() if k.startswith("ledger.") and v} == {}
        transaction.set_rollback(True)
