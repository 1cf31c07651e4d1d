"""Refusals become 403, 404, 409, 422 on page and fragment, and nothing is kept; forms, actions, frame. ux.md §3, R-011."""

import json
import re

import pytest
from django.utils import timezone

from sangyu.kernel.models import Operation
from sangyu.registry.regions.models import Region

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def operation(regions):
    return Operation.objects.create(
        kind="test", title="批次 1", path=regions["b_one"].path, audience="staff", actor="x"
    )


def test_403_names_the_missing_permission(acting, regions, operation):
    response = acting("b", permissions={"t.view"}).get(f"/t/operations/{operation.pk}/cancel/")
    assert response.status_code == 403
    assert "t.edit" in response.text
    assert "您当前是：周敏，西市区" in response.text


def test_404_outside_the_scope_for_page_and_fragment(acting, operation):
    for headers in ({}, HTMX):
        response = acting("a").get(f"/t/operations/{operation.pk}/cancel/", headers=headers)
        assert response.status_code == 404
        assert ("<html" in response.text) is (not headers)
    assert acting("a").get("/nowhere/").status_code == 404


def test_409_and_nothing_is_changed(acting, operation):
    Operation.objects.update(state="done", finished_at=timezone.now())
    response = acting("b").post(f"/t/operations/{operation.pk}/cancel/")
    assert response.status_code == 409
    assert "已经完成，不能取消" in response.text
    operation.refresh_from_db()
    assert operation.state == "done"


def test_500_has_a_number_and_says_that_nothing_was_saved(acting, regions, monkeypatch):
    from ui_test_pages import RegionList

    def broken(self):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(RegionList, "get_queryset", broken)
    response = acting().get("/t/regions/")
    assert response.status_code == 500
    assert re.search(r"E-\d{8}-[0-9A-F]{6}", response.text)
    assert "secret detail" not in response.text


def test_an_action_answers_a_page_with_a_redirect_and_htmx_with_a_toast_and_undo(acting, operation):
    client = acting("b")
    asked = client.get(f"/t/operations/{operation.pk}/cancel/", headers=HTMX)
    assert "取消“批次 1”？" in asked.text
    assert "<html" not in asked.text
    done = client.post(f"/t/operations/{operation.pk}/cancel/", headers=HTMX)
    assert done.status_code == 204
    said = json.loads(done["HX-Trigger"])
    assert said["ui:toast"] == {"message": "已取消", "undo": f"/t/operations/{operation.pk}/undo/"}
    assert "ui:changed" in said
    operation.refresh_from_db()
    assert operation.state == "cancelled"
    Operation.objects.update(state="waiting", finished_at=None)
    plain = client.post(f"/t/operations/{operation.pk}/cancel/")
    assert (plain.status_code, plain.url) == (303, "/t/operations/")


def test_next_never_leaves_the_site(acting, operation):
    response = acting("b").post(f"/t/operations/{operation.pk}/cancel/", {"next": "https://example.org/"})
    assert response.url == "/t/operations/"


def test_form_errors_come_back_422_with_summary_message_and_values(acting, regions):
    region = regions["a"]
    client = acting()
    response = client.post(f"/t/regions/{region.pk}/edit/", {"name": "", "urban": "true"})
    assert response.status_code == 422
    assert '<a href="#id_name">名称：请填写此项。</a>' in response.text
    assert 'aria-invalid="true"' in response.text
    response = client.post(f"/t/regions/{region.pk}/edit/", {"name": "坏", "urban": "true"}, headers=HTMX)
    assert response.status_code == 422
    assert response["X-Swap"] == "1"
    for words in ("有 2 处需要修改", "这个名称不能用", "整体也不对", 'value="坏"'):
        assert words in response.text
    response = client.post(f"/t/regions/{region.pk}/edit/", {"name": "忙"})
    assert response.status_code == 409
    assert "现在不能改" in response.text
    region.refresh_from_db()
    assert region.name == "站前区"


def test_saving_redirects_with_a_toast(acting, regions):
    region = regions["a"]
    client = acting()
    response = client.post(f"/t/regions/{region.pk}/edit/", {"name": "站前新区"})
    assert (response.status_code, response.url) == (303, f"/t/regions/{region.pk}/")
    text = client.get(response.url).text
    assert "已保存。" in text
    assert "站前新区" in text


def test_an_edit_conflict_shows_both_values_and_a_second_save_wins(acting, regions):
    region = regions["a"]
    client = acting()
    url = f"/t/regions/{region.pk}/edit/"
    version = re.search(r'name="_version" value="([^"]+)"', client.get(url).text)[1]
    Region.objects.filter(pk=region.pk).update(name="别人改的")
    response = client.post(url, {"name": "我改的", "_version": version})
    assert response.status_code == 409
    for words in ("别人改的", "我改的", "有人改过同样的内容"):
        assert words in response.text
    region.refresh_from_db()
    assert region.name == "别人改的"
    version = re.search(r'name="_version" value="([^"]+)"', response.text)[1]
    assert client.post(url, {"name": "我改的", "_version": version}).status_code == 303
    region.refresh_from_db()
    assert region.name == "我改的"


def test_an_untouched_field_is_no_conflict(acting, regions):
    region = regions["a"]
    client = acting()
    url = f"/t/regions/{region.pk}/edit/"
    version = re.search(r'name="_version" value="([^"]+)"', client.get(url).text)[1]
    assert client.post(url, {"name": "站前区", "urban": "true", "_version": version}).status_code == 303


def test_tabs_have_addresses_permissions_and_a_fragment(acting, regions):
    pk = regions["a"].pk
    assert f'href="/t/regions/{pk}/children/" aria-current="page"' in acting().get(f"/t/regions/{pk}/children/").text
    assert acting(permissions={"t.view"}).get(f"/t/regions/{pk}/secret/").status_code == 403
    assert "内部" not in acting(permissions={"t.view"}).get(f"/t/regions/{pk}/").text
    fragment = acting().get(f"/t/regions/{pk}/history/", headers={**HTMX, "HX-Target": "tab"}).text
    assert fragment.startswith('<section id="tab"')


def test_history_shows_who_old_and_new(acting, regions):
    pk = regions["a"].pk
    client = acting()
    client.post(f"/t/regions/{pk}/edit/", {"name": "站前新区"})
    text = client.get(f"/t/regions/{pk}/history/").text
    assert '<span class="was">站前区</span> → <span class="now-v">站前新区</span>' in text
    assert "周敏" in text


def test_every_answer_carries_the_policy_and_no_other_origin(acting, regions):
    for url in ("/t/regions/", "/ui/gallery/", "/nowhere/"):
        response = acting().get(url)
        policy = response["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', response.text)


def test_the_elder_theme_has_its_own_error_page(acting, regions):
    client = acting()
    client.cookies["ui"] = "elder"
    text = client.get("/nowhere/").text
    assert 'data-ui="elder"' in text
    assert "12349" in text


def test_english_by_switch(acting, regions):
    client = acting()
    client.cookies["django_language"] = "en"
    text = client.get("/ui/gallery/").text
    assert '<html lang="en"' in text
    assert "Save as view" in client.get("/t/regions/").text
    chinese = acting().get("/ui/gallery/").text
    assert '<html lang="zh-CN"' in chinese


def test_a_page_without_a_permission_does_not_start():
    from django.core.exceptions import ImproperlyConfigured

    from sangyu.ui.pages import PlainPage, paths

    class Forgotten(PlainPage):
        url, name = "x/", "x"

    with pytest.raises(ImproperlyConfigured, match="names no permission"):
        paths(Forgotten)
