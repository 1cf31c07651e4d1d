"""The screens of runs and payments as officers open them; the public notice; the bank's return file."""

import io
from datetime import date
from unittest.mock import patch

import pytest
import xlsxwriter
from django.test import Client
from django.urls import reverse

from care.benefits.conftest import NOVEMBER, OCTOBER, at
from sangyu.care.benefits import selectors, services
from sangyu.care.benefits.enums import LineState, RunState
from sangyu.care.benefits.models import Line, Payment, Recovery, Review, Run
from sangyu.kernel.identity import mask_name
from sangyu.kernel.importing import at_once
from sangyu.kernel.importing.work import Silent
from sangyu.kernel.scoping import scope
from support.pages import client_for

pytestmark = pytest.mark.django_db


def clock(now):
    """Everything that asks for the time is told ``now``."""
    return patch("django.utils.timezone.now", lambda: now)


@pytest.fixture
def road(county, settings, tmp_path):
    """October released and in a bank file, one recovery in November; every kind of row is there."""
    settings.MEDIA_ROOT = tmp_path
    one, two, *_rest = county.people
    county.released(OCTOBER, [county.line(one, 30000), county.line(two, 20000)])
    county.file = services.make_bank_file(actor=county.pays, region_id=county.region.pk, now=at(10, 10))
    services.send(actor=county.pays, file_id=county.file.pk, now=at(10, 10))
    rows = [county.line(two, 20000, month=m) for m in (OCTOBER, NOVEMBER)]
    county.released(NOVEMBER, rows, past=(OCTOBER,))
    return county


def test_every_page_opens(road):
    line, run = Line.objects.order_by("id").first(), Run.objects.get(month=OCTOBER)
    client = client_for(road.pays)
    case = Recovery.objects.get()
    for name, args in (
        ("list", []), ("new", []), ("lines", []), ("reviews", []), ("files", []), ("file_bank", []), ("file_insurer", []),
        ("file_vouchers", []), ("payments", []), ("recoveries", []), ("funds", []), ("fund_new", []), ("totals", []),
        ("return", []), ("notices", []), ("detail", [run.pk]), ("detail-totals", [run.pk]), ("detail-reviews", [run.pk]),
        ("detail-basis", [run.pk]), ("detail-trail", [run.pk]), ("detail-history", [run.pk]), ("line", [line.pk]),
        ("line_print", [line.pk]), ("file", [road.file.pk]), ("file-items", [road.file.pk]),
        ("payment", [Payment.objects.first().pk]), ("recovery", [case.pk]), ("recovery-lines", [case.pk]),
        ("recovery-instalments", [case.pk]), ("agree", [case.pk]), ("repay", [case.pk]), ("waive", [case.pk]),
        ("fund", [road.fund.pk]), ("fund-years", [road.fund.pk]), ("fund_receive", [road.fund.pk]),
    ):  # fmt: skip
        response = client.get(reverse(f"benefits:{name}", args=args))
        assert response.status_code == 200, (name, response.status_code)
    shown = client.get(reverse("benefits:line", args=[line.pk])).content.decode()
    assert "王桂兰" in shown
    assert "300.00" in shown
    for by in ("policy", "area", "fund", "month", "year"):
        assert "500.00" in client.get(reverse("benefits:totals"), {"by": by, "since": "2026-10-01", "until": "2026-10-31"}).content.decode()  # fmt: skip
    assert client.get(reverse("benefits:totals_xlsx")).status_code == 200
    assert client.get(reverse("benefits:lines"), {"run": run.pk, "change": "new", "q": "王桂"}).status_code == 200


def test_a_plan_period_is_the_sum_of_its_runs(road):
    """R-056: totals by policy equal the released runs."""
    with scope(road.pays):
        rows = selectors.totals(road.pays, "year", since=date(2026, 1, 1), until=date(2031, 1, 1))
        released = sum(r.total for r in Run.objects.filter(state__in=["released", "paid", "reconciled"]))
    assert [(r.label, r.amount) for r in rows] == [("2026", released)] == [("2026", 40000)]


