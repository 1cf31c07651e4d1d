"""Catalogue: dated versions (R-184), the shipped file (R-070 … R-075, R-105, R-106), packages (R-076)."""

from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from sangyu.kernel.errors import Forbidden, Invalid, Refused
from sangyu.kernel.scoping import scope
from sangyu.registry.catalogue import selectors, services
from sangyu.registry.catalogue.models import Package, ServiceItem

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)
S1 = Path(settings.DATA) / "catalogue" / "s1.yaml"


def publish(actor, region, code="cleaning", valid_from=date(2026, 1, 1), **fields):
    given = {"name": "助洁", "category": "cleaning", "unit": "hour", "duration_minutes": 60, **fields}
    return services.publish_item(actor=actor, region=region, code=code, valid_from=valid_from, today=TODAY, **given)


def load(actor, region, text, today=TODAY):
    return services.load_catalogue(actor=actor, region=region, text=text, filename="x.yaml", today=today)


def test_an_item_changes_by_a_new_version_and_the_old_stays(regions, staff):
    """R-184: an item joins or changes next quarter; past days keep what held then."""
    city, actor = regions["city"], staff("city")
    publish(actor, city)
    services.publish_item(
        actor=actor, region=city, code="cleaning", valid_from=date(2026, 4, 1), today=TODAY, duration_minutes=90
    )
    with scope(actor):
        rows = list(selectors.versions("cleaning", city.path).values_list("valid_from", "valid_to", "duration_minutes"))
        assert rows == [(date(2026, 4, 1), None, 90), (date(2026, 1, 1), date(2026, 4, 1), 60)]
        assert selectors.get_item("cleaning", regions["a_one"].path, date(2026, 3, 31)).duration_minutes == 60
        later = selectors.get_item("cleaning", regions["a_one"].path, date(2026, 4, 1))
        assert (later.duration_minutes, later.name, later.initials) == (90, "助洁", "zj")
        assert selectors.get_item("cleaning", regions["a_one"].path, date(2025, 12, 31)) is None


def test_a_version_that_has_begun_is_not_replaced(regions, staff):
    city, actor = regions["city"], staff("city")
    publish(actor, city)
    with pytest.raises(Refused) as refusal:
        publish(actor, city, duration_minutes=30)
    assert refusal.value.code == "catalogue.version_exists"
    with scope(actor):
        assert [i.duration_minutes for i in ServiceItem.objects.all()] == [60]
    publish(actor, city, valid_from=date(2026, 5, 1), duration_minutes=30)
    publish(actor, city, valid_from=date(2026, 5, 1), duration_minutes=45)
    with scope(actor):
        assert [i.duration_minutes for i in selectors.versions("cleaning", city.path)] == [45, 60]


def test_the_lower_region_stands_first_and_withdrawing_hides_the_upper(regions, staff):
    publish(staff("city"), regions["city"])
    publish(staff("a"), regions["a"], duration_minutes=30)
    services.withdraw_item(
        actor=staff("b"), region=regions["b"], code="cleaning", valid_from=date(2026, 6, 1), today=TODAY
    )
    with scope(staff("city")):
        day = date(2026, 7, 1)
        assert selectors.get_item("cleaning", regions["a_one"].path, day).duration_minutes == 30
        assert selectors.get_item("cleaning", regions["b_one"].path, date(2026, 5, 31)).duration_minutes == 60
        assert selectors.get_item("cleaning", regions["b_one"].path, day) is None
        assert selectors.items_for(regions["b_one"].path, day) == []
        assert [i.duration_minutes for i in selectors.items_for(regions["city"].path, day, "cleaning")] == [60]
        assert selectors.items_for(regions["city"].path, day, "meals") == []


def test_a_lower_region_reads_but_does_not_change_what_the_city_publishes(regions, staff):
    with pytest.raises(Refused) as refusal:
        publish(staff("a"), regions["city"])
    assert refusal.value.code == "scope.above"
    with pytest.raises(Forbidden):
        publish(staff("city", permissions=["catalogue.view"]), regions["city"])
    with scope(staff("city")):
        assert ServiceItem.objects.count() == 0


def test_wrong_fields_are_named_and_nothing_is_written(regions, staff):
    with pytest.raises(Invalid) as refusal:
        publish(staff("city"), regions["city"], category="cooking", duration_minutes=0, crew_size=9)
    assert set(refusal.value.errors) == {"category", "duration_minutes", "crew_size"}
    with scope(staff("city")):
        assert ServiceItem.objects.count() == 0


def test_the_database_refuses_overlapping_versions(regions, staff):
    publish(staff("city"), regions["city"])
    row = ServiceItem.objects.get()
    row.pk, row.valid_from = None, date(2026, 2, 1)
    with pytest.raises(IntegrityError, match="serviceitem_no_overlap"), transaction.atomic():
        row.save(force_insert=True)


