"""The generic list: filters in the address, paging by key, saved views, bulk results, export. ux.md §3, R-011."""

import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from sangyu.kernel.models import DataRead, Operation
from sangyu.ui.models import BulkRun, Export, SavedView
from sangyu.ui.pages.keyset import Slice, page_of, plan_of, total_of

pytestmark = pytest.mark.django_db


def operations(regions, count=45, **extra):
    """Operations in turn in county A and B; every third has ended."""
    from django.utils import timezone

    made = [
        Operation(
            kind="test",
            title=f"批次 {i:03d}",
            path=regions["a_one" if i % 2 else "b_one"].path,
            audience="staff",
            actor="周敏经办",
            state="failed" if i % 3 == 0 else "waiting",
            finished_at=timezone.now() if i % 3 == 0 else None,
            done=i % 5,
            subject_id=i * 100 + 50,
            **extra,
        )
        for i in range(count)
    ]
    return Operation.objects.bulk_create(made)


def titles(response):
    return re.findall(r'class="name" href="[^"]*">([^<]+)<', response.text)


def walk(client, url, direction="next"):
    """All titles in order, following the pager."""
    seen = []
    while url:
        response = client.get(url)
        assert response.status_code == 200
        seen.append(titles(response))
        found = re.search(rf'rel="{direction}" href="([^"]+)"', response.text)
        url = "/t/operations/" + found[1].replace("&amp;", "&") if found else ""
    return seen, response


def test_filters_search_and_order_live_in_the_address(acting, regions):
    operations(regions)
    client = acting()
    response = client.get("/t/operations/?state=failed&sort=title&size=50")
    assert titles(response) == [f"批次 {i:03d}" for i in range(0, 45, 3)]
    assert 'value="failed" selected' in response.text
    assert titles(client.get("/t/operations/?q=批次 01&sort=title")) == [f"批次 {i:03d}" for i in range(10, 20)]
    assert titles(client.get("/t/operations/?q=%25")) == []  # text, not a pattern


def test_a_wrong_filter_value_is_answered_422_with_words(acting, regions):
    response = acting().get("/t/regions/?level=99")
    assert response.status_code == 422
    assert "请从所列选项中选择" in response.text


@pytest.mark.parametrize("order", ["title", "-title", "done", "-done", "finished_at", "-finished_at", "state"])
def test_paging_by_key_shows_every_row_once_in_both_directions(acting, regions, order):
    operations(regions)
    client = acting()
    forward, last = walk(client, f"/t/operations/?sort={order}&size=20")
    assert [len(p) for p in forward] == [20, 20, 5]
    assert len({t for p in forward for t in p}) == 45
    back = re.search(r'rel="prev" href="([^"]+)"', last.text)[1].replace("&amp;", "&")
    backward, _first = walk(client, "/t/operations/" + back, "prev")
    assert backward == [forward[1], forward[0]]


def test_rows_added_while_paging_are_neither_doubled_nor_do_they_hide_others(regions):
    operations(regions)
    first = page_of(Operation.objects.all(), "title", 20)
    Operation.objects.create(kind="test", title="批次 000 前", path=regions["a"].path, audience="staff", actor="x")
    Operation.objects.filter(title="批次 005").delete()
    second = page_of(Operation.objects.all(), "title", 20, after=first.after)
    assert [o.title for o in second.rows] == [f"批次 {i:03d}" for i in range(20, 40)]


def test_a_damaged_cursor_is_a_clear_answer(acting, regions):
    operations(regions)
    client = acting()
    for cursor in ("xx", "W10", "eyJhIjoxfQ", "WyJhIiwieCIsMV0"):
        response = client.get(f"/t/operations/?sort=title&after={cursor}")
        assert response.status_code == 422
        assert "页面地址不完整" in response.text


def test_totals_are_exact_below_the_limit_and_estimated_above(regions):
    operations(regions)
    assert total_of(Operation.objects.all()) == (45, True)
    total, exact = total_of(Operation.objects.all(), limit=10)
    assert exact is False
    assert total >= 10


