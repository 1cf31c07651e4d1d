"""Ledger: design rule 4; R-050, R-053, R-062 stand on it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError, ProgrammingError

from sangyu.kernel import checks
from sangyu.kernel.actor import ROOT_PATH, Actor, Audience
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.ledger import selectors, services
from sangyu.kernel.ledger.models import Account, OpenReservation, Transfer
from sangyu.kernel.ledger.services import Move
from sangyu.kernel.scoping import as_system, scope

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)


@pytest.fixture
def job():
    return Actor.job("test")


@pytest.fixture
def open_(job):
    """Factory: an account of the next free owner."""
    made = iter(range(1, 1000))

    def make(unit="fen", purpose="cash", path=ROOT_PATH, floor=0, ceiling=None, **kwargs):
        defaults = {"owner_kind": "test", "owner_id": next(made)}
        return services.open_account(
            actor=job, unit=unit, purpose=purpose, path=path, floor=floor, ceiling=ceiling, **{**defaults, **kwargs}
        )

    return make


@pytest.fixture
def world(open_):
    """The outside: an account without a floor."""
    return open_(floor=None, purpose="world")


@pytest.fixture
def rich(job, open_, world):
    """An account that holds 1000."""
    account = open_()
    services.transfer(actor=job, debit=world, credit=account, amount=1000, key="seed", kind="seed")
    return account


def snapshot():
    """Everything the ledger holds, to compare before and after a refusal."""
    return (
        list(
            Account.objects.order_by("id").values_list(
                "id", "balance", "reserved_out", "reserved_in", "closed_at", "floor"
            )
        ),
        list(Transfer.objects.order_by("id").values_list("id", "phase", "amount")),
        list(OpenReservation.objects.order_by("pk").values_list("pk", "amount")),
    )


def refused(code, function, **kwargs):
    """``function`` refuses with ``code``, changes nothing, and leaves the transaction usable."""
    before = snapshot()
    with pytest.raises(Refused) as caught:
        function(**kwargs)
    assert caught.value.code == code
    assert str(caught.value)
    assert snapshot() == before


def findings():
    with connection.cursor() as cursor:
        return {name: found for name, found in checks.run(cursor).items() if name.startswith("ledger.") and found}


def test_transfer_moves_and_names_who(job, rich, world, open_):
    other = open_()
    made = services.transfer(
        actor=job,
        debit=rich,
        credit=other,
        amount=300,
        key="t1",
        kind="gift",
        reference="case:1",
        effective_on=date(2026, 3, 1),
    )
    assert selectors.balance(actor=job, account_id=rich) == selectors.Balance(700, 0, 0)
    assert selectors.balance(actor=job, account_id=other) == selectors.Balance(300, 0, 0)
    row = Transfer.objects.get(pk=made)
    assert (row.phase, row.debit_id, row.credit_id, row.amount, row.kind, row.reference) == (
        "transfer",
        rich,
        other,
        300,
        "gift",
        "case:1",
    )
    assert (row.effective_on, row.actor, row.account_id) == (date(2026, 3, 1), "test", None)
    assert findings() == {}


def test_key_replay_gives_the_same_answer_and_other_input_is_refused(job, rich, open_):
    other, third = open_(), open_()
    call = {"actor": job, "debit": rich, "credit": other, "amount": 300, "key": "t1", "kind": "gift"}
    first = services.transfer(**call)
    assert services.transfer(**call) == first
    assert selectors.balance(actor=job, account_id=rich).posted == 700
    for change in (
        {"amount": 301},
        {"credit": third},
        {"kind": "x"},
        {"reference": "y"},
        {"reason": "z"},
        {"effective_on": date(2026, 1, 1)},
    ):
        refused("ledger.key_reused", services.transfer, **{**call, **change})
    refused("ledger.key_reused", services.reserve, **call)


def test_limits_count_reservations(job, rich, open_):
    other, small = open_(), open_(ceiling=500)
    held = services.reserve(actor=job, debit=rich, credit=other, amount=600, key="r1", kind="hold")
    assert selectors.balance(actor=job, account_id=rich) == selectors.Balance(1000, 600, 0)
    assert selectors.balance(actor=job, account_id=other) == selectors.Balance(0, 0, 600)
    refused(
        "ledger.insufficient", services.transfer, actor=job, debit=rich, credit=other, amount=401, key="t", kind="x"
    )
    refused("ledger.insufficient", services.reserve, actor=job, debit=rich, credit=other, amount=401, key="t", kind="x")
    services.transfer(actor=job, debit=rich, credit=small, amount=400, key="t", kind="x")
    services.post(actor=job, reservation_id=held, key="p1")
    assert selectors.balance(actor=job, account_id=rich) == selectors.Balance(0, 0, 0)
    assert selectors.balance(actor=job, account_id=other) == selectors.Balance(600, 0, 0)
    refused("ledger.ceiling", services.transfer, actor=job, debit=other, credit=small, amount=101, key="t2", kind="x")
    refused("ledger.ceiling", services.reserve, actor=job, debit=other, credit=small, amount=101, key="t2", kind="x")
    assert findings() == {}


def test_post_in_part_releases_the_rest_and_ends_once(job, rich, open_):
    other = open_()
    held = services.reserve(actor=job, debit=rich, credit=other, amount=600, key="r1", kind="hold", reference="o:1")
    refused("ledger.over_posted", services.post, actor=job, reservation_id=held, amount=601, key="p1")
    posted = services.post(actor=job, reservation_id=held, amount=250, key="p1")
    assert services.post(actor=job, reservation_id=held, amount=250, key="p1") == posted
    assert selectors.balance(actor=job, account_id=rich) == selectors.Balance(750, 0, 0)
    assert selectors.balance(actor=job, account_id=other) == selectors.Balance(250, 0, 0)
    refused("ledger.key_reused", services.post, actor=job, reservation_id=held, amount=251, key="p1")
    refused("ledger.resolved", services.post, actor=job, reservation_id=held, amount=250, key="p2")
    refused("ledger.resolved", services.void, actor=job, reservation_id=held, key="v")
    assert [t.phase for t in selectors.transfers_of(actor=job, reference="o:1")] == ["reserve", "post"]
    assert findings() == {}


def test_void_releases(job, rich, open_):
    other = open_()
    held = services.reserve(actor=job, debit=rich, credit=other, amount=600, key="r1", kind="hold")
    voided = services.void(actor=job, reservation_id=held, key="v", reason="cancelled")
    assert services.void(actor=job, reservation_id=held, key="v", reason="cancelled") == voided
    assert selectors.balance(actor=job, account_id=rich) == selectors.Balance(1000, 0, 0)
    refused("ledger.resolved", services.post, actor=job, reservation_id=held, key="p")
    assert OpenReservation.objects.count() == 0


def test_expiry_releases_what_is_due_only(job, rich, open_):
    other = open_()
    due = services.reserve(actor=job, debit=rich, credit=other, amount=100, key="a", kind="hold", expires_at=NOON)
    later = services.reserve(
        actor=job, debit=rich, credit=other, amount=200, key="b", kind="hold", expires_at=NOON + timedelta(hours=1)
    )
    services.reserve(actor=job, debit=rich, credit=other, amount=300, key="c", kind="hold")
    refused("ledger.expired", services.post, actor=job, reservation_id=due, key="p", now=NOON)
    assert services.expire_due(actor=job, now=NOON - timedelta(seconds=1)) == 0
    assert services.expire_due(actor=job, now=NOON) == 1
    assert services.expire_due(actor=job, now=NOON) == 0
    refused("ledger.resolved", services.post, actor=job, reservation_id=due, key="p", now=NOON)
    services.post(actor=job, reservation_id=later, key="p", now=NOON)
    assert selectors.balance(actor=job, account_id=rich) == selectors.Balance(800, 300, 0)
    assert Transfer.objects.get(pending_id=due).phase == "expire"
    assert findings() == {}


def test_correction_reverses_at_most_the_original(job, rich, open_):
    other = open_()
    made = services.transfer(actor=job, debit=rich, credit=other, amount=300, key="t", kind="pay", reference="o:1")
    refused("ledger.reason_missing", services.correct, actor=job, transfer_id=made, key="c1", reason="")
    services.correct(actor=job, transfer_id=made, amount=100, key="c1", reason="price_wrong")
    services.transfer(actor=job, debit=rich, credit=other, amount=100, key="t2", kind="pay")  # enough to take 201 from
    refused(
        "ledger.over_corrected",
        services.correct,
        actor=job,
        transfer_id=made,
        amount=201,
        key="c2",
        reason="price_wrong",
    )
    refused("ledger.over_corrected", services.correct, actor=job, transfer_id=made, key="c2", reason="price_wrong")
    fixed = services.correct(actor=job, transfer_id=made, amount=200, key="c2", reason="visit_void")
    assert services.correct(actor=job, transfer_id=made, amount=200, key="c2", reason="visit_void") == fixed
    assert selectors.balance(actor=job, account_id=rich).posted == 900
    row = Transfer.objects.get(pk=fixed)
    assert (row.debit_id, row.credit_id, row.corrects_id, row.kind, row.reference) == (other, rich, made, "pay", "o:1")
    with pytest.raises(NotVisible):  # a correction is not corrected: make a new transfer
        services.correct(actor=job, transfer_id=fixed, key="c3", reason="x")
    assert findings() == {}


def test_a_correction_cannot_overdraw_who_has_spent_it(job, rich, open_):
    other, third = open_(), open_()
    made = services.transfer(actor=job, debit=rich, credit=other, amount=300, key="t", kind="pay")
    services.transfer(actor=job, debit=other, credit=third, amount=300, key="t2", kind="pay")
    refused("ledger.insufficient", services.correct, actor=job, transfer_id=made, key="c", reason="x")


def test_wrong_input_is_refused(job, rich, open_):
    minutes, other = open_(unit="minute"), open_()
    call = {"actor": job, "debit": rich, "credit": other, "amount": 1, "key": "k", "kind": "x"}
    refused("ledger.unit", services.transfer, **{**call, "credit": minutes})
    refused("ledger.same_account", services.transfer, **{**call, "credit": rich})
    for amount in (-1, 1.5, True, "1", 2**63):
        refused("ledger.amount", services.transfer, **{**call, "amount": amount})
    before = snapshot()
    with pytest.raises(NotVisible):
        services.transfer(**{**call, "credit": 999_999})
    with pytest.raises(NotVisible):
        services.post(actor=job, reservation_id=999_999, key="k")
    for key in ("", "x" * 121):
        with pytest.raises(Invalid):
            services.transfer(**{**call, "key": key})
    assert snapshot() == before
    assert services.transfer(**{**call, "amount": 0}) > 0


def test_an_amount_beyond_the_range_is_refused(job, open_):
    world, other = open_(floor=None), open_()
    services.transfer(actor=job, debit=world, credit=other, amount=2**63 - 1, key="a", kind="x")
    refused("ledger.amount", services.transfer, actor=job, debit=world, credit=other, amount=2, key="b", kind="x")


def test_closed_accounts_refuse(job, rich, open_):
    other = open_()
    services.transfer(actor=job, debit=rich, credit=other, amount=5, key="t", kind="x")
    refused("ledger.not_empty", services.close_account, actor=job, account_id=other)
    services.transfer(actor=job, debit=other, credit=rich, amount=5, key="t2", kind="x")
    held = services.reserve(actor=job, debit=rich, credit=other, amount=5, key="r", kind="x")
    refused("ledger.not_empty", services.close_account, actor=job, account_id=other)
    services.void(actor=job, reservation_id=held, key="v")
    services.close_account(actor=job, account_id=other)
    pay = {"actor": job, "debit": rich, "credit": other, "key": "u", "kind": "x"}
    for amount in (0, 5):
        refused("ledger.closed", services.transfer, **pay, amount=amount)
        refused("ledger.closed", services.reserve, **pay, amount=amount)
    with pytest.raises(Refused) as caught:
        services.transfer_batch(actor=job, moves=[Move(rich, other, 5, "u")], kind="x")
    assert caught.value.code == "ledger.closed"


def test_limits_change_only_when_the_balance_fits(job, rich):
    refused("ledger.ceiling", services.set_limits, actor=job, account_id=rich, floor=0, ceiling=999)
    refused("ledger.insufficient", services.set_limits, actor=job, account_id=rich, floor=1001, ceiling=None)
    services.set_limits(actor=job, account_id=rich, floor=500, ceiling=1000)
    assert Account.objects.values_list("floor", "ceiling").get(pk=rich) == (500, 1000)


def test_batch_is_all_or_nothing_and_can_be_repeated(job, rich, open_):
    a, b = open_(), open_(ceiling=10)
    moves = [Move(rich, a, 100, "m1", "p:1"), Move(rich, b, 10, "m2", "p:2"), Move(a, rich, 40, "m3")]
    made = services.transfer_batch(actor=job, moves=moves, kind="issue", effective_on=date(2026, 3, 1))
    assert made == sorted(made)
    assert len(set(made)) == 3
    assert [selectors.balance(actor=job, account_id=x).posted for x in (rich, a, b)] == [930, 60, 10]
    assert services.transfer_batch(actor=job, moves=moves, kind="issue", effective_on=date(2026, 3, 1)) == made
    more = [*moves, Move(rich, a, 1, "m4")]
    again = services.transfer_batch(actor=job, moves=more, kind="issue", effective_on=date(2026, 3, 1))
    assert again[:3] == made
    refuse = {"actor": job, "kind": "issue"}
    refused(
        "ledger.key_reused", services.transfer_batch, moves=[Move(rich, a, 7, "m9"), Move(rich, a, 101, "m1")], **refuse
    )
    refused("ledger.ceiling", services.transfer_batch, moves=[Move(rich, a, 7, "m9"), Move(rich, b, 1, "m8")], **refuse)
    refused(
        "ledger.insufficient",
        services.transfer_batch,
        moves=[Move(rich, a, 500, "m9"), Move(rich, a, 500, "m8")],
        **refuse,
    )
    refused("ledger.unit", services.transfer_batch, moves=[Move(rich, open_(unit="point"), 1, "m9")], **refuse)
    refused("ledger.same_account", services.transfer_batch, moves=[Move(rich, rich, 1, "m9")], **refuse)
    assert services.transfer_batch(actor=job, moves=[], kind="issue") == []
    # single and batch agree about what the same input is
    call = {
        "actor": job,
        "debit": rich,
        "credit": a,
        "amount": 1,
        "key": "m4",
        "kind": "issue",
        "effective_on": date(2026, 3, 1),
    }
    assert services.transfer(**call) == again[3]
    assert findings() == {}


def test_statement_orders_by_effective_date_and_ends_at_the_balance(job, rich, open_):
    other = open_()
    pay = {"actor": job, "debit": rich, "credit": other, "kind": "pay"}
    services.transfer(**pay, amount=10, key="1", effective_on=date(2026, 2, 27))
    services.transfer(**pay, amount=30, key="2", effective_on=date(2026, 3, 5))
    services.transfer(**pay, amount=20, key="3", effective_on=date(2026, 3, 1))
    held = services.reserve(**pay, amount=5, key="4", effective_on=date(2026, 3, 6))
    services.post(actor=job, reservation_id=held, key="5", effective_on=date(2026, 3, 31))
    wrong = services.transfer(**pay, amount=2, key="6", effective_on=date(2026, 4, 1))
    services.correct(actor=job, transfer_id=wrong, key="7", reason="wrong", effective_on=date(2026, 3, 31))
    found = selectors.statement(actor=job, account_id=other, since=date(2026, 3, 1), until=date(2026, 3, 31))
    assert (found.opening, found.closing) == (10, 63)
    assert [(line.effective_on.day, line.amount, line.running) for line in found.lines] == [
        (1, 20, 30),
        (5, 30, 60),
        (31, 5, 65),
        (31, -2, 63),
    ]
    assert selectors.balance_on(actor=job, account_id=other, day=date(2026, 3, 4)) == 30
    assert selectors.balance_on(actor=job, account_id=other, day=date(2026, 4, 2)) == 65
    assert (
        selectors.balance_on(actor=job, account_id=other, day=date(2026, 4, 2), known=NOON - timedelta(days=9999)) == 0
    )


# ---------------------------------------------------------------- who may
def test_nobody_writes_the_tables_directly(job, rich):
    made = Transfer.objects.get(key="seed")
    for audience in Audience:
        actor = Actor(audience=audience, path=ROOT_PATH, name="x", subject_id=1)
        for sql in (
            "UPDATE ledger_account SET balance = 5",
            "DELETE FROM ledger_transfer",
            "INSERT INTO ledger_openreservation (transfer_id, debit_id, credit_id, amount) VALUES (1, 1, 2, 3)",
        ):
            with (
                scope(actor),
                pytest.raises(ProgrammingError, match="permission denied"),
                transaction.atomic(),
                connection.cursor() as c,
            ):
                c.execute(sql)
    for change in (
        lambda: Transfer.objects.update(amount=1),
        lambda: made.delete(),
        lambda: Account.objects.all()._raw_delete("default"),
    ):  # the owner, by accident
        with pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
            change()
    assert Transfer.objects.get(key="seed").amount == 1000


def test_the_functions_need_a_scope_of_staff_or_job(rich, open_, regions):
    other = open_()
    sql = "SELECT * FROM sangyu.ledger_move('transfer', %s, %s, 1, 'k', 'x', '', '', NULL, NULL, NULL)"
    with (
        pytest.raises(ProgrammingError, match="scope of staff or job"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, [rich, other])
    family = Actor(audience=Audience.FAMILY, path=ROOT_PATH, name="daughter", subject_id=5)
    with (
        scope(family),
        pytest.raises(ProgrammingError, match="scope of staff or job"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, [rich, other])
    with scope(family), as_system("test"):
        services.transfer(actor=family, debit=rich, credit=other, amount=1, key="k", kind="x")
    assert Transfer.objects.get(key="k").actor == "daughter"


def test_who_takes_must_have_the_account_in_scope(job, staff, regions, open_):
    fund = open_(path=regions["city"].path, floor=None)
    mine, foreign = open_(path=regions["a_one"].path), open_(path=regions["b_one"].path)
    services.transfer(actor=staff("city"), debit=fund, credit=mine, amount=50, key="1", kind="x")
    services.transfer(actor=staff("a"), debit=mine, credit=foreign, amount=20, key="2", kind="x")
    before = snapshot()
    with pytest.raises(NotVisible):
        services.transfer(actor=staff("a"), debit=foreign, credit=mine, amount=1, key="3", kind="x")
    with pytest.raises(NotVisible):
        services.transfer_batch(actor=staff("a"), moves=[Move(foreign, mine, 1, "3")], kind="x")
    with pytest.raises(NotVisible):
        services.close_account(actor=staff("a"), account_id=foreign)
    with pytest.raises(NotVisible):
        selectors.balance(actor=staff("a"), account_id=foreign)
    with pytest.raises(ProgrammingError), transaction.atomic():
        services.open_account(
            actor=staff("a"), owner_kind="t", owner_id=1, unit="fen", purpose="x", path=regions["b_one"].path
        )
    assert snapshot() == before


def test_rows_are_seen_by_scope(job, staff, regions, open_):
    provider_account = open_(owner_kind="organisation", owner_id=7, path=regions["b"].path)
    worker_account = open_(owner_kind="worker", owner_id=7, path=regions["b"].path)
    person_account = open_(path=regions["a_one"].path, person_id=41, floor=None)
    services.transfer(actor=job, debit=person_account, credit=provider_account, amount=9, key="1", kind="x")
    services.reserve(actor=job, debit=person_account, credit=worker_account, amount=2, key="2", kind="x")
    with connection.cursor() as cursor:
        cursor.execute("SELECT sangyu.share('family', 5, 'vouchers', 41, %s, NULL, 'consent')", [regions["a"].path])

    def of(audience, subject):
        return Actor(audience=audience, path=regions["city"].path, name="x", subject_id=subject)

    everything = [person_account, provider_account, worker_account]
    for actor, accounts, keys in (
        (staff("city"), everything, ["1", "2"]),
        (staff("a"), [person_account], ["1", "2"]),
        (staff("a_two"), [], []),
        (of(Audience.PROVIDER, 7), [provider_account], ["1"]),
        (of(Audience.PROVIDER, 8), [], []),
        (of(Audience.WORKER, 7), [worker_account], ["2"]),
        (of(Audience.FAMILY, 5), [person_account], ["1", "2"]),
        (of(Audience.FAMILY, 7), [], []),
    ):
        plain = sorted(Account.objects.visible_to(actor).values_list("pk", flat=True))
        plain_keys = sorted(Transfer.objects.visible_to(actor).values_list("key", flat=True))
        with scope(actor):
            assert sorted(Account.objects.values_list("pk", flat=True)) == plain == sorted(accounts), actor
            assert sorted(Transfer.objects.values_list("key", flat=True)) == plain_keys == keys, actor
            assert OpenReservation.objects.count() == keys.count("2")


def test_checks_find_what_is_wrong(job, rich, open_):
    other = open_()
    held = services.reserve(actor=job, debit=rich, credit=other, amount=1, key="r", kind="x")
    Account.objects.filter(pk=other).update(balance=3)
    OpenReservation.objects.filter(pk=held).delete()
    found = findings()
    assert found["ledger.sum_zero"] == ["unit fen: balances sum to 3, not 0"]
    assert found["ledger.balances"] == [
        f"account {other}: balance 3, transfers say 0",
        f"account {rich}: reserved 1/0, open reservations say 0/0",
        f"account {other}: reserved 0/1, open reservations say 0/0",
    ]
    assert found["ledger.transfers"] == [f"reservation {held}: open and ended, or neither"]