def test_an_officer_walks_a_run_through_the_screens(county, settings):
    run = county.computed(OCTOBER, [county.line(p, 30000) for p in county.people[:3]])
    street, boss = client_for(county.street), client_for(county.prepares)
    first = run.lines.first()
    assert street.post(reverse("benefits:withhold", args=[first.pk]), {"reason": "待核"}).status_code in (204, 303)
    reviews = {r.level: r.pk for r in Review.objects.filter(run=run)}
    assert street.get(reverse("benefits:detail", args=[run.pk])).status_code == 200
    assert street.get(reverse("benefits:review_lines", args=[reviews["street"]])).status_code == 303
    assert boss.post(reverse("benefits:review_county", args=[reviews["county"]])).status_code == 409
    assert street.post(reverse("benefits:review_street", args=[reviews["street"]])).status_code == 303
    assert boss.post(reverse("benefits:review_county", args=[reviews["county"]])).status_code == 303
    assert boss.post(reverse("benefits:approve", args=[run.pk])).status_code == 409
    assert client_for(county.approves).post(reverse("benefits:approve", args=[run.pk])).status_code == 303
    assert client_for(county.approves).post(reverse("benefits:release", args=[run.pk])).status_code == 409
    assert client_for(county.releases).post(reverse("benefits:release", args=[run.pk])).status_code == 303
    run.refresh_from_db()
    assert (run.state, run.total, Line.objects.get(pk=first.pk).state) == (RunState.RELEASED, 60000, LineState.WITHHELD)
    pays = client_for(county.pays)
    given = {"region": f"{county.region.full_name} {county.region.code}", "layout": "standard"}
    made = pays.post(reverse("benefits:file_bank"), given)
    assert made.status_code == 303
    assert pays.post(reverse("benefits:file_bank"), given).status_code == 409
    file_id = int(made["Location"].rstrip("/").rsplit("/", 1)[-1])
    got = pays.get(reverse("benefits:file_download", args=[file_id]))
    assert (got.status_code, got["Content-Disposition"].endswith('.xlsx"')) == (200, True)


def test_everybody_reads_the_notice_with_masked_names(county):
    """R-039: masked names, while it lasts."""
    run = county.reviewed(county.computed(OCTOBER, [county.line(p, 30000) for p in county.people]))
    notice = services.publish(actor=county.prepares, run_id=run.pk, days=7, now=at(10, 8))
    url = reverse("benefits:notice", args=[notice.code])
    with clock(at(10, 9)):
        shown = Client().get(url).content.decode()
        assert Client().get(reverse("benefits:notices")).content.decode().count(notice.code) == 1
    assert "王桂兰" not in shown
    assert shown.count("300.00") == 3
    assert mask_name("王桂兰") in shown
    with clock(at(10, 15)):
        assert Client().get(url).status_code == 404
    assert Client().get(reverse("benefits:notice", args=["0" * 16])).status_code == 404


def workbook(rows):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    for n, row in enumerate([("付款编号", "金额（元）", "处理结果", "失败原因"), *rows]):
        sheet.write_row(n, 0, row)
    book.close()
    out.seek(0)
    out.name = "return.xlsx"
    return out


def test_the_return_file_settles_each_payment_once(road):
    """A return file is imported with the import's rules; what is wrong in it is told by row."""
    one, two = Payment.objects.filter(run__month=OCTOBER).order_by("id")
    rows = [
        (one.reference, 300, "成功", ""), (two.reference, 200, "失败", "户名不符"), (one.reference, 300, "成功", ""),
        ("BF9999999999", 1, "成功", ""), (two.reference, "x", "?", ""),
    ]  # fmt: skip
    given = {"actor": road.pays, "kind": "benefits.return", "settings": {"file": road.file.number}}
    with clock(at(10, 12)):
        found = at_once.run(Silent(), file=workbook(rows), **given)
    assert {k: found.state.counts[k] for k in ("new", "unchanged", "rejected")} == {
        "new": 2,
        "unchanged": 0,
        "rejected": 3,
    }
    assert [Payment.objects.get(pk=p.pk).state for p in (one, two)] == ["paid", "rejected"]
    with clock(at(10, 12)):
        again = at_once.run(Silent(), file=workbook(rows[:1]), **given)
    assert (again.state.counts["unchanged"], again.state.counts["new"]) == (1, 0)
    assert Payment.objects.get(pk=one.pk).state == "paid"
