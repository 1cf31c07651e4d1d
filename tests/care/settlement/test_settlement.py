"""Period close and statements: the Need road's end (issue 2 §3), to the fen."""

import io
import re
from datetime import date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils.timezone import make_aware
from python_calamine import CalamineWorkbook

from sangyu.care.orders import services as orders
from sangyu.care.orders.enums import Channel
from sangyu.care.orders.models import Order
from sangyu.care.settlement import documents, selectors, services
from sangyu.care.settlement.enums import LineKind, State
from sangyu.care.settlement.models import Statement, StatementLine
from sangyu.care.vouchers import services as vouchers
from sangyu.kernel import checks
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.ledger.models import Account
from sangyu.kernel.permissions import every_permission
from sangyu.kernel.scoping import scope
from support.clients import client_as

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)
CLOSE = make_aware(datetime(2026, 11, 3, 9, 0))


@pytest.fixture
def finance(staff):
    """Two finance officers of county A."""

    def officer(account):
        base = staff("a", role="finance")
        return Actor(
            Audience.STAFF,
            base.path,
            f"财务{account}",
            account_id=account,
            role="finance",
            permissions=base.permissions,
        )

    return officer(1), officer(2)


@pytest.fixture
def voucher(world, staff):
    """A voucher of 50 yuan for cleaning."""
    programme = vouchers.publish_programme(
        actor=staff("a"), region_id=world.region.pk, path=world.region.path, name="服务券", face_amount=5000,
        valid_from=date(2026, 1, 1), categories=["cleaning"], validity="year",
    )  # fmt: skip
    vouchers.issue(
        actor=staff("a"), programme_id=programme.pk, person_ids=[world.person.pk], day=date(2026, 10, 1),
        region_id=world.region.pk, path=world.region.path,
    )  # fmt: skip


def visit(world, *, days=3, confirmed=None):
    """A confirmed cleaning visit: market 60 yuan, concession 25 %, the voucher pays what it holds, the rest self."""
    start = world.now + timedelta(days=days, hours=6)
    order = orders.request_and_receive(
        actor=world.desk, person_id=world.person.pk, item_code="cleaning", planned_start=start,
        channel=Channel.HOTLINE, requested_by="女儿", now=world.now,
    )  # fmt: skip
    orders.offer(
        actor=world.desk, order_id=order.pk, organisation_id=world.organisation.pk, worker_id=world.cleaner.pk,
        now=world.now,
    )  # fmt: skip
    orders.accept(actor=world.manager, order_id=order.pk, now=world.now + timedelta(minutes=5))
    worker = Actor(
        Audience.WORKER, world.desk.path, "何永强", subject_id=world.cleaner.pk, permissions=every_permission()
    )
    orders.depart(actor=worker, order_id=order.pk, now=start - timedelta(minutes=20))
    orders.arrive(actor=worker, order_id=order.pk, latitude=40.661, longitude=122.231, accuracy=10, now=start)
    orders.finish(actor=worker, order_id=order.pk, now=start + timedelta(minutes=118))
    orders.confirm(
        actor=world.desk, order_id=order.pk, rating=5, on_behalf_of="女儿", now=confirmed or start + timedelta(hours=3)
    )
    return Order.objects.get(pk=order.pk)


def draft(actor, world, **changes):
    call = {"region_id": world.region.pk, "organisation_id": world.organisation.pk, "period": OCTOBER, "now": CLOSE}
    return services.draft(actor=actor, **{**call, **changes})


def held(kind, purpose):
    return list(Account.objects.filter(owner_kind=kind, purpose=purpose).values_list("balance", flat=True))


def findings():
    with connection.cursor() as cursor:
        found = checks.run(cursor)
    return {n: f for n, f in found.items() if f and n.split(".")[0] in {"ledger", "vouchers", "settlement"}}


def test_the_whole_road_from_visits_to_payment(world, voucher, finance):
    one, two = finance
    first, second = visit(world), visit(world, days=5)
    assert (first.market_price, first.concession, first.voucher_amount, first.self_pay) == (6000, 1500, 4500, 0)
    assert (second.market_price, second.concession, second.voucher_amount, second.self_pay) == (6000, 1500, 500, 4000)
    assert held("organisation", "earned") == [5000]
    statement = draft(one, world)
    assert re.fullmatch(r"JS20261101-210802-\d{4}", statement.number)
    statement = services.freeze(actor=one, statement_id=statement.pk, now=CLOSE)
    assert (statement.line_count, statement.price, statement.concession) == (2, 12000, 3000)
    assert (statement.voucher, statement.public_pay, statement.self_pay, statement.payable) == (5000, 0, 4000, 5000)
    assert set(Order.objects.values_list("state", "statement_id")) == {("settled", statement.pk)}
    assert [line.person_masked for line in selectors.lines(statement)] == ["王*", "王*"]
    services.confirm(actor=world.manager, statement_id=statement.pk, now=CLOSE)
    with pytest.raises(Refused) as caught:
        services.approve(actor=one, statement_id=statement.pk, now=CLOSE)
    assert caught.value.code == "settlement.four_eyes"
    with pytest.raises(Refused):
        services.pay(actor=two, statement_id=statement.pk, now=CLOSE)
    services.approve(actor=two, statement_id=statement.pk, now=CLOSE)
    services.pay(actor=one, statement_id=statement.pk, now=CLOSE)
    with pytest.raises(Refused):
        services.pay(actor=one, statement_id=statement.pk, now=CLOSE)
    assert (held("fund", "service_purchase"), held("organisation", "settled")) == ([-5000], [5000])
    assert (held("organisation", "earned"), held("fund", "redeemed")) == ([0], [5000])
    assert findings() == {}


