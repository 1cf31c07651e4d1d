"""Changes of the tree on a date: R-001."""

from datetime import date

import pytest
from django.utils import translation

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.models import Change, Event, Operation
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.regions import selectors, services
from sangyu.registry.regions.models import Region, RegionChange, RegionCode
from sangyu.registry.regions.moving import path_columns, region_columns

pytestmark = pytest.mark.django_db
DAY, TODAY = date(2026, 7, 1), date(2026, 10, 15)


@pytest.fixture
def rows(regions):
    """Place rows in every community, as people and orders are: two in a_one, three in a_two, one in b_one."""
    for key, count in (("a_one", 2), ("a_two", 3), ("b_one", 1)):
        for number in range(count):
            Operation.objects.create(
                kind="test", title=f"{key} {number}", path=regions[key].path, audience="staff", actor="x"
            )
        RegionCode.objects.create(
            region=regions[key],
            source="mca",
            code=regions[key].code,
            name=regions[key].name,
            valid_from=date(2000, 1, 1),
        )
    return regions


def total(path: str) -> int:
    return Operation.objects.filter(path__startswith=path).count()


def tree() -> list[tuple]:
    return list(
        Region.objects.order_by("pk").values_list(
            "pk", "path", "name", "full_name", "parent_id", "valid_to", "successor_id"
        )
    )


def test_merge_of_two_communities_on_a_date(rows, staff):
    """Old records still resolve, totals before and after agree."""
    a, one, two = rows["a"], rows["a_one"], rows["a_two"]
    account = Account.objects.create_user("li", None, name="Li", region=two, path=two.path)
    Grant.objects.create(account=account, role="community", audience="staff", region=two, path=two.path, valid_from=DAY)
    before = (total(a.path), total(rows["city"].path))
    target = services.merge(
        actor=staff("city"), region_ids=[one.pk, two.pk], into=one.pk, day=DAY, today=TODAY, reason="县政发〔2026〕3号"
    )
    assert target == one
    assert (total(a.path), total(rows["city"].path)) == before
    assert (total(one.path), total(two.path)) == (5, 0)
    two.refresh_from_db()
    assert (two.valid_to, two.successor_id, two.path) == (DAY, one.pk, rows["a_street"].path + "002")
    assert selectors.region(two.pk).name == "胜利社区"
    assert selectors.region(two.pk, current=True) == one
    assert selectors.by_code("210802001002", date(2026, 6, 30)) == one
    assert selectors.by_code("210802001002", DAY) is None
    grant = Grant.objects.get()
    assert (grant.path, grant.region_id) == (one.path, one.pk)
    change = RegionChange.objects.get()
    assert (change.kind, change.before, change.after) == ("merge", [one.pk, two.pk], [one.pk])
    assert change.moved == {"kernel_operation": 3, "accounts_account": 1, "accounts_grant": 1} | {
        k: v for k, v in change.moved.items() if k.startswith("kernel_") and k != "kernel_operation"
    }
    assert change.totals["kernel_operation"] == 5
    assert selectors.in_words(change.totals)[0][1] == max(change.totals.values())
    history = Change.objects.get(table_name="regions_region", row_id=two.pk, op="U")
    assert (history.actor, history.reason) == ("bureau city", "县政发〔2026〕3号")
    assert Event.objects.get(name="regions.merged").payload == {"before": [two.pk], "after": one.pk}


def test_merge_into_a_new_region(rows, staff):
    one, two = rows["a_one"], rows["a_two"]
    new = services.merge(
        actor=staff("city"),
        region_ids=[one.pk, two.pk],
        into=None,
        name="和平社区",
        code="210802001009",
        day=DAY,
        today=TODAY,
    )
    assert (new.path, new.full_name, new.valid_from) == (
        rows["a_street"].path + "009",
        one.full_name.replace("清华", "和平"),
        DAY,
    )
    assert total(new.path) == 5
    assert {selectors.region(pk, current=True) for pk in (one.pk, two.pk)} == {new}
    assert selectors.by_code("210802001009", DAY) == new
    assert [r.name for r in selectors.children(rows["a_street"].pk)] == ["和平社区"]
    assert [r.name for r in selectors.children(rows["a_street"].pk, date(2026, 1, 1))] == ["清华社区", "胜利社区"]


def test_merge_of_streets_takes_the_communities_along(rows, staff):
    second = services.split(
        actor=staff("city"),
        region_id=rows["a_street"].pk,
        parts=[services.Part("东街道", "210802009000", (rows["a_two"].pk,))],
        day=DAY,
        today=TODAY,
    )[0]
    assert total(second.path) == 3
    assert total(rows["a_street"].path) == 2
    services.merge(
        actor=staff("city"),
        region_ids=[second.pk, rows["a_street"].pk],
        into=rows["a_street"].pk,
        day=date(2026, 8, 1),
        today=TODAY,
    )
    moved = Region.objects.get(pk=rows["a_two"].pk)
    assert (moved.parent_id, moved.path[:-3], moved.valid_to) == (rows["a_street"].pk, rows["a_street"].path, None)
    assert total(moved.path) == 3
    assert total(rows["a"].path) == 5


def test_move_to_another_parent(rows, staff):
    community = rows["a_two"]
    services.move(actor=staff("city"), region_id=community.pk, parent_id=rows["b_street"].pk, day=DAY, today=TODAY)
    community.refresh_from_db()
    assert community.path == rows["b_street"].path + "a00"  # 001 and 002 are taken there
    assert community.full_name == rows["b_street"].full_name + "胜利社区"
    assert (total(rows["a"].path), total(rows["b"].path), total(rows["city"].path)) == (2, 4, 6)


