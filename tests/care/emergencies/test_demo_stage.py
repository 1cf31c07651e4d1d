"""The demo's emergencies go the way of the services: every state stands there, three months reach back."""

from datetime import date, timedelta

import pytest

from sangyu.care.emergencies import selectors
from sangyu.care.emergencies.models import Drill, Duty, Incident, Notice, Step
from sangyu.kernel.actor import Actor
from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.devices.models import Device
from sangyu.registry.people.models import Person
from sangyu.runtime.demo.emergencies import Emergencies
from support.emergencies import NOW, contact, facility
from support.world import make_person, make_regions

pytestmark = pytest.mark.django_db


def test_the_stage_fills_three_months_and_every_state():
    tree = make_regions()
    for name, role in (("operator", "operator"), ("bureau", "bureau")):
        made = Account.objects.create(username=name, name=name, region=tree["city"], path=tree["city"].path)
        Grant.objects.create(
            account=made,
            role=role,
            audience="staff",
            path=tree["city"].path,
            region=tree["city"],
            valid_from="2020-01-01",
        )
    for n in range(8):
        person = make_person(tree["a_one"], f"老人{n}")
        contact(person, f"老人{n}之女")
        Device.objects.create(
            product="watch-3g", kind="watch", protocol="watch", identity=f"88000000{n:02d}", region=tree["a"], path=person.path,
            person=person, state="issued", received_on=date(2026, 1, 1),
        )  # fmt: skip
    facility(tree["a_two"], "胜利驿站", metres=900, person=Person.objects.first())
    facility(tree["a_two"], "养老院", kind="institution", metres=2000, person=Person.objects.first())
    count = Emergencies(tree["city"], NOW, "test").build()
    assert count == Incident.objects.count() >= 20
    states = set(Incident.objects.values_list("state", flat=True))
    assert states == {"open", "claimed", "verifying", "dispatched", "on_the_way", "arrived", "closed", "reviewed"}
    job = Actor.job("test")
    lines = selectors.report(job, (NOW - timedelta(days=100)).date(), NOW.date())
    assert len(lines) >= 3
    assert Drill.objects.count() == 3
    assert Duty.objects.exists()
    assert not Notice.objects.filter(state="waiting").exists()
    assert Step.objects.filter(done_at__isnull=False).exists()
