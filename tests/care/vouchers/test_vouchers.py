"""Service vouchers: R-050 (issue, hold, spend, expire, cancel, reissue) and R-069 (rules of use)."""

from datetime import date

import pytest
from django.db import connection

from sangyu.care.vouchers import selectors, services
from sangyu.care.vouchers.enums import RefusedUse, State
from sangyu.care.vouchers.models import Issue, Voucher, VoucherLog
from sangyu.care.vouchers.serials import check_digit, is_serial
from sangyu.kernel import checks
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.ledger import selectors as ledger
from sangyu.kernel.ledger.models import Account, Transfer
from sangyu.kernel.scoping import scope
from sangyu.registry.people.enums import Part
from sangyu.registry.people.sharing import share_file
from support.world import make_person

pytestmark = pytest.mark.django_db
DAY = date(2026, 10, 14)
JOB = Actor.job("test")


@pytest.fixture
def bureau(staff):
    return staff("a")


@pytest.fixture
def publish(bureau, world):
    """Factory: a programme of county A, 300 yuan a month for cleaning and bathing."""

    def make(**changes):
        terms = {
            "name": "居家养老服务券",
            "face_amount": 30000,
            "valid_from": date(2026, 1, 1),
            "categories": ["cleaning", "bathing"],
        }
        return services.publish_programme(
            actor=bureau, region_id=world.region.pk, path=world.region.path, **{**terms, **changes}
        )

    return make


@pytest.fixture
def give(bureau, world):
    """Factory: issue a programme's voucher to the elder; answers the voucher."""

    def make(programme, day=DAY, paper=False, person=None):
        person = person or world.person
        made = services.issue(
            actor=bureau, programme_id=programme.pk, person_ids=[person.pk], day=day, region_id=world.region.pk,
            path=world.region.path, paper=paper,
        )  # fmt: skip
        return Voucher.objects.get(issue=made)

    return make


def money(voucher):
    account = Account.objects.get(pk=voucher.account_id)
    return account.balance, account.reserved_out


def on(kind, purpose):
    return list(Account.objects.filter(owner_kind=kind, purpose=purpose).values_list("balance", flat=True))


def findings():
    with connection.cursor() as cursor:
        return {
            name: found
            for name, found in checks.run(cursor).items()
            if found and name.split(".")[0] in {"ledger", "vouchers"}
        }


def usable(world, item=None, day=DAY, **kwargs):
    return [
        (u.voucher_id, u.amount)
        for u in selectors.usable(
            actor=world.desk, person_id=world.person.pk, item=item or world.cleaning, day=day, **kwargs
        )
    ]


def refusals(world, item=None, day=DAY, **kwargs):
    found = selectors.explain(
        actor=world.desk, person_id=world.person.pk, item=item or world.cleaning, day=day, **kwargs
    )
    assert found.usable == []
    return [r.reason for r in found.refused]


def test_issue_to_many_is_set_based_and_never_twice(
    publish, bureau, world, regions, django_assert_max_num_queries, staff
):
    """R-050"""
    programme = publish()
    persons = [
        make_person(
            regions["a_one"], birth=date(1950, 1, 1), living="alone", care_level="1", income_category="near_minimum"
        )
        for _ in range(12)
    ]
    dead, foreign = persons[0], persons[1]
    type(dead).objects.filter(pk=dead.pk).update(died_on=date(2026, 10, 1))
    type(foreign).objects.filter(pk=foreign.pk).update(path=regions["b_one"].path, region=regions["b_one"])
    call = {
        "actor": bureau, "programme_id": programme.pk, "person_ids": [p.pk for p in persons], "day": DAY,
    }  # fmt: skip
    plan = services.preview_issue(**call)
    assert (plan.count, plan.total, plan.valid_to) == (10, 300_000, date(2026, 11, 1))
    assert [s[0] for s in plan.skipped] == [dead.pk, foreign.pk]
    assert Voucher.objects.count() == 0
    call |= {"region_id": world.region.pk, "path": world.region.path, "paper": True}
    with django_assert_max_num_queries(60):
        made = services.issue(**call)
    vouchers = list(Voucher.objects.filter(issue=made).select_related("account"))
    assert (made.count, made.total) == (10, 300_000)
    assert {(v.amount, v.available, v.valid_from, v.valid_to) for v in vouchers} == {
        (30000, 30000, date(2026, 10, 1), date(2026, 11, 1))
    }
    assert len({v.serial for v in vouchers}) == 10
    assert all(is_serial(v.serial) for v in vouchers)
    assert on("voucher_programme", "issued") == [-300_000]
    with pytest.raises(Refused) as caught:
        services.issue(**call)
    assert caught.value.code == "vouchers.nobody"
    assert Issue.objects.count() == 1
    assert findings() == {}