def test_few_rows_are_counted_with_their_page(regions):
    """One statement gives the page and the total, on every page going forward, whatever the cursor; none where it would be wrong."""
    operations(regions)
    rows = Operation.objects.filter(state="waiting") | Operation.objects.exclude(state="waiting")
    seen, after, totals = [], "", []
    while True:
        with CaptureQueriesContext(connection) as asked:
            part = page_of(rows, "-done", 20, after=after, counted=True)
        assert len(asked) == 1
        seen += [o.pk for o in part.rows]
        totals.append(part.total)
        if not (after := part.after):
            break
    assert (totals, len(seen), len(set(seen))) == ([45, 45, 45], 45, 45)
    assert page_of(rows, "-done", 20, before=part.before, counted=True).total is None
    assert page_of(rows.distinct(), "-done", 20, counted=True).total is None
    assert page_of(rows.none(), "-done", 20, counted=True) == Slice([], 1)
    assert plan_of(rows.none()) == (0, 0.0)


def test_only_rows_in_scope_are_listed(acting, regions):
    operations(regions, 10)
    assert titles(acting("a").get("/t/operations/?sort=title")) == [f"批次 {i:03d}" for i in range(1, 10, 2)]


def test_the_fragment_is_the_same_as_that_part_of_the_page(acting, regions):
    operations(regions)
    client = acting()
    page = client.get("/t/operations/?state=waiting").text
    fragment = client.get("/t/operations/?state=waiting", headers={"HX-Request": "true", "HX-Target": "list"}).text

    def part(html):
        cut = html[html.index('<section class="card mt-3" id="list"') : html.index("</section>")]
        cut = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", cut)
        return re.sub(r"统计至 [\d :-]+", "", cut)

    assert part(fragment) == part(page)
    assert "<html" not in fragment


def test_queries_of_a_list_stay_few(acting, regions):
    operations(regions)
    client = acting()
    client.get("/t/operations/")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get("/t/operations/?state=waiting&sort=title").status_code == 200
    assert len(queries) <= 12
    with CaptureQueriesContext(connection) as more:
        client.get("/t/operations/?state=waiting&sort=title&size=100")
    assert len(more) <= len(queries)  # not one more per row


def test_columns_can_be_chosen_and_secret_ones_do_not_exist_for_others(acting, regions):
    client = acting(permissions={"t.view"})
    text = client.get("/t/regions/?cols=name,latitude").text
    assert "纬度" not in text
    assert re.findall(r"<th[^>]*>(?:<a[^>]*>)?([^<]+)", text) == ["名称"]
    assert re.findall(r"<th[^>]*>(?:<a[^>]*>)?([^<]+)", acting().get("/t/regions/?cols=name,latitude").text)[:2] == [
        "名称",
        "纬度",
    ]


# ---------------------------------------------------------------- export
def exported(response):
    assert response["Content-Type"].startswith("application/vnd.openxmlformats")
    content = b"".join(response.streaming_content)
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def test_export_holds_the_filter_who_and_when_and_ids_as_text(acting, regions):
    rows = exported(acting(permissions={"t.view"}).get("/t/regions/?export=xlsx&level=3&sort=name"))
    assert rows[0][0] == "区划"
    assert re.fullmatch(r"制表人：周敏　区划：营口市　时间：\d{4}-\d\d-\d\d \d\d:\d\d　编号：EX\d{8}-0001", rows[1][0])
    assert rows[2] == ["名称", "级别", "代码", "上级", "起始"]
    assert [r[0] for r in rows[3:]] == ["站前区", "西市区"]
    assert rows[3][2] == "210802000000"
    assert isinstance(rows[3][2], str)


def test_export_masks_by_permission_keeps_fen_exact_and_is_logged(acting, regions):
    operations(regions, 3)
    masked = exported(acting(permissions={"t.view"}).get("/t/operations/?export=xlsx&sort=title"))
    assert [r[4] for r in masked[3:]] == ["周敏****"] * 3
    assert [r[3] for r in masked[3:]] == [0.5, 1.5, 2.5]
    full = exported(acting().get("/t/operations/?export=xlsx&sort=title"))
    assert [r[4] for r in full[3:]] == ["周敏经办"] * 3
    assert DataRead.objects.filter(what="operations", actor="周敏").count() == 6


