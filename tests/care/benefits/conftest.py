"""County A with five elders in two streets' communities, a fund, officers who are different people, and lines by hand."""

import dataclasses
from datetime import date, datetime
from types import SimpleNamespace

import pytest
from django.utils.timezone import make_aware

from sangyu.care.applications.models import PayeeAccount
from sangyu.care.benefits import computing, services
from sangyu.care.benefits.models import Review
from sangyu.kernel.crypto import blind_index
from sangyu.kernel.scoping import scope
from support.world import make_person

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
VERSIONS = [{"id": 1, "code": "age-allowance", "period": "month"}, {"id": 2, "code": "home-care", "period": "month"}]


def at(month: int, day: int = 5, hour: int = 9) -> datetime:
    return make_aware(datetime(2026, month, day, hour))


def make_account(person, number="6222000000000000", bank="农商行"):
    """An approved account of the person."""
    return PayeeAccount.objects.create(
        person=person, path=person.path, holder=person.name, number=number,
        number_index=blind_index(number, "applications.payeeaccount.number"), bank=bank, state="active",
        proposed_by="社区", decided_by="街道", decided_at=at(9),
    )  # fmt: skip


@pytest.fixture
def county(regions, staff):
    """``run(month, rows)`` computes, reviews and approves; ``paid(month, rows)`` also releases."""
    people = [
        make_person(regions["a_one" if n < 3 else "a_two"], f"王桂{c}", birth=date(1930 + n, 5, 1))
        for n, c in enumerate("兰英芳珍霞")
    ]
    officers = {
        name: dataclasses.replace(staff("a"), name=name, account_id=n)
        for n, name in enumerate(("prepares", "approves", "releases", "pays"), start=1)
    }
    fund = services.open_fund(
        actor=officers["pays"], region_id=regions["a"].pk, code="fiscal", name="财政资金", valid_from=date(2020, 1, 1)
    )
    for n, person in enumerate(people):
        make_account(person, f"62220000{n:08d}")
    world = SimpleNamespace(
        region=regions["a"], people=people, fund=fund, street=staff("a_street", "street"), **officers
    )

    def line(person, amount, policy="age-allowance", month=OCTOBER, **more):
        return {
            "subject_id": person.pk, "path": person.path, "policy": policy, "version_id": 1, "month": month,
            "amount": amount, **more,
        }  # fmt: skip

    def computed(month, rows, *, past=(), versions=VERSIONS, notice_days=0):
        run = services.begin(actor=world.prepares, region_id=world.region.pk, month=month, now=at(month.month))
        return services.enter(
            actor=world.prepares, run_id=run.pk, lines=computing.frame(rows), past=past, versions=versions,
            notice_days=notice_days, now=at(month.month),
        )  # fmt: skip

    def reviewed(run):
        for level, act in (("street", services.review_street), ("county", services.review_county)):
            with scope(world.prepares):
                ids = list(Review.objects.filter(run=run, level=level, done_at=None).values_list("pk", flat=True))
            for pk in ids:
                act(actor=world.street if level == "street" else world.prepares, review_id=pk)
        run.refresh_from_db()
        return run

    def approved(month, rows, **more):
        run = reviewed(computed(month, rows, **more))
        return services.approve(actor=world.approves, run_id=run.pk, now=at(month.month, 8))

    def released(month, rows, **more):
        run = approved(month, rows, **more)
        return services.release(actor=world.releases, run_id=run.pk, now=at(month.month, 9))

    world.line, world.computed, world.reviewed, world.approved, world.released = (
        line,
        computed,
        reviewed,
        approved,
        released,
    )
    return world