def test_what_is_confirmed_late_goes_to_the_next_period(world, finance):
    one, _two = finance
    visit(world)
    late = visit(world, days=5, confirmed=make_aware(datetime(2026, 11, 1, 0, 0)))
    statement = services.freeze(actor=one, statement_id=draft(one, world).pk, now=CLOSE)
    assert statement.line_count == 1
    december = make_aware(datetime(2026, 12, 2, 9, 0))
    following = draft(one, world, period=date(2026, 11, 1), now=december)
    assert [line.order_id for line in selectors.lines(following)] == [late.pk]


def test_disputed_visits_wait_and_refunds_are_negative_lines(world, voucher, finance, staff):
    one, two = finance
    order = visit(world)
    disputed = visit(world, days=5)
    orders.dispute(actor=world.desk, order_id=disputed.pk, reason="没来", now=CLOSE)
    statement = services.freeze(actor=one, statement_id=draft(one, world).pk, now=CLOSE)
    assert [line.order_id for line in selectors.lines(statement)] == [order.pk]
    services.confirm(actor=world.manager, statement_id=statement.pk, now=CLOSE)
    services.approve(actor=two, statement_id=statement.pk, now=CLOSE)
    services.pay(actor=two, statement_id=statement.pk, now=CLOSE)
    assert held("organisation", "earned") == [500]
    later = make_aware(datetime(2026, 11, 20, 9, 0))
    orders.resolve(actor=world.desk, order_id=disputed.pk, upheld=False, reason="有照片", now=later)
    orders.refund(
        actor=staff("a"), order_id=disputed.pk, voucher_amount=200, self_pay=1000, reason="少做", key="r1", now=later
    )
    december = make_aware(datetime(2026, 12, 2, 9, 0))
    following = draft(one, world, period=date(2026, 11, 1), now=december)
    following = services.freeze(actor=one, statement_id=following.pk, now=december)
    lines = [(line.kind, line.price, line.voucher, line.self_pay) for line in following.lines.order_by("id")]
    assert lines == [("visit", 6000, 500, 4000), ("refund", -1200, -200, -1000)]
    assert (following.payable, following.self_pay) == (300, 3000)
    services.confirm(actor=world.manager, statement_id=following.pk, now=december)
    services.approve(actor=two, statement_id=following.pk, now=december)
    services.pay(actor=two, statement_id=following.pk, now=december)
    assert (held("organisation", "earned"), held("organisation", "settled")) == ([0], [4800])
    assert findings() == {}


def test_an_objection_returns_and_an_adjustment_answers(world, voucher, finance):
    one, two = finance
    visit(world)
    statement = services.freeze(actor=one, statement_id=draft(one, world).pk, now=CLOSE)
    with pytest.raises(Invalid):
        services.object_to(actor=world.manager, statement_id=statement.pk, reason=" ")
    services.object_to(actor=world.manager, statement_id=statement.pk, reason="少算交通补贴", now=CLOSE)
    assert Statement.objects.get(pk=statement.pk).objection == "少算交通补贴"
    with pytest.raises(Refused):
        services.confirm(actor=world.manager, statement_id=statement.pk)
    answered = services.answer(
        actor=two, statement_id=statement.pk, reason="补交通费", adjustment=800, day=date(2026, 11, 4), now=CLOSE
    )
    assert (answered.state, answered.payable, answered.frozen_by) == (State.FROZEN, 5300, two.name)
    assert StatementLine.objects.filter(kind=LineKind.ADJUSTMENT).count() == 1
    services.confirm(actor=world.manager, statement_id=statement.pk, now=CLOSE)
    services.approve(actor=one, statement_id=statement.pk, now=CLOSE)
    assert findings() == {}


