"""A small world for the Need road: fee rules, one provider with two bath aides and a cleaner, one elder, one
voucher.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import connection
from django.utils.timezone import make_aware

from sangyu.kernel.actor import ROOT_PATH, Actor, Audience
from sangyu.kernel.permissions import every_permission

#: A Wednesday morning; every test says "now" relative to it.
NOW = make_aware(datetime(2026, 10, 14, 9, 0))


def make_regions() -> dict[str, object]:
    """A small tree: country > province > city > two counties > a street > two communities each; by short name.

    Nearly every test begins with it: its rows are written by one statement.
    """
    from sangyu.registry.regions.models import Region

    rows = [
        ("country", None, 0, ROOT_PATH, "中国", "000000000000"),
        ("province", "country", 1, "001", "辽宁省", "210000000000"),
        ("city", "province", 2, "001", "营口市", "210800000000"),
    ]
    for key, segment, name, code in (("a", "001", "站前区", "210802"), ("b", "002", "西市区", "210803")):
        rows += [
            (key, "city", 3, segment, name, code + "000000"),
            (key + "_street", key, 4, "001", name[:2] + "街道", code + "001000"),
            (key + "_one", key + "_street", 5, "001", "清华社区", code + "001001"),
            (key + "_two", key + "_street", 5, "002", "胜利社区", code + "001002"),
        ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('regions_region_id_seq') FROM generate_series(1, %s)", [len(rows)])
        ids = [pk for (pk,) in cursor.fetchall()]
    made: dict[str, Region] = {}
    for pk, (key, parent, level, segment, name, code) in zip(ids, rows, strict=True):
        up = made.get(parent)
        made[key] = Region(
            pk=pk,
            parent=up,
            level=level,
            path=(up.path if up else "") + segment,
            name=name,
            full_name=(up.full_name if up and up.level else "") + name,
            code=code,
            valid_from=date(2000, 1, 1),
        )
    Region.objects.bulk_create(made.values())
    return made


@dataclass
class World:
    """Rows and actors of the small world; see ``world``."""

    region: object
    person: object
    organisation: object
    contract: object
    bathing: object
    cleaning: object
    lead: object
    second: object
    cleaner: object
    desk: Actor
    manager: Actor
    worker: Actor
    family: Actor
    now: datetime = NOW
    start: datetime = NOW + timedelta(days=3, hours=6)


def make_worker(organisation, region, name, *, skills=("care",), sex="2", latitude=40.66, longitude=122.23):
    """An active worker with all clearances of the year."""
    from sangyu.registry.workforce.models import Certificate, Clearance, Worker

    worker = Worker.objects.create(
        organisation=organisation,
        name=name,
        sex=sex,
        state="active",
        admitted_at=NOW,
        region=region,
        path=organisation.path,
        latitude=latitude,
        longitude=longitude,
        rating="4.80",
    )
    for kind in ("entry_training", "health_check", "background_check"):
        Clearance.objects.create(worker=worker, kind=kind, valid_from=date(2026, 1, 1), valid_to=date(2027, 1, 1))
    for skill in skills:
        Certificate.objects.create(
            worker=worker, skill=skill, number=f"C{worker.pk}{skill}", valid_from=date(2026, 1, 1)
        )
    return worker


def make_item(region, code, name, *, minutes=60, skill="none", crew=1, risk=False, licence="none", category="bathing"):
    """A catalogue item published at ``region``."""
    from sangyu.registry.catalogue.models import ServiceItem

    return ServiceItem.objects.create(
        code=code,
        name=name,
        category=category,
        unit="time",
        duration_minutes=minutes,
        skill=skill,
        crew_size=crew,
        risk_check_replaces_crew=risk,
        licence=licence,
        region=region,
        path=region.path,
        valid_from=date(2020, 1, 1),
    )


def make_organisation(region, name, prices, *, area=None, categories=("bathing", "cleaning")):
    """An approved provider with one contract in force and ``prices`` {item code: fen}."""
    from sangyu.registry.organisations.models import Capability, Contract, Organisation, Price

    area = area or region
    organisation = Organisation.objects.create(
        name=name,
        legal_form="volunteer_team",
        state="approved",
        approved_at=NOW,
        region=region,
        path=region.path,
        latitude=40.66,
        longitude=122.23,
    )
    for category in categories:
        Capability.objects.create(
            organisation=organisation,
            category=category,
            area=area,
            area_path=area.path,
            path=region.path,
            valid_from=date(2020, 1, 1),
        )
    contract = Contract.objects.create(
        organisation=organisation,
        number=f"HT-{name}",
        title=name,
        cancel_free_hours=2,
        cancel_fee_percent=20,
        state="active",
        signed_at=NOW,
        region=area,
        path=area.path,
        valid_from=date(2026, 1, 1),
        valid_to=date(2027, 1, 1),
    )
    for code, price in prices.items():
        Price.objects.create(
            organisation=organisation,
            contract=contract,
            item_code=code,
            unit_price=price,
            path=area.path,
            valid_from=date(2026, 1, 1),
        )
    return organisation, contract


def make_person(region, name="王桂兰", *, birth=date(1942, 3, 8), **facts):
    """An elder at home in ``region`` with dated facts from 2020 on."""
    from sangyu.registry.people.models import Person, PersonFact

    person = Person.objects.create(
        name=name,
        pinyin="wang gui lan",
        initials="wgl",
        sex="2",
        birth_date=birth,
        region=region,
        path=region.path,
        address="清华社区 12 号楼 402 室",
        latitude=40.661,
        longitude=122.231,
        source="test",
        registered_on=date(2020, 1, 1),
    )
    for kind, value in facts.items():
        PersonFact.objects.create(
            subject=person, path=person.path, kind=kind, value=value, valid_from=date(2020, 1, 1), source="test"
        )
    return person


def make_fee_rules(region):
    """The shipped fee rules of S1, published at ``region``."""
    import yaml

    from sangyu.care.orders.models import FeeRule

    shipped = yaml.safe_load((settings.DATA / "fees" / "s1.yaml").read_text())
    for r in shipped["rules"]:
        FeeRule.objects.create(region=region, path=region.path, valid_from=shipped["valid_from"], **r)


@pytest.fixture
def world(regions, staff) -> World:
    """County A with everything one visit needs; the elder is low-fee: 25 % concession."""
    county, community = regions["a"], regions["a_one"]
    make_fee_rules(regions["city"])
    bathing = make_item(regions["city"], "bathing", "助浴", skill="care", crew=2, risk=True)
    cleaning = make_item(regions["city"], "cleaning", "助洁", minutes=120, category="cleaning")
    organisation, contract = make_organisation(county, "康乐", {"bathing": 12000, "cleaning": 6000})
    person = make_person(
        community, birth=date(1958, 3, 8), living="alone", care_level="2", income_category="near_minimum"
    )
    lead = make_worker(organisation, county, "孙丽华")
    second = make_worker(organisation, county, "于晓梅", latitude=40.68)
    cleaner = make_worker(organisation, county, "何永强", skills=(), sex="1")
    base = SimpleNamespace(path=county.path, permissions=every_permission())
    return World(
        region=county,
        person=person,
        organisation=organisation,
        contract=contract,
        bathing=bathing,
        cleaning=cleaning,
        lead=lead,
        second=second,
        cleaner=cleaner,
        desk=staff("a", role="dispatcher"),
        manager=Actor(
            Audience.PROVIDER,
            base.path,
            "康乐经理",
            subject_id=organisation.pk,
            role="provider_manager",
            permissions=base.permissions,
        ),
        worker=Actor(
            Audience.WORKER, base.path, "孙丽华", subject_id=lead.pk, role="worker", permissions=base.permissions
        ),
        family=Actor(
            Audience.FAMILY,
            base.path,
            "李建华",
            account_id=77,
            subject_id=77,
            role="family",
            permissions=base.permissions,
        ),
    )