def test_the_shipped_catalogue_has_what_the_sources_name(regions, staff):
    """R-070: all nine; R-071: licence; R-075: bathing needs two or a risk check; loading twice changes nothing."""
    actor, city = staff("city"), regions["city"]
    text = S1.read_text(encoding="utf-8")
    first = load(actor, city, text)
    assert first == (59, 0, 0, 4)
    assert load(actor, city, text) == (0, 0, 59, 0)
    with scope(actor):
        items = {i.code: i for i in selectors.items_for(regions["a_one"].path, TODAY)}
        nine = ["日间照料", "送煤气", "送粮油", "配餐", "送餐", "管道疏通", "家电维修", "家庭陪护", "保姆介绍"]
        names = {i.name for i in items.values() if i.category == "daily_life"}
        assert set(nine) <= names
        assert (items["home-consultation"].licence, items["home-consultation"].skill) == ("medical", "medical")
        bath = items["bathing-home"]
        assert (bath.crew_size, bath.risk_check_replaces_crew) == (2, True)
        assert {i.category for i in items.values()} >= {"legal", "sport", "culture", "tcm", "comfort", "mobility"}
        packages = {
            p.code: {x.item_code: x.times_per_month for x in p.lines.all()}
            for p in selectors.packages_for(city.path, TODAY)
        }
        assert packages["package-disabled"]["bathing-home"] == 4
        assert packages["package-partly-disabled"]["bathing-home"] == 2


def test_a_changed_file_makes_new_versions_from_today(regions, staff):
    actor, city = staff("city"), regions["city"]
    text = S1.read_text(encoding="utf-8")
    load(actor, city, text)
    changed = text.replace(
        "name: 助洁\n    category: cleaning\n    unit: hour\n    duration_minutes: 60",
        "name: 助洁\n    category: cleaning\n    unit: hour\n    duration_minutes: 120",
    )
    assert load(actor, city, changed) == (0, 1, 58, 0)
    with scope(actor):
        assert [(v.valid_from, v.duration_minutes) for v in selectors.versions("cleaning", city.path)] == [
            (TODAY, 120),
            (date(2020, 1, 1), 60),
        ]


def test_mistakes_in_a_file_name_line_and_remedy_and_change_nothing(regions, staff):
    text = """valid_from: 2026-01-01
items:
  - code: a
    name: 甲
    category: cleanin
    unit: hour
    duration_minutes: 0
  - code: a
    name: 乙
    category: meals
    unit: meal
    duration: 5
packages:
  - code: p
    name: 套餐
    lines: {b: 3}
"""
    with pytest.raises(Invalid) as refusal:
        load(staff("city"), regions["city"], text)
    assert refusal.value.errors["file"] == [
        "x.yaml, line 5: “cleanin” is not a value of category. Did you mean “cleaning”?",
        "x.yaml, line 7: “0” does not fit duration_minutes. Write a whole number from 1 to 1440.",
        "x.yaml, line 12: unknown field “duration”. Did you mean “duration_minutes”?",
        "x.yaml, line 8: “duration_minutes” is missing. Add the field.",
        "x.yaml, line 8: the code “a” is used on line 3 too. Give each its own code.",
        "x.yaml, line 16: no item has the code “b”. Add the item first.",
    ]
    with scope(staff("city")):
        assert ServiceItem.objects.count() == 0


@pytest.mark.parametrize(
    "text", ["", "- a", "items: [", "valid_from: soon\nitems: 3", "items:\n  - 5", "packages:\n  - {}"]
)
def test_any_broken_file_gets_an_answer(regions, staff, text):
    with pytest.raises(Invalid) as refusal:
        load(staff("city"), regions["city"], text)
    assert all(m.startswith("x.yaml, line ") for m in refusal.value.errors["file"])


def test_packages_hold_offered_items_only(regions, staff):
    actor, city = staff("city"), regions["city"]
    publish(actor, city)
    given = {
        "actor": actor,
        "region": city,
        "code": "p",
        "name": "套餐",
        "valid_from": date(2026, 1, 1),
        "today": TODAY,
    }
    for lines in ({"gone": 1}, {}, {"cleaning": 0}):
        with pytest.raises(Invalid):
            services.publish_package(**given, lines=lines)
    with scope(actor):
        assert Package.objects.count() == 0
    services.publish_package(**given, lines={"cleaning": 4})
    with scope(actor):
        assert [str(x) for p in selectors.packages_for(regions["a"].path, TODAY) for x in p.lines.all()] == [
            "cleaning × 4"
        ]


def test_the_command_loads_and_names_what_is_wrong(regions, capsys, tmp_path):
    call_command("load_catalogue", str(S1), region=regions["city"].code)
    assert "59 new items" in capsys.readouterr().out
    with pytest.raises(CommandError, match="No region has the code 999"):
        call_command("load_catalogue", str(S1), region="999")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_catalogue", str(tmp_path / "none.yaml"), region=regions["city"].code)