def test_the_database_keeps_a_frozen_statement_equal_to_its_lines(world, finance):
    one, _two = finance
    visit(world)
    statement = services.freeze(actor=one, statement_id=draft(one, world).pk, now=CLOSE)
    line = statement.lines.get()
    for change in (
        lambda: Statement.objects.filter(pk=statement.pk).update(price=1, self_pay=1, concession=0, public_pay=0),
        lambda: Statement.objects.filter(pk=statement.pk).update(approved_at=CLOSE, state="approved"),
        lambda: StatementLine.objects.filter(pk=line.pk).update(minutes=1),
        lambda: StatementLine.objects.filter(pk=line.pk).delete(),
        lambda: StatementLine.objects.create(
            statement=statement, kind="adjustment", day=OCTOBER, price=1, public_pay=1, note="x"
        ),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert findings() == {}


def test_drafts_are_refused_discarded_and_made_once(world, finance, staff, regions):
    one, _two = finance
    for code, changes in (
        ("settlement.period_open", {"now": make_aware(datetime(2026, 10, 31, 23, 59))}),
        ("settlement.nothing", {}),
    ):
        with pytest.raises(Refused) as caught:
            draft(one, world, **changes)
        assert caught.value.code == code
    visit(world)
    first = draft(one, world)
    with pytest.raises(Refused) as caught:
        draft(one, world)
    assert caught.value.code == "settlement.exists"
    with pytest.raises(Refused) as caught:  # the city drafts the same visits
        draft(staff("city"), world, region_id=regions["city"].pk)
    assert caught.value.code == "settlement.elsewhere"
    call = {"region_id": world.region.pk, "organisation_ids": [world.organisation.pk], "period": OCTOBER, "now": CLOSE}
    assert services.close_period(actor=one, **call)["made"] == []
    services.discard(actor=one, statement_id=first.pk, reason="重做", now=CLOSE)
    assert StatementLine.objects.count() == 0
    assert len(services.close_period(actor=one, **call)["made"]) == 1
    assert Order.objects.get().state == "confirmed"


def test_who_sees_and_may(world, finance, staff):
    one, _two = finance
    visit(world)
    statement = draft(one, world)
    with scope(world.manager), pytest.raises(NotVisible):
        selectors.get_statement(world.manager, statement.pk)
    with pytest.raises(NotVisible):
        services.confirm(actor=world.manager, statement_id=statement.pk)
    services.freeze(actor=one, statement_id=statement.pk, now=CLOSE)
    with scope(world.manager):
        assert selectors.get_statement(world.manager, statement.pk).line_count == 1
        assert selectors.waiting(world.manager).count() == 1
    other = Actor(
        Audience.PROVIDER, world.manager.path, "他机构", subject_id=999, permissions=world.manager.permissions
    )
    for stranger in (other, staff("b")):
        with pytest.raises(NotVisible):
            services.confirm(actor=stranger, statement_id=statement.pk)
        with scope(stranger):
            assert (Statement.objects.count(), StatementLine.objects.count()) == (0, 0)
    with pytest.raises(Forbidden):
        services.approve(actor=staff("a", permissions=()), statement_id=statement.pk)
    assert Statement.objects.get().state == State.FROZEN


def test_paper_and_workbook_equal_the_statement(world, voucher, finance):
    one, _two = finance
    visit(world)
    visit(world, days=5)
    statement = services.freeze(actor=one, statement_id=draft(one, world).pk, now=CLOSE)
    made = documents.statement_pdf(statement, now=CLOSE)
    assert made.startswith(b"%PDF-")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(documents.statement_xlsx(statement))).get_sheet_by_index(0)
    rows = sheet.to_python()
    assert rows[0][0].endswith(statement.number)
    assert [r[2] for r in rows[3:5]] == [line.number for line in selectors.lines(statement)]
    assert rows[5][6:] == [120.0, 30.0, 50.0, 0.0, 40.0]
    assert sum(r[8] for r in rows[3:5]) == 50.0


def test_screens(world, voucher, staff, finance, monkeypatch):
    visit(world)
    one, two = finance
    desk = client_as(one, monkeypatch)
    assert desk.get(reverse("settlement:close")).status_code == 200
    form = {"region": f"{world.region.full_name} {world.region.code}", "period": "2026-10-15"}
    monkeypatch.setattr("django.utils.timezone.now", lambda: CLOSE)
    assert desk.post(reverse("settlement:close"), form).status_code == 303
    assert desk.post(reverse("settlement:close"), {**form, "period": "2026-09-15"}).status_code == 409
    statement = Statement.objects.get()
    for name, args in (
        ("list", []),
        ("detail", [statement.pk]),
        ("freeze", [statement.pk]),
        ("pdf", [statement.pk]),
        ("xlsx", [statement.pk]),
    ):
        assert (name, desk.get(reverse(f"settlement:{name}", args=args)).status_code) == (name, 200)

    def post(client, name, data=None):
        assert client.post(reverse(f"settlement:{name}", args=[statement.pk]), data or {}).status_code in (204, 303)
        statement.refresh_from_db()
        return statement.state

    assert post(desk, "freeze") == "frozen"
    manager = client_as(world.manager, monkeypatch)
    assert manager.get(reverse("settlement:detail", args=[statement.pk])).status_code == 200
    assert post(manager, "object", {"reason": "少算"}) == "objected"
    desk = client_as(one, monkeypatch)
    assert post(desk, "answer", {"reason": "补差", "adjustment": "-3.50"}) == "frozen"
    assert statement.public_pay == -350
    assert post(client_as(world.manager, monkeypatch), "confirm") == "confirmed"
    colleague = client_as(two, monkeypatch)
    assert post(colleague, "approve") == "approved"
    assert post(colleague, "pay") == "paid"
    assert findings() == {}