def test_a_long_export_becomes_background_work(acting, regions, monkeypatch):
    from sangyu.kernel import files
    from sangyu.kernel import operations as work
    from sangyu.ui.pages import export

    monkeypatch.setattr(export, "DIRECT_LIMIT", 2)
    operations(regions, 7)
    client = acting("a")
    response = client.get("/t/operations/?export=xlsx&sort=title")
    assert response.status_code == 303
    started = Operation.objects.get(kind="ui.export")
    assert response.url == f"/ui/operations/{started.pk}/"
    work.run(started.pk)
    started.refresh_from_db()
    assert (started.state, started.error) == ("done", "")
    book = CalamineWorkbook.from_filelike(io.BytesIO(files.read(client.actor, started.result["file_id"])))
    found = [r[0] for r in book.get_sheet_by_index(0).to_python()[3:]]
    assert [t for t in found if t.startswith("批次")] == ["批次 001", "批次 003", "批次 005"]  # the starter's scope
    assert "下载" in client.get(response.url).text
    log = Export.objects.get()
    assert (log.rows, log.actor, log.columns.split("、")[:2]) == (len(found), "周敏", ["名称", "状态"])
    assert log.file_id == started.result["file_id"]


def test_ticked_rows_are_exported_alone_and_every_export_is_in_the_log(acting, regions):
    rows = operations(regions, 6)
    client = acting(permissions={"t.view", "ui.exports"})
    found = exported(
        client.post(
            "/t/operations/?cols=done,title&sort=title", {"bulk": "export_rows", "ids": [rows[4].pk, rows[1].pk]}
        )
    )
    assert [r[:2] for r in found[2:]] == [["完成", "名称"], [1, "批次 001"], [4, "批次 004"]]
    log = client.get("/ui/exports/")
    assert log.status_code == 200
    assert re.search(r"EX\d{8}-0001", log.text)
    assert acting(permissions={"t.view"}).get("/ui/exports/").status_code == 403


# ---------------------------------------------------------------- bulk
def test_bulk_answers_with_a_result_per_row(acting, regions):
    rows = operations(regions, 4)
    client = acting()
    response = client.post("/t/operations/", {"bulk": "finish", "ids": [r.pk for r in rows]})
    run = BulkRun.objects.get()
    assert (response.status_code, response.url) == (303, f"/ui/acts/{run.pk}/")
    page = client.get(response.url)
    assert "4 条中已完成 2 条" in page.text
    assert page.text.count("失败的不能完成") == 2
    assert str(rows[3]) in page.text
    assert sorted(Operation.objects.values_list("title", flat=True).filter(state="done")) == ["批次 001", "批次 002"]
    assert list(run.rows.order_by("row_id").values_list("row_id", "name", "state")) == [
        (r.pk, str(r), state) for r, state in zip(rows, ("refused", "done", "done", "refused"), strict=True)
    ]


def test_all_rows_of_the_filter_are_asked_for_by_number_first_and_never_outside_the_scope(acting, regions):
    rows = operations(regions, 8)
    client = acting("a")
    asked = client.post("/t/operations/?state=waiting", {"bulk": "finish", "all": "1"})
    assert asked.status_code == 200
    assert "完成 3 项？" in asked.text
    assert not Operation.objects.filter(state="done").exists()
    done = client.post("/t/operations/?state=waiting", {"bulk": "finish", "all": "1", "sure": "1"})
    assert (done.status_code, done.url) == (303, "/t/operations/?state=waiting")
    assert set(Operation.objects.filter(state="done").values_list("title", flat=True)) == {
        "批次 001",
        "批次 005",
        "批次 007",
    }
    foreign = rows[2]
    response = acting("a").post("/t/operations/", {"bulk": "finish", "ids": [foreign.pk]})
    assert response.status_code == 422
    foreign.refresh_from_db()
    assert foreign.state == "waiting"