def test_hold_spend_and_refund_to_the_fen(publish, give, world):
    """Several vouchers on one order, the first to expire first; the provider earns; a refund goes back."""
    late = give(publish(name="年券", validity="year", face_amount=20000))
    soon = give(publish())
    splits = usable(world, amount=35000)
    assert splits == [(soon.pk, 30000), (late.pk, 5000)]
    held = services.hold(
        actor=world.desk, order_ref="DD1#1", person_id=world.person.pk, splits=splits, key="DD1#1:hold"
    )
    again = services.hold(
        actor=world.desk, order_ref="DD1#1", person_id=world.person.pk, splits=splits, key="DD1#1:hold"
    )
    assert held == again
    assert (money(soon), money(late)) == ((30000, 30000), (20000, 5000))
    assert usable(world) == [(late.pk, 15000)]
    spend = {
        "actor": world.family,
        "order_ref": "DD1#1",
        "organisation_id": world.organisation.pk,
        "key": "DD1#1:spend",
    }
    assert services.spend(**spend) == 35000
    assert services.spend(**spend) == 35000
    assert (money(soon), money(late)) == ((0, 0), (15000, 0))
    assert (on("organisation", "earned"), on("voucher_programme", "spent")) == ([35000], [0, 0])
    refund = {"actor": world.desk, "order_ref": "DD1#1", "reason": "visit cut short", "key": "DD1:r1"}
    assert services.refund(**refund, amount=6000) == 6000
    assert services.refund(**refund, amount=6000) == 6000
    assert (money(soon), money(late)) == ((1000, 0), (20000, 0))
    assert on("organisation", "earned") == [29000]
    with pytest.raises(Refused) as caught:
        services.refund(actor=world.desk, order_ref="DD1#1", amount=29001, reason="x", key="DD1:r2")
    assert caught.value.code == "vouchers.refund_too_high"
    assert on("organisation", "earned") == [29000]
    assert {t.actor for t in Transfer.objects.filter(kind="voucher.earn", phase="transfer")} == {"李建华"}
    assert findings() == {}


def test_part_spent_releases_the_rest_and_release_gives_all_back(publish, give, world):
    voucher = give(publish())
    who = {"actor": world.desk, "person_id": world.person.pk}
    services.hold(**who, order_ref="DD2#1", splits=[(voucher.pk, 12000)], key="a")
    services.hold(**who, order_ref="DD3#1", splits=[(voucher.pk, 10000)], key="b")
    assert services.release(actor=world.desk, order_ref="DD3#1") == 10000
    assert services.release(actor=world.desk, order_ref="DD3#1") == 0
    assert services.spend(
        actor=world.desk, order_ref="DD2#1", organisation_id=world.organisation.pk, amount=9000, key="s"
    ) == 9000  # fmt: skip
    assert money(voucher) == (21000, 0)
    for order, amount in (("DD2#1", None), ("DD9#1", None)):
        with pytest.raises(Refused) as caught:
            services.spend(
                actor=world.desk, order_ref=order, organisation_id=world.organisation.pk, amount=amount, key="t"
            )
        assert caught.value.code == "vouchers.not_held"
    assert findings() == {}


def test_a_hold_is_all_or_nothing(publish, give, world, regions):
    """R-069: no resale — a voucher serves its person only."""
    voucher = give(publish())
    other = make_person(
        regions["a_one"], birth=date(1950, 1, 1), living="alone", care_level="1", income_category="near_minimum"
    )
    before = Transfer.objects.count()
    for person, splits, code in (
        (other, [(voucher.pk, 1)], "vouchers.not_usable"),
        (world.person, [(voucher.pk, 1), (999_999, 1)], "vouchers.not_usable"),
        (world.person, [(voucher.pk, 30001)], "ledger.insufficient"),
    ):
        with pytest.raises(Refused) as caught:
            services.hold(actor=world.desk, order_ref="X#1", person_id=person.pk, splits=splits, key="x")
        assert caught.value.code == code
    assert (Transfer.objects.count(), money(voucher)) == (before, (30000, 0))


def test_rules_of_use_refuse_with_reasons(publish, give, world, bureau):
    """R-069: who may spend, where, on what, until when."""
    give(publish(name="仅助浴", categories=["bathing"]))
    assert refusals(world) == [RefusedUse.CATEGORY]
    assert len(usable(world, world.bathing)) == 1
    give(publish(name="仅一项", items=["rehab"], categories=[]))
    assert refusals(world)[1] == RefusedUse.ITEM
    give(publish(name="仅指定机构", organisations=[999]))
    assert refusals(world, organisation_id=world.organisation.pk)[2] == RefusedUse.ORGANISATION
    assert set(refusals(world, world.bathing, day=date(2026, 11, 1))) == {RefusedUse.EXPIRED}
    assert set(refusals(world, world.bathing, day=date(2026, 9, 30))) == {RefusedUse.NOT_YET}
    for v in Voucher.objects.all():
        services.report_loss(actor=bureau, voucher_id=v.pk, reason="遗失")
    assert refusals(world) == [RefusedUse.STATE] * 3


