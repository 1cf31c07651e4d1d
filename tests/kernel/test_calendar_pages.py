"""The working calendar on screen: exceptions by day and from a workbook; who keeps it (R-083's deadlines follow it)."""

from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile

from sangyu.kernel import calendar, operations
from sangyu.kernel.errors import Refused
from sangyu.kernel.importing import services as importing
from sangyu.kernel.importing.importer import Importer
from sangyu.kernel.models import CalendarDay, Change
from support.pages import client_for

pytestmark = pytest.mark.django_db
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def test_a_day_is_added_seen_and_removed(staff):
    client = client_for(staff("city", permissions=["ui.calendar"]))
    saturday = date(2026, 10, 17)
    assert not calendar.is_working_day(saturday)
    answer = client.post("/ui/calendar/new/", {"day": "2026-10-17", "is_working": "yes", "name": "补国庆"})
    assert answer.status_code == 303
    assert calendar.is_working_day(saturday)
    page = client.get("/ui/calendar/?year=2026").content.decode()
    assert "补国庆" in page
    assert "周六" in page or "星期六" in page
    assert "补国庆" not in client.get("/ui/calendar/?year=2027").content.decode()
    row = CalendarDay.objects.get()
    assert client.get(f"/ui/calendar/{row.pk}/remove/").status_code == 200
    assert client.post(f"/ui/calendar/{row.pk}/remove/").status_code == 303
    assert not calendar.is_working_day(saturday)
    assert list(Change.objects.filter(table_name="kernel_calendarday").values_list("op", flat=True)) == ["I", "D"]


def test_the_second_word_of_a_day_holds(staff):
    city = staff("city")
    calendar.set_day(actor=city, day=date(2026, 12, 24), is_working=False, name="x")
    calendar.set_day(actor=city, day=date(2026, 12, 24), is_working=True)
    assert list(CalendarDay.objects.values_list("is_working", "name")) == [(True, "")]


def test_a_county_does_not_change_everybodys_calendar(staff):
    client = client_for(staff("a", permissions=["ui.calendar"]))
    answer = client.post("/ui/calendar/new/", {"day": "2026-10-17", "is_working": "yes"})
    assert answer.status_code == 409
    with pytest.raises(Refused):
        calendar.remove_day(actor=staff("a"), day_id=1)
    assert CalendarDay.objects.count() == 0
    assert client_for(staff("city", permissions=[])).get("/ui/calendar/").status_code == 403


def workbook(*rows) -> SimpleUploadedFile:
    out = BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for n, row in enumerate([("日期", "结束日期", "安排", "名称"), *rows]):
            sheet.write_row(n, 0, row)
    return SimpleUploadedFile("notice.xlsx", out.getvalue(), content_type=XLSX)


def test_the_notice_as_a_workbook(staff):
    city = replace(staff("city"), account_id=7)
    calendar.set_day(actor=city, day=date(2027, 2, 6), is_working=False)
    importer = Importer("ui.calendar")
    pk = importer.upload(
        actor=city,
        file=workbook(
            ("2027-02-05", "2027-02-12", "放假", "春节"),
            ("2027-02-20", "", "上班", "春节"),
            ("2027-02-12", "", "上班", "twice"),
            ("2027-05-01", "2027-04-01", "放假", "劳动节"),
        ),
    )
    state = importer.state(actor=city, import_id=pk)
    state = importer.match(actor=city, import_id=pk, matching=state.matching)
    assert {(p.row, p.code) for p in state.problems} == {(4, "twice"), (5, "calendar.span")}
    operations.run(importing.commit(actor=city, kind="ui.calendar", import_id=pk))
    assert CalendarDay.objects.filter(is_working=False).count() == 8
    assert list(CalendarDay.objects.filter(is_working=True).values_list("day", "name")) == [(date(2027, 2, 20), "春节")]