def test_an_act_is_taken_back_row_by_row_and_only_once(acting, regions):
    """R-011: undo goes through the rows that were done; what changed since is refused, not overwritten."""
    rows = operations(regions, 6)
    client = acting()
    response = client.post("/t/operations/", {"bulk": "finish", "ids": [rows[i].pk for i in (1, 2, 4)]})
    run = BulkRun.objects.get()
    assert response.url == "/t/operations/"
    assert f'data-undo="/ui/acts/{run.pk}/undo/"' in client.get(response.url).text
    Operation.objects.filter(pk=rows[2].pk).update(state="cancelled")
    client.post(f"/ui/acts/{run.pk}/undo/")
    back = run.undone_by
    assert list(back.rows.order_by("row_id").values_list("state", "message")) == [
        ("done", ""), ("refused", "已被改动"), ("done", ""),
    ]  # fmt: skip
    assert [Operation.objects.get(pk=rows[i].pk).state for i in (1, 2, 4)] == ["waiting", "cancelled", "waiting"]
    again = client.post(f"/ui/acts/{run.pk}/undo/")
    assert again.status_code == 409
    assert BulkRun.objects.count() == 2


def test_only_who_acted_sees_the_result_and_takes_it_back(acting, regions):
    rows = operations(regions, 3)
    acting("a").post("/t/operations/", {"bulk": "finish", "ids": [rows[1].pk]})
    run = BulkRun.objects.get()
    other = acting("city")
    assert other.get(f"/ui/acts/{run.pk}/").status_code == 404
    assert other.get(f"/ui/acts/{run.pk}/undo/").status_code == 404
    assert other.post(f"/ui/acts/{run.pk}/undo/").status_code == 404
    assert BulkRun.objects.count() == 1


def test_an_act_on_many_rows_runs_in_the_background_set_based_and_back(acting, regions, monkeypatch):
    from sangyu.kernel import operations as work
    from sangyu.ui.pages import bulk

    monkeypatch.setattr(bulk, "DIRECT_ROWS", 5)
    monkeypatch.setattr(bulk, "CHUNK", 4)
    operations(regions, 20)
    client = acting()
    asked = client.post("/t/operations/?state=waiting", {"bulk": "label", "all": "1"})
    assert 'name="done"' in asked.text
    wrong = client.post("/t/operations/?state=waiting", {"bulk": "label", "all": "1", "sure": "1", "done": "x"})
    assert wrong.status_code == 422
    assert not BulkRun.objects.exists()
    started = client.post("/t/operations/?state=waiting", {"bulk": "label", "all": "1", "sure": "1", "done": "9"})
    run = BulkRun.objects.get()
    assert started.url == f"/ui/acts/{run.pk}/"
    assert (run.count, run.finished_at) == (13, None)
    assert 'hx-trigger="ui:changed from:body, every 2s"' in client.get(started.url).text
    with CaptureQueriesContext(connection) as queries:
        work.run(run.operation_id)
    assert len([q for q in queries if 'UPDATE "kernel_operation" SET "done"' in q["sql"]]) == 4  # one a chunk
    run.refresh_from_db()
    assert run.finished_at is not None
    assert Operation.objects.filter(done=9, kind="test").count() == 12
    assert run.rows.filter(state="refused").values_list("message", flat=True).get() == "不能"
    client.post(f"/ui/acts/{run.pk}/undo/")
    work.run(run.undone_by.operation_id)
    assert Operation.objects.filter(done=9, kind="test").count() == 0
    assert [o.done for o in Operation.objects.filter(kind="test").order_by("title")] == [i % 5 for i in range(20)]


def test_an_interrupted_act_goes_on_where_it_stopped(acting, regions, monkeypatch):
    from sangyu.kernel import operations as work
    from sangyu.ui.pages import bulk

    monkeypatch.setattr(bulk, "DIRECT_ROWS", 2)
    rows = operations(regions, 6)
    client = acting()
    client.post("/t/operations/", {"bulk": "finish", "ids": [r.pk for r in rows]})
    run = BulkRun.objects.get()
    finished = run.rows.get(row_id=rows[1].pk)
    run.rows.filter(pk=finished.pk).update(state="done", name="前次")
    work.run(run.operation_id)
    rows[1].refresh_from_db()
    assert rows[1].state == "waiting"  # not acted on twice
    assert run.rows.filter(state="waiting").count() == 0


