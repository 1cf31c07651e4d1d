"""The pages of the tree as each role: R-001, R-011."""

import pytest

from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.regions.models import Region, RegionChange, RegionCode

pytestmark = pytest.mark.django_db


@pytest.fixture
def sign_in(client, regions):
    def enter(role, key="a"):
        account = Account.objects.create_user(role.replace("_", "-"), None, name=role)
        region = regions[key]
        Grant.objects.create(
            account=account, role=role, audience="staff", region=region, path=region.path, valid_from="2020-01-01"
        )
        client.force_login(account)

    return enter


CHANGES = ("rename", "recode", "merge", "split", "move")


@pytest.mark.parametrize(
    ("role", "key", "change"), [("system_administrator", "a", 200), ("bureau", "a", 403), ("street", "a_street", 403)]
)
def test_who_may_look_and_who_may_change(client, regions, sign_in, role, key, change):
    sign_in(role, key)
    own, foreign = regions["a_one"], regions["b_one"]
    assert client.get("/regions/").status_code == 200
    for tab in ("", "below/", "codes/", "names/", "operations/", "history/"):
        assert (tab, client.get(f"/regions/{own.pk}/{tab}").status_code) == (tab, 200)
        assert client.get(f"/regions/{foreign.pk}/{tab}").status_code == 404
    for part in CHANGES:
        assert (part, client.get(f"/regions/{own.pk}/{part}/").status_code) == (part, change)
        assert client.get(f"/regions/{foreign.pk}/{part}/").status_code == (404 if change == 200 else 403)


def test_the_list_shows_the_own_area_and_searches(client, regions, sign_in):
    sign_in("bureau", "a")
    text = client.get("/regions/").content.decode()
    assert "清华社区" in text
    assert "西市" not in text
    Region.objects.filter(pk=regions["a_two"].pk).update(pinyin="slsq")
    for query in ("slsq", "胜利", "210802001002"):
        found = client.get("/regions/", {"q": query}).content.decode()
        assert "胜利社区" in found
        assert "清华社区</a>" not in found


def test_merge_through_the_page(client, regions, sign_in):
    sign_in("system_administrator", "city")
    one, two = regions["a_one"], regions["a_two"]
    form = {"others": [two.pk], "name": "", "code": "", "day": "2026-07-01", "reason": "县政发〔2026〕3号"}
    assert client.post(f"/regions/{one.pk}/merge/", {**form, "code": "210802001009"}).status_code == 422
    assert RegionChange.objects.count() == 0
    response = client.post(f"/regions/{one.pk}/merge/", form)
    assert (response.status_code, response["Location"]) == (303, f"/regions/{one.pk}/")
    two.refresh_from_db()
    assert two.successor_id == one.pk
    assert "胜利社区" in client.get(f"/regions/{two.pk}/").content.decode()


def test_rename_and_new_code_and_split_and_move_through_the_pages(client, regions, sign_in):
    sign_in("system_administrator", "city")
    street, one = regions["a_street"], regions["a_one"]
    RegionCode.objects.create(region=street, source="mca", code=street.code, name=street.name, valid_from="2000-01-01")
    change = {"day": "2026-07-01", "reason": "x"}
    assert client.post(f"/regions/{street.pk}/rename/", {**change, "name": "滨海街道"}).status_code == 303
    assert (
        client.post(f"/regions/{street.pk}/recode/", {**change, "source": "mca", "code": "210802777000"}).status_code
        == 303
    )
    split = {**change, "name": "新街道", "code": "210802778000", "children": [one.pk]}
    assert client.post(f"/regions/{street.pk}/split/", split).status_code == 303
    made = Region.objects.get(name="新街道")
    assert (
        client.post(
            f"/regions/{made.pk}/move/", {**change, "day": "2026-07-02", "parent_id": regions["b"].full_name}
        ).status_code
        == 303
    )
    one.refresh_from_db()
    assert one.path.startswith(regions["b"].path)
    assert one.full_name == "辽宁省营口市西市区新街道清华社区"
    assert list(RegionChange.objects.order_by("id").values_list("kind", flat=True)) == [
        "rename",
        "recode",
        "split",
        "move",
    ]


def test_suggestions_and_the_lazy_tree(client, regions, sign_in):
    sign_in("bureau", "a")
    assert (
        "清华社区 210802001001"
        in client.get("/regions/options/", {"field": "region_id", "region_id": "清华"}).content.decode()
    )
    assert client.get("/regions/choices/").json()["regions"][0]["name"] == "站前区"
    assert [r["name"] for r in client.get("/regions/choices/", {"parent": regions["a"].pk}).json()["regions"]] == [
        "站前街道"
    ]
    assert client.get("/regions/choices/", {"parent": regions["b"].pk}).json()["regions"] == []
    assert client.get("/regions/choices/", {"parent": "x"}).status_code == 422
