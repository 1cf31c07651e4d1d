"""Open work of the register's rooms goes to the successor; who did what stays in the record (X-07)."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from django.utils.timezone import make_aware

from sangyu.kernel.actor import Actor
from sangyu.kernel.handover import Holder, rules
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts.models import Account
from sangyu.registry.dossier.models import Assignment
from sangyu.registry.lifeevents import services as lifeevents
from sangyu.registry.lifeevents.models import LifeEvent
from sangyu.registry.people import services as people
from sangyu.registry.transfers import services as transfers
from sangyu.registry.transfers.models import Transfer

pytestmark = pytest.mark.django_db
NOW = make_aware(datetime(2026, 11, 20, 9, 0))


@pytest.fixture
def busy(regions, staff, id_number):
    """A county's officer with a life event, a request for a file and a file to check in hand; and the successor."""
    account, successor = (
        Account.objects.create_user(name, "Mulberry-2026", name=name, region=regions["b"], path=regions["b"].path)
        for name in ("leaving", "next")
    )
    held = people.register(
        actor=staff("a"),
        name="张桂兰",
        region_id=regions["a_one"].pk,
        source="test",
        id_number=id_number(),
        today=NOW.date(),
    )
    actor = replace(staff("b"), account_id=account.pk, name="leaving")
    own = people.register(
        actor=actor, name="王玉珍", region_id=regions["b_one"].pk, source="test", sex="2", birth_date=date(1940, 1, 1),
        today=NOW.date(),
    )  # fmt: skip
    lifeevents.record(
        actor=actor, person_id=own.pk, kind="hospital", on=date(2026, 11, 2), source="家属", place="中心医院",
        today=NOW.date(), now=NOW,
    )  # fmt: skip
    transfers.request(
        actor=actor, id_number=held.id_number, name="张桂兰", region_id=regions["b_one"].pk, moved_on=date(2026, 11, 1),
        reason="随子女居住", evidence="居住证", now=NOW,
    )  # fmt: skip
    Assignment.objects.create(person=own, path=own.path, account=account, actor="x")
    return Holder(account.pk, "leaving"), Holder(successor.pk, "next")


def test_each_room_lists_and_moves_its_work(busy):
    giving, taking = busy
    with scope(Actor.job("test")):
        work = {r.name: (r, r.open_of(giving)) for r in rules()}
        work = {name: found for name, found in work.items() if found[1]}
        assert {n: len(w) for n, (_r, w) in work.items()} == {
            "dossier.checks": 1, "lifeevents.events": 1, "transfers.requests": 1,
        }  # fmt: skip
        for rule, pieces in work.values():
            rule.move(giving, taking, [p.row_id for p in pieces])
            assert (rule.open_of(giving), [w.row_id for w in rule.open_of(taking)]) == ([], [p.row_id for p in pieces])
    event, request = LifeEvent.objects.get(), Transfer.objects.get()
    assert (event.assigned_id, event.account_id, event.actor) == (taking.account_id, giving.account_id, "leaving")
    assert (request.assigned_id, request.account_id, request.requested_by) == (
        taking.account_id,
        giving.account_id,
        "leaving",
    )