def test_bulk_needs_its_permission(acting, regions):
    rows = operations(regions, 2)
    response = acting(permissions={"t.view"}).post("/t/operations/", {"bulk": "finish", "ids": [rows[1].pk]})
    assert response.status_code == 403
    assert not Operation.objects.filter(state="done").exists()


# ---------------------------------------------------------------- saved views
def test_a_saved_view_keeps_filters_but_never_the_searched_name(acting, regions):
    operations(regions)
    client = acting()
    response = client.post(
        "/t/operations/?state=failed&q=王桂兰&sort=title&after=x", {"save_view": "1", "name": "失败的"}
    )
    assert (response.status_code, response.url) == (303, "?sort=title&state=failed")
    assert SavedView.objects.get().query == "sort=title&state=failed"
    assert "失败的" in client.get("/t/operations/").text
    assert "失败的" not in acting("a").get("/t/operations/").text


def test_a_default_view_opens_and_all_can_still_be_reached(acting, regions):
    operations(regions)
    client = acting()
    client.post("/t/operations/?state=failed", {"save_view": "1", "name": "失败的", "is_default": "1"})
    assert client.get("/t/operations/").url == "?state=failed"
    assert len(titles(client.get("/t/operations/?view=all&size=100"))) == 45


def test_role_views_are_for_the_role_in_the_region_and_below(acting, regions):
    response = acting(permissions={"t.view"}).post(
        "/t/operations/", {"save_view": "1", "name": "共享", "role_shared": "1"}
    )
    assert response.status_code == 403
    assert SavedView.objects.count() == 0
    acting("a").post("/t/operations/?state=failed", {"save_view": "1", "name": "共享", "role_shared": "1"})
    assert "共享<" in acting("a_one", permissions={"t.view"}).get("/t/operations/").text.replace("共享给", "")
    assert "共享<" not in acting("b", permissions={"t.view"}).get("/t/operations/").text.replace("共享给", "")


def test_a_view_is_removed_by_its_owner_only(acting, regions):
    acting("a").post("/t/operations/?state=failed", {"save_view": "1", "name": "我的"})
    pk = SavedView.objects.get().pk
    assert acting("b").post("/t/operations/", {"delete_view": pk}).status_code == 404
    assert acting("a").post("/t/operations/", {"delete_view": pk}).status_code == 303
    assert SavedView.objects.count() == 0


def test_a_view_is_renamed_replaced_and_made_default(acting, regions):
    client = acting("a")
    client.post("/t/operations/?state=failed", {"save_view": "1", "name": "我的"})
    client.post("/t/operations/?state=waiting", {"save_view": "1", "name": "另一个"})
    view = SavedView.objects.get(name="我的")
    taken = client.post("/t/operations/", {"rename_view": view.pk, "name": "另一个"})
    assert taken.status_code == 422
    client.post("/t/operations/", {"rename_view": view.pk, "name": "失败项"})
    client.post("/t/operations/?state=failed&sort=-title&cols=title", {"replace_view": view.pk})
    client.post("/t/operations/", {"default_view": view.pk})
    view.refresh_from_db()
    assert (view.name, view.query, view.is_default) == ("失败项", "cols=title&sort=-title&state=failed", True)
    assert client.get("/t/operations/").url == "?" + view.query
    client.post("/t/operations/", {"default_view": view.pk})
    assert client.get("/t/operations/").status_code == 200
    for act in ("rename_view", "replace_view", "default_view"):
        assert acting("b").post("/t/operations/", {act: view.pk, "name": "x"}).status_code == 404


def test_columns_come_in_the_chosen_order(acting, regions):
    text = acting().get("/t/regions/?cols=code,name").text
    assert re.findall(r"<th[^>]*>(?:<a[^>]*>)?([^<]+)", text)[:2] == ["代码", "名称"]
