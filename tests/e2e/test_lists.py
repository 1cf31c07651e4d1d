"""What people do with every list, on screen: views, columns, acts on many rows and back, export (ux.md §3, R-014)."""

import io
import re
from datetime import date

import pytest
from python_calamine import CalamineWorkbook

from sangyu.registry.people import services
from sangyu.registry.people.models import Person
from sangyu.ui.models import Export, SavedView

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
TODAY = date.today().isoformat()


@pytest.fixture
def elders(acting, regions):
    """Twenty-five women and three men of one community."""
    actor = acting("a")
    for n in range(28):
        services.register(
            actor=actor, name=f"张桂{'兰芳琴英珍'[n % 5]}{'一二三四五六'[n // 5]}", sex="2" if n < 25 else "1",
            birth_date=date(1940, 1, 1 + n), region_id=regions["a_one"].pk, source="社区台账", registered_on=date(2020, 5, 1),
        )  # fmt: skip
    return actor


def rows(screen):
    return screen.locator("[data-row]")


def test_a_view_is_saved_with_filter_and_columns_and_opened_again(screen, elders):
    screen.goto("/people/?sex=1")
    assert rows(screen).count() == 3
    screen.locator("details:has([data-columns]) > summary").click()
    shown = screen.locator("[data-columns] input[type=checkbox]:checked")
    before = shown.count()
    shown.last.uncheck()
    screen.locator("[data-columns] button[type=submit]").click()
    screen.wait_for_url(re.compile("cols="))
    assert screen.locator("thead th[scope=col]:not(.c-check)").count() == before - 1
    screen.locator("details:has([name=save_view]) > summary").click()
    screen.fill("details[open] input[name=name]", "男性老人")
    screen.locator("[name=save_view]").click()
    screen.locator("#views a:has-text('男性老人')").wait_for()
    assert SavedView.objects.get().name == "男性老人"
    screen.goto("/people/")
    assert rows(screen).count() == 20
    screen.locator("#views a:has-text('男性老人')").click()
    screen.wait_for_url(re.compile("sex=1"))
    assert (rows(screen).count(), "cols=" in screen.url) == (3, True)
    assert screen.faults == []


def test_all_rows_of_a_filter_are_checked_and_taken_back(screen, elders):
    """Twenty-five match, twenty are on the page: "all" says so, asks, answers for each row, and is taken back."""
    screen.goto("/people/?sex=2")
    screen.locator("[data-page]").check()
    screen.locator("[data-all]").check()
    screen.locator("button[name=bulk][value=check]").click()
    screen.locator("input[name=on]").wait_for()
    assert "25" in screen.locator("main form").first.inner_text()
    screen.locator("main form .btn--pri").click()
    back = screen.locator(".toast button[data-undo]")
    back.wait_for()
    assert "25" in screen.locator(".toast").inner_text()
    assert Person.objects.filter(checked_on=TODAY, sex="2").count() == 25
    assert Person.objects.filter(checked_on=TODAY, sex="1").count() == 0
    back.click()
    screen.locator(".toast:has-text('已撤销')").wait_for()
    assert Person.objects.filter(checked_on=TODAY).count() == 0
    screen.goto("/ui/acts/")
    assert rows(screen).count() == 2
    assert screen.faults == []


def test_ticked_rows_leave_as_a_workbook_that_says_who_and_when(screen, elders):
    screen.goto("/people/")
    for box in screen.locator("tbody input[name=ids]").all()[:3]:
        box.check()
    with screen.expect_download() as waiting:
        screen.locator("button[name=bulk][value=export_rows]").click()
    content = (
        CalamineWorkbook.from_filelike(io.BytesIO(waiting.value.path().read_bytes())).get_sheet_by_index(0).to_python()
    )
    written = [[str(c) for c in row] for row in content]
    log = Export.objects.get()
    assert sum(1 for row in written if row[0].startswith("张桂")) == 3 == log.rows
    assert any(log.number in cell for row in written for cell in row)
    assert any("周敏" in cell for row in written for cell in row)
    with screen.expect_download():
        screen.locator("a[data-download]").click()
    assert [e.rows for e in Export.objects.order_by("pk")] == [3, 28]
    assert screen.faults == []
