"""A messy roster through the browser: upload, matching, errors, commit, rejected file, held row; then a status list."""

import io
import os

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from sangyu.kernel import operations
from sangyu.kernel.importing import services
from sangyu.kernel.importing.models import HeldRow, ImportBatch
from sangyu.registry.people.models import Person
from sangyu.registry.statuslists.models import StatusLine

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
HEAD = ("序号", "老人姓名", "性别", "出生年月日", "身份证号码", "手机", "社区（村）", "家庭住址", "居住情况")
ROWS = [
    (1, "张桂兰", "女", "1945.6.12", "", "138 0417 0000", "清华社区", "清华路12号", "独居"),
    (2, "李国强", "1", "四一年三月五日", "", 13804170001.0, "胜利社区", "", "空巢"),
    (3, "赵玉珍", "女", "农历四〇年正月初一", "", "", "清华社区", "", ""),
    (4, "孙福来", "男", "1941.2.30", "", "", "清华社区", "", ""),
    (5, "周志明", "男", "19380102", 210802193801025990.0, "", "清华社区", "", ""),
    (6, "陈素芬", "女", "1944/1/1", "", "123", "青华社区", "", "独剧"),
]


@pytest.fixture
def officer(acting):
    """Every request of the live server is made by a bureau officer of county a."""
    return acting("a")


def workbook(rows, head=HEAD) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False})
    sheet = book.add_worksheet()
    sheet.write(0, 0, "站前街道老年人花名册（2026年11月）")
    for at, cells in enumerate([head, *rows], start=2):
        sheet.write_row(at, 0, cells)
    book.close()
    return out.getvalue()


def work() -> None:
    """What the worker would do now."""
    batch = ImportBatch.objects.select_related("operation").latest("id")
    operations.run(batch.operation_id)
    batch.operation.refresh_from_db()
    assert batch.operation.state == "done", batch.operation.error


def upload(page, name: str, data: bytes) -> None:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    page.set_input_files("#file", {"name": name, "mimeType": kind, "buffer": data})


def step(page, button: str, words: str) -> None:
    """Press ``button``, see that the platform works on it, and let it."""
    page.click(f"button[value={button}]")
    page.get_by_text(words).wait_for()
    work()


def bring_in(page) -> None:
    """From the chosen file to the written rows, with the proposed matching."""
    step(page, "upload", "正在读取文件")
    step(page, "match", "正在核对各行")
    step(page, "commit", "正在写入")


def shot(page, name: str) -> None:
    if folder := os.environ.get("SANGYU_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_a_messy_roster_and_a_status_list(screen, officer, regions, monkeypatch):
    monkeypatch.setattr(services, "SMALL_FILE", 0)  # as if it were large: read and checked in the background
    monkeypatch.setattr(services, "SMALL_TABLE", 0)
    page = screen
    page.on("console", lambda m: page.faults.append(m.text) if m.type == "error" else None)

    page.goto("/people/import/")
    upload(page, "花名册.xlsx", workbook(ROWS))
    page.fill("#source", "站前街道花名册")
    shot(page, "import-1-upload")
    page.click("button[value=upload]")
    page.get_by_text("正在读取文件").wait_for()
    shot(page, "import-2-reading")
    work()
    page.locator("button[value=match]").wait_for()
    assert page.locator("#column_name option:checked").inner_text() == "老人姓名"
    shot(page, "import-3-match")
    page.click("button[value=match]")
    page.get_by_text("正在核对各行").wait_for()
    page.click("button[value=cancel]")
    page.locator("button[value=match]").wait_for()
    page.click("button[value=match]")
    page.get_by_text("正在核对各行").wait_for()
    work()
    page.locator("button[value=commit]").wait_for()
    shot(page, "import-4-preview")
    words = page.locator("#import").inner_text()
    assert "农历" in words
    assert "是否应为“独居”" in words
    assert Person.objects.count() == 0
    step(page, "commit", "正在写入")
    page.get_by_role("link", name="返回列表").or_(page.locator("a.btn--pri")).first.wait_for()
    shot(page, "import-5-done")
    assert sorted(Person.objects.values_list("name", flat=True)) == ["张桂兰", "李国强"]
    assert Person.objects.get(name="张桂兰").source == "站前街道花名册，第4行"
    with page.expect_download() as got:
        page.click("a[href*='file=rejected']")
    rows = CalamineWorkbook.from_path(got.value.path()).get_sheet_by_index(0).to_python()
    assert [r[3] for r in rows[1:]] == ["赵玉珍", "孙福来", "周志明", "陈素芬"]

    page.goto("/people/import/")
    assert page.locator("#sources option").first.get_attribute("value") == "站前街道花名册"
    upload(page, "花名册.xlsx", workbook([(1, "张桂兰", "女", "1945.6.12", "", "13904170009", "胜利社区", "", "")]))
    bring_in(page)
    page.click("a[href$='/people/held/']")
    page.get_by_role("link", name="张桂兰").first.click()
    page.locator("input[name=decision]").first.check()
    page.fill("input[name=reason]", "电话核实")
    shot(page, "import-6-held")
    page.get_by_role("button", name="核实").click()
    page.get_by_role("heading", name="待核实的行").wait_for()
    assert HeldRow.objects.get().state == "same"
    assert Person.objects.get(name="张桂兰").region_id == regions["a_two"].pk

    page.goto("/statuslists/import/")
    page.select_option("#list_kind", "minimum_living")
    page.fill("#month", "2026-10")
    page.fill("#authority", "站前区民政局")
    upload(page, "低保.xlsx", workbook([(1, "张桂兰", "女", "1945.6.12", "", "", "胜利社区", "", ""), (2, "无此人", "男", "1940.1.1", "", "", "清华社区", "", "")]))  # fmt: skip
    shot(page, "statuslist-1-upload")
    bring_in(page)
    page.locator("a.btn--pri").first.click()
    page.get_by_text("无此人").first.wait_for()
    shot(page, "statuslist-2-lines")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    shot(page, "statuslist-3-phone")
    assert [line.outcome for line in StatusLine.objects.order_by("row")] == ["new", "miss"]
    assert page.faults == []
