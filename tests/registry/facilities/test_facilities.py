"""Facilities, their dated facts, admission and discharge (R-043, R-044, R-057 … R-060)."""

from datetime import date

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from sangyu.kernel import jobs
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.models import Change
from sangyu.registry.facilities import selectors, services
from sangyu.registry.facilities.models import Facility, FacilityFact, Stay
from sangyu.registry.people import services as people
from sangyu.registry.people.models import PersonFact
from support.pages import client_for
from support.world import make_person

pytestmark = pytest.mark.django_db
TODAY = date(2026, 10, 14)


@pytest.fixture
def bureau(staff):
    return staff("a")


@pytest.fixture
def home(bureau, regions):
    """An institution with two beds."""
    return services.register(
        actor=bureau, region_id=regions["a_one"].pk, name="福寿养老院", kind="institution", opened_on=date(2018, 5, 1),
        urban_rural="urban", beds=2, source="备案 2018-7",
    )  # fmt: skip


@pytest.fixture
def elder(regions):
    return make_person(regions["a_one"])


def residences(person) -> list[tuple]:
    rows = PersonFact.objects.filter(subject=person, kind="residence").known_on(None).order_by("valid_from")
    return list(rows.values_list("value", "valid_from", "valid_to"))


def admit(bureau, home, person, on=date(2026, 9, 10), **more):
    given = {"source": "入住协议 1", "today": TODAY} | more
    return services.admit(actor=bureau, facility_id=home.pk, person_id=person.pk, on=on, **given)


def test_admission_and_discharge_write_the_residence(bureau, home, elder):
    """R-043: admission mid-month stops home policies from that day; discharge starts them again."""
    stay = admit(bureau, home, elder, bed="201-1")
    assert residences(elder) == [("institution", date(2026, 9, 10), None)]
    services.discharge(actor=bureau, stay_id=stay.pk, on=date(2026, 10, 3), reason="home", source="出院单", today=TODAY)
    assert residences(elder) == [
        ("institution", date(2026, 9, 10), date(2026, 10, 3)),
        ("home", date(2026, 10, 3), None),
    ]
    stay.refresh_from_db()
    assert (stay.valid_to, stay.end_reason) == (date(2026, 10, 3), "home")
    with pytest.raises(Refused) as refused:
        services.discharge(actor=bureau, stay_id=stay.pk, on=TODAY, reason="home", source="x", today=TODAY)
    assert refused.value.code == "facilities.ended"


def test_a_full_house_a_taken_bed_and_a_second_stay_are_refused(bureau, home, elder, regions):
    others = [make_person(regions["a_one"], name) for name in ("李秀英", "张玉兰")]
    admit(bureau, home, elder, bed="1")
    with pytest.raises(Refused) as refused:
        admit(bureau, home, elder, on=date(2026, 9, 20))
    assert refused.value.code == "facilities.overlap"
    with pytest.raises(Refused) as refused:
        admit(bureau, home, others[0], bed="1")
    assert refused.value.code == "facilities.bed"
    assert residences(others[0]) == []
    admit(bureau, home, others[0], bed="2")
    with pytest.raises(Refused) as refused:
        admit(bureau, home, others[1])
    assert refused.value.code == "facilities.full"
    assert Stay.objects.count() == 2
    assert residences(others[1]) == []
    with pytest.raises(Refused) as refused:
        services.change(actor=bureau, facility_id=home.pk, beds=1)
    assert refused.value.code == "facilities.beds"
    with pytest.raises(IntegrityError, match="stay_no_overlap"), transaction.atomic():
        Stay.objects.create(facility=home, person=elder, path=elder.path, valid_from=TODAY, source="x")