def test_the_cap_per_order_is_shared_by_vouchers_of_a_programme(publish, give, world):
    programme = publish(per_order_cap=40000, validity="quarter", unspent="roll_over", roll_over_months=3)
    first, second = give(programme, day=date(2026, 9, 1)), give(programme)
    Voucher.objects.filter(pk=first.pk).update(valid_to=date(2026, 12, 1))
    assert usable(world) == [(first.pk, 30000), (second.pk, 10000)]


def test_expiry_lapses_what_nobody_holds(publish, give, world):
    """R-050, O-5: lapse is the default; what an order holds waits for the order."""
    free, held = give(publish()), give(publish(name="二"))
    services.hold(actor=world.desk, order_ref="D#1", person_id=world.person.pk, splits=[(held.pk, 10000)], key="h")
    assert services.expire_due(actor=JOB, today=date(2026, 10, 31)) == {
        "expired": 0, "waiting": 0, "rolled_over": 0, "fen": 0,
    }  # fmt: skip
    first = services.expire_due(actor=JOB, today=date(2026, 11, 1))
    assert first == {"expired": 1, "waiting": 1, "rolled_over": 0, "fen": 50000}
    assert (money(free), money(held)) == ((0, 0), (10000, 10000))
    services.release(actor=world.desk, order_ref="D#1")
    again = services.expire_due(actor=JOB, today=date(2026, 11, 1))
    assert again == {"expired": 1, "waiting": 0, "rolled_over": 0, "fen": 10000}
    assert services.expire_due(actor=JOB, today=date(2026, 11, 1))["expired"] == 0
    assert set(Voucher.objects.values_list("state", flat=True)) == {State.EXPIRED}
    assert sorted(on("voucher_programme", "lapsed")) == [30000, 30000]
    assert VoucherLog.objects.filter(action="expire").count() == 2
    assert findings() == {}


def test_a_refund_to_an_expired_voucher_lapses_with_the_next_run(publish, give, world):
    voucher = give(publish())
    who = {"actor": world.desk, "order_ref": "D#1"}
    services.hold(**who, person_id=world.person.pk, splits=[(voucher.pk, 30000)], key="h")
    services.spend(**who, organisation_id=world.organisation.pk, key="s")
    services.expire_due(actor=JOB, today=date(2026, 11, 1))
    services.refund(**who, amount=5000, reason="poor work", key="r")
    assert money(voucher) == (5000, 0)
    assert services.expire_due(actor=JOB, today=date(2026, 11, 2))["fen"] == 5000
    assert money(voucher) == (0, 0)


def test_roll_over_keeps_the_rest_usable_once(publish, give, world):
    """O-5 as a parameter."""
    voucher = give(publish(unspent="roll_over", roll_over_months=2))
    assert services.expire_due(actor=JOB, today=date(2026, 11, 1))["rolled_over"] == 1
    assert usable(world, day=date(2026, 12, 31)) == [(voucher.pk, 30000)]
    ended = services.expire_due(actor=JOB, today=date(2027, 1, 1))
    assert (ended["expired"], ended["fen"]) == (1, 30000)


def test_lost_paper_is_replaced_with_what_was_left(publish, give, world, bureau):
    old = give(publish(), paper=True)
    who = {"actor": world.desk, "order_ref": "D#1"}
    services.hold(**who, person_id=world.person.pk, splits=[(old.pk, 12000)], key="h")
    with pytest.raises(Refused) as caught:
        services.reissue(actor=bureau, voucher_id=old.pk, today=DAY)
    assert caught.value.code == "workflow.edge"
    services.report_loss(actor=bureau, voucher_id=old.pk, reason="遗失")
    with pytest.raises(Refused) as caught:
        services.reissue(actor=bureau, voucher_id=old.pk, today=DAY)
    assert caught.value.code == "vouchers.held"
    assert Voucher.objects.get(pk=old.pk).state == State.LOST
    services.spend(**who, organisation_id=world.organisation.pk, key="s")
    new = services.reissue(actor=bureau, voucher_id=old.pk, today=DAY)
    assert (money(old), money(new)) == ((0, 0), (18000, 0))
    assert (new.valid_to, new.replaces_id) == (old.valid_to, old.pk)
    assert new.serial != old.serial
    assert is_serial(new.serial)
    assert usable(world) == [(new.pk, 18000)]
    assert findings() == {}