def test_rename_keeps_the_old_name_for_earlier_days(rows, staff):
    street = rows["a_street"]
    services.rename(actor=staff("city"), region_id=street.pk, name="滨海街道", day=DAY, today=TODAY)
    street.refresh_from_db()
    assert (street.name, street.pinyin) == ("滨海街道", "bhjd")
    assert selectors.name_on(street, date(2026, 6, 30)) == "站前街道"
    assert selectors.name_on(street, DAY) == "滨海街道"
    assert Region.objects.get(pk=rows["a_one"].pk).full_name == "辽宁省营口市站前区滨海街道清华社区"
    assert [r.pk for r in selectors.search(staff("city"), "站前街")] == [street.pk]
    assert [r.pk for r in selectors.search(staff("city"), "bhj")] == [street.pk]


def test_new_code_on_a_date(rows, staff):
    one = rows["a_one"]
    services.recode(actor=staff("city"), region_id=one.pk, source="mca", code="210802001030", day=DAY, today=TODAY)
    one.refresh_from_db()
    assert one.code == "210802001030"
    assert selectors.code_of(one, "mca", date(2026, 6, 30)) == "210802001001"
    assert selectors.by_code("210802001030", DAY) == one
    assert selectors.by_code("210802001001", DAY) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: {"region_ids": [r["a_one"].pk]}, "at least two"),
        (lambda r: {"region_ids": [r["a_one"].pk, r["b_one"].pk]}, "same parent"),
        (lambda r: {"region_ids": [r["a_one"].pk, r["a_two"].pk], "day": date(2026, 12, 1)}, "today or an earlier"),
        (lambda r: {"region_ids": [r["a_one"].pk, r["a_two"].pk], "name": "新社区", "code": "12"}, "12 digits"),
    ],
)
def test_a_wrong_merge_is_refused_and_changes_nothing(rows, staff, change, message):
    before = tree()
    arguments = {"into": None, "name": "新社区", "code": "210802001009", "day": DAY, "today": TODAY, **change(rows)}
    with translation.override("en"), pytest.raises(Invalid, match=message):
        services.merge(actor=staff("city"), **arguments)
    assert tree() == before
    assert RegionChange.objects.count() == 0


def test_an_ended_region_cannot_change_again(rows, staff):
    services.merge(
        actor=staff("city"),
        region_ids=[rows["a_one"].pk, rows["a_two"].pk],
        into=rows["a_one"].pk,
        day=DAY,
        today=TODAY,
    )
    before = tree()
    with pytest.raises(Refused, match=r"."):
        services.rename(actor=staff("city"), region_id=rows["a_two"].pk, name="新名", day=date(2026, 8, 1), today=TODAY)
    assert tree() == before


def test_scope_and_permission(rows, staff):
    before = tree()
    with pytest.raises(NotVisible):
        services.rename(actor=staff("a"), region_id=rows["b_one"].pk, name="新名", day=DAY, today=TODAY)
    with pytest.raises(Forbidden):
        services.rename(
            actor=staff("a", permissions={"regions.view"}),
            region_id=rows["a_one"].pk,
            name="新名",
            day=DAY,
            today=TODAY,
        )
    family = Actor(audience=Audience.FAMILY, path=rows["a"].path, name="f", subject_id=1)
    with pytest.raises(Forbidden):
        services.merge(
            actor=family, region_ids=[rows["a_one"].pk, rows["a_two"].pk], into=rows["a_one"].pk, day=DAY, today=TODAY
        )
    assert tree() == before


def test_lazy_choices_stay_in_the_actors_area(rows, staff):
    actor = staff("a")
    assert [c["name"] for c in selectors.choices_for(actor)] == ["站前区"]
    assert [(c["name"], c["leaf"]) for c in selectors.choices_for(actor, rows["a_street"].pk)] == [
        ("清华社区", True),
        ("胜利社区", True),
    ]
    assert selectors.choices_for(actor, rows["b_street"].pk) == []


def test_every_path_and_region_column_is_found():
    assert {("kernel_operation", "path"), ("accounts_grant", "path"), ("accounts_account", "path")} <= set(
        path_columns()
    )
    assert {("accounts_grant", "region_id"), ("accounts_account", "region_id")} <= set(region_columns())
    assert not any(table.startswith("regions_") for table, _column in path_columns() + region_columns())


def test_no_other_role_may_call_the_moving_functions(rows, staff):
    from django.db import connection, transaction
    from django.db.utils import ProgrammingError

    call = "SELECT sangyu.move_paths('kernel_operation', 'path', ARRAY['000'], ARRAY['001'], true)"
    refused = pytest.raises(ProgrammingError, match="regions services only")
    with scope(staff("city")), connection.cursor() as cursor, refused, transaction.atomic():
        cursor.execute(call)


def test_totals_that_do_not_agree_take_the_change_back(rows, staff, monkeypatch):
    from sangyu.registry.regions import services as module

    before, counted = tree(), iter([{"kernel_operation": 5}, {"kernel_operation": 4}])
    monkeypatch.setattr(module, "holdings", lambda paths: next(counted))
    with pytest.raises(Refused, match="kernel_operation") as refused:
        services.merge(
            actor=staff("city"),
            region_ids=[rows["a_one"].pk, rows["a_two"].pk],
            into=rows["a_one"].pk,
            day=DAY,
            today=TODAY,
        )
    assert refused.value.code == "regions.totals"
    assert tree() == before
    assert (total(rows["a_one"].path), total(rows["a_two"].path)) == (2, 3)
    assert not RegionChange.objects.exists()