def test_only_houses_that_operate_admit(bureau, home, elder, regions):
    station = services.register(
        actor=bureau, region_id=regions["a_one"].pk, name="清华服务站", kind="station", opened_on=date(2020, 1, 1),
        urban_rural="urban",
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        admit(bureau, station, elder)
    assert refused.value.code == "facilities.kind"
    services.record_fact(
        actor=bureau,
        facility_id=home.pk,
        kind="state",
        value="suspended",
        valid_from=date(2026, 9, 1),
        source="整改通知",
    )
    with pytest.raises(Refused) as refused:
        admit(bureau, home, elder)
    assert refused.value.code == "facilities.not_operating"
    with pytest.raises(Invalid):
        admit(bureau, home, elder, on=date(2026, 10, 15))
    assert residences(elder) == []


def test_facts_have_dates_and_the_old_day_stays_readable(bureau, home):
    """R-060: level 3, then 4; R-059: the inspection of a year."""
    for value, day in (("3", date(2023, 1, 1)), ("4", date(2026, 6, 1))):
        services.record_fact(
            actor=bureau, facility_id=home.pk, kind="rating", value=value, valid_from=day, source="评定公告"
        )
    assert selectors.facts_on([home.pk], date(2025, 1, 1)) == {home.pk: {"state": "operating", "rating": "3"}}
    assert selectors.facts_on([home.pk], TODAY)[home.pk]["rating"] == "4"
    with pytest.raises(Invalid):
        services.record_fact(actor=bureau, facility_id=home.pk, kind="rating", value="6", valid_from=TODAY, source="x")
    assert FacilityFact.objects.filter(kind="rating").known_on(None).count() == 2
    assert Change.objects.filter(table_name="facilities_facilityfact").exists()


def test_what_the_register_learns_ends_the_stay(bureau, home, elder):
    stay = admit(bureau, home, elder)
    people.record_death(actor=bureau, person_id=elder.pk, died_on=date(2026, 10, 1), source="证明", today=TODAY)
    jobs.run_due()
    stay.refresh_from_db()
    assert (stay.valid_to, stay.end_reason) == (date(2026, 10, 2), "death")
    people.revoke_death(actor=bureau, person_id=elder.pk, reason="同名")
    jobs.run_due()
    stay.refresh_from_db()
    assert (stay.valid_to, stay.end_reason) == (None, "")
    services.take_back(actor=bureau, stay_id=stay.pk, reason="录入错误")
    assert (Stay.objects.count(), residences(elder)) == (0, [])


def test_who_sees_and_who_may(bureau, home, elder, staff):
    admit(bureau, home, elder)
    assert selectors.get_facility(staff("a_one"), home.pk) == home
    with pytest.raises(NotVisible):
        selectors.get_facility(staff("b"), home.pk)
    with pytest.raises(Refused):
        services.change(actor=staff("a_two"), facility_id=Facility.objects.create(
            name="区中心", kind="station", region=home.region.parent.parent, path=home.path[:12], opened_on=TODAY,
            urban_rural="urban").pk, name="我的")  # fmt: skip
    with pytest.raises(Forbidden):
        services.admit(
            actor=staff("a", permissions=["facilities.view"]),
            facility_id=home.pk,
            person_id=elder.pk,
            on=TODAY,
            source="x",
        )


def test_pages(bureau, home, elder, settings):
    client = client_for(bureau)
    assert "福寿养老院" in client.get("/facilities/?kind=institution&state=operating").text
    answer = client.post(
        f"/facilities/{home.pk}/admit/", {"person_id": elder.name, "on": "2026-09-10", "bed": "3", "source": "协议"}
    )
    assert answer.status_code in (302, 303), answer.text
    stay = Stay.objects.get()
    page = client.get(f"/facilities/{home.pk}/stays/")
    assert (page.status_code, elder.name in page.text) == (200, True)
    assert client.get(f"/facilities/{home.pk}/facts/").status_code == 200
    answer = client.post(
        f"/facilities/stays/{stay.pk}/discharge/", {"on": "2026-09-20", "reason": "home", "source": "出院"}
    )
    assert answer.status_code in (302, 303), answer.text
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM facilities_stay WHERE valid_to = '2026-09-20'")
        assert cursor.fetchone() == (1,)
    assert client.get(f"/facilities/people/{elder.pk}/admit/").status_code == 200
    for address in ("new/", "import/", "import-residents/", f"{home.pk}/edit/", f"{home.pk}/facts/new/"):
        assert client.get(f"/facilities/{address}").status_code == 200, address