def test_found_again_and_cancelled(publish, give, world, bureau):
    voucher = give(publish())
    services.report_loss(actor=bureau, voucher_id=voucher.pk, reason="遗失")
    services.find(actor=bureau, voucher_id=voucher.pk)
    with pytest.raises(Invalid):
        services.cancel(actor=bureau, voucher_id=voucher.pk, reason=" ", today=DAY)
    services.cancel(actor=bureau, voucher_id=voucher.pk, reason="发放有误", today=DAY)
    assert (money(voucher), on("voucher_programme", "cancelled")) == ((0, 0), [30000])
    assert [log.action for log in VoucherLog.objects.filter(voucher=voucher)] == ["report_loss", "find", "cancel"]
    give(Voucher.objects.get(pk=voucher.pk).programme)  # a cancelled one does not block the period


def test_death_takes_back_what_no_order_holds(publish, give, world):
    free, held = give(publish()), give(publish(name="二"))
    services.hold(actor=world.desk, order_ref="D#1", person_id=world.person.pk, splits=[(held.pk, 1)], key="h")
    from sangyu.care.vouchers.handlers import cancel_after_death

    for _ in range(2):
        cancel_after_death(JOB, world.person.path, id=world.person.pk, on="2026-10-20")
    assert [Voucher.objects.get(pk=v.pk).state for v in (free, held)] == [State.CANCELLED, State.ACTIVE]


def test_twelve_months_balance(publish, give, world):
    """R-050: the ledger balances after 12 months with expiry and refund."""
    programme = publish()
    for month in range(1, 13):
        day = date(2026, month, 5)
        voucher = give(programme, day=day)
        order = {"actor": JOB, "order_ref": f"M{month}#1"}
        services.hold(**order, person_id=world.person.pk, splits=[(voucher.pk, 10000 + month)], key=f"h{month}")
        services.spend(**order, organisation_id=world.organisation.pk, key=f"s{month}")
        if month % 3 == 0:
            services.refund(**order, amount=1000, reason="refund", key=f"r{month}")
        services.expire_due(actor=JOB, today=date(2026 + month // 12, month % 12 + 1, 1))
    spent = sum(10000 + m for m in range(1, 13)) - 4000
    assert on("voucher_programme", "issued") == [-12 * 30000]
    assert on("organisation", "earned") == [spent]
    assert on("voucher_programme", "lapsed") == [12 * 30000 - spent]
    assert set(Voucher.objects.values_list("state", "account__balance")) == {("expired", 0)}
    assert findings() == {}


def test_programme_terms_are_checked(publish, bureau, world, staff, give):
    for changes, field in (
        ({"face_amount": 0}, "face_amount"),
        ({"validity": "days"}, "validity_days"),
        ({"unspent": "roll_over"}, "roll_over_months"),
        ({"valid_to": date(2025, 1, 1)}, "valid_to"),
        ({"name": " "}, "name"),
    ):
        with pytest.raises(Invalid) as caught:
            publish(**changes)
        assert list(caught.value.errors) == [field]
    programme = publish()
    services.change_programme(actor=bureau, programme_id=programme.pk, face_amount=20000)
    give(programme)
    with pytest.raises(Refused) as caught:
        services.change_programme(actor=bureau, programme_id=programme.pk, face_amount=10000)
    assert caught.value.code == "vouchers.face_fixed"
    with pytest.raises(Refused):
        services.change_programme(actor=staff("a_one"), programme_id=programme.pk, name="改名")


def test_scope_and_permission(publish, give, world, staff, regions):
    voucher = give(publish())
    assert selectors.vouchers_visible(staff("b")).count() == 0
    with scope(staff("b")), pytest.raises(NotVisible):
        selectors.get_voucher(staff("b"), voucher.pk)
    with pytest.raises(NotVisible):
        services.cancel(actor=staff("b"), voucher_id=voucher.pk, reason="x", today=DAY)
    with scope(world.manager):
        assert Voucher.objects.count() == 0
    share_file(77, world.person, Part.values, "consent")
    with scope(world.family):
        assert selectors.get_voucher(world.family, voucher.pk).available == 30000
        found = selectors.statement(world.family, voucher, until=DAY)
        assert (found.closing, [line.kind for line in found.lines]) == (30000, ["voucher.issue"])
    with pytest.raises(Forbidden):
        services.cancel(actor=staff("a", permissions=()), voucher_id=voucher.pk, reason="x", today=DAY)
    assert ledger.balance(actor=JOB, account_id=voucher.account_id).posted == 30000


def test_serials_find_a_wrong_digit():
    serial = "261014000001" + check_digit("261014000001")
    assert is_serial(serial)
    for place in range(13):
        for digit in "0123456789":
            if digit != serial[place]:
                assert not is_serial(serial[:place] + digit + serial[place + 1 :])
    assert not is_serial(serial[:12])
