"""Exports: the rows of a list as a spreadsheet with who, when and its number on every page, masked by permission, logged."""

import tempfile
from datetime import date, datetime
from decimal import Decimal

import xlsxwriter
from django.http import FileResponse, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from sangyu.kernel.audit import log_read
from sangyu.kernel.numbering import next_number
from sangyu.kernel.subjects import about_restricted
from sangyu.kernel.workbooks import XLSX
from sangyu.ui import format as fmt
from sangyu.ui import views
from sangyu.ui.models import Export

from .bulk import reference

#: More rows than this are written by a background operation.
DIRECT_LIMIT = 1_000


def without_restricted(page, rows) -> tuple:
    """``rows`` of a list with personal data without those about restricted persons (PIPL 47), and how many these are."""
    restricted = about_restricted(rows.model) if page.personal else None
    if restricted is None:
        return rows, 0
    return rows.exclude(restricted), rows.filter(restricted).order_by().values("pk").distinct().count()


def write_workbook(page, rows, target, *, number: str, left_out: int = 0, progress=None) -> int:
    """Write ``rows`` (an iterable) with the page's shown columns to ``target`` (a path or file); returns the row count.

    Two head lines say what, who, when and which export (``number``), the head and foot of each printed page say it again,
    and how many rows were ``left_out`` because the persons are restricted; then the header row, frozen, filterable and
    repeated in print. Everything but quantities is text, so long numbers keep all digits.
    """
    columns = page.shown_columns
    book = xlsxwriter.Workbook(
        target, {"constant_memory": True, "in_memory": False, "strings_to_formulas": False, "strings_to_urls": False}
    )
    title = page.get_title()
    sheet = book.add_worksheet(_sheet_name(title))
    base = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "vcenter"}
    head = book.add_format({**base, "bold": True, "bg_color": "#F3EDEA", "border": 1, "border_color": "#D8D1CE"})
    text, count = book.add_format({**base, "num_format": "@"}), book.add_format({**base, "num_format": "#,##0"})
    cash = book.add_format({**base, "num_format": "#,##0.00"})
    for i, column in enumerate(columns):
        sheet.set_column(i, i, column.width, text)
    sheet.write_string(0, 0, title, book.add_format({**base, "bold": True, "font_size": 14}))
    who = {
        "name": page.actor.name,
        "region": page.actor.region_name or fmt.DASH,
        "time": fmt.moment(timezone.now()),
        "number": number,
    }
    prepared = _("Prepared by: %(name)s   Area: %(region)s   Time: %(time)s   Number: %(number)s") % who
    if left_out:
        prepared += "   " + ngettext(
            "%(n)d row left out: restricted by law", "%(n)d rows left out: restricted by law", left_out
        ) % {"n": left_out}
    sheet.write_string(1, 0, prepared, book.add_format({**base, "font_color": "#574C54"}))
    for i, column in enumerate(columns):
        sheet.write_string(2, i, column.heading(page.model), head)
    sheet.freeze_panes(3, 0)
    sheet.repeat_rows(2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    mark = prepared.replace("&", "&&")[:240]
    sheet.set_header(f"&C&8{mark}")
    sheet.set_footer(f"&L&8{number}&C&P / &N&R&8{page.actor.name.replace('&', '&&')[:60]}")
    book.set_properties({"title": title, "author": page.actor.name, "comments": prepared})
    at = 2
    for at, row in enumerate(rows, start=3):
        for i, column in enumerate(columns):
            value = column.export(row, page.actor)
            if value is None or value == "":
                continue
            if isinstance(value, Decimal):
                sheet.write_number(at, i, float(value), cash)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                sheet.write_number(at, i, value, count)
            elif isinstance(value, (date, datetime)):
                sheet.write_string(at, i, fmt.plain(value), text)
            else:
                sheet.write_string(at, i, str(value)[:32_000], text)
        if progress and at % 500 == 0:
            progress(at - 2)
    if at > 2:
        sheet.autofilter(2, 0, at, len(columns) - 1)
    book.close()
    return at - 2


def file_name(page) -> str:
    """Title and minute: 老人档案-202610151430.xlsx."""
    return f"{page.get_title()}-{timezone.localtime():%Y%m%d%H%M}.xlsx"


def ordered(page, rows):
    """Rows in the order of the screen."""
    order = page.order
    return rows.order_by(order, "pk") if order.lstrip("-") != "pk" else rows.order_by(order)


def export_response(page, rows=None) -> HttpResponse:
    """The file at once, or a background operation above DIRECT_LIMIT; either is a row in the log of exports.

    ``rows`` are the ticked ones; without them all of the current filter.
    """
    rows = page.rows() if rows is None else rows
    rows, left_out = without_restricted(page, rows)
    count = rows.order_by().values("pk")[: DIRECT_LIMIT + 1].count()
    made = Export.objects.create(
        left_out=left_out,
        path=page.actor.path, audience=page.actor.audience.value, subject_id=page.actor.subject_id,
        account_id=page.actor.account_id, actor=page.actor.name, role=page.actor.role, page=reference(page)["page"],
        title=page.get_title()[:100], query=views.clean_query(page.params)[:2000], personal=page.personal,
        columns="、".join(c.heading(page.model) for c in page.shown_columns)[:1000],
        number=next_number("EX", timezone.localdate()),
    )  # fmt: skip
    if count > DIRECT_LIMIT:
        return _in_background(page, made)
    chosen = ordered(page, rows)
    target = tempfile.TemporaryFile()  # noqa: SIM115  closed by the response
    found = list(chosen)
    made.rows = write_workbook(page, found, target, number=made.number, left_out=left_out)
    made.save(update_fields=["rows"])
    if page.personal:
        log_read(actor=page.actor, what=page.personal, objects=found, purpose=purpose_of(page, made))
    target.seek(0)
    return FileResponse(target, as_attachment=True, filename=file_name(page), content_type=XLSX)


def purpose_of(page, made: Export) -> str:
    """What the log of reads says about each row of an export."""
    return _("Export %(number)s of %(title)s") % {"number": made.number, "title": page.get_title()}


def _in_background(page, made: Export) -> HttpResponse:
    from sangyu.kernel import operations

    data = page.request.POST
    ids = [] if data.get("all") else [int(i) for i in data.getlist("ids") if i.isdigit() and len(i) < 19]
    params = {
        **reference(page),
        "query": page.params.urlencode(),
        "language": get_language(),
        "export": made.pk,
        "ids": ids,
    }
    work = operations.start(
        page.actor, "ui.export", title=_("Export of %(title)s") % {"title": page.get_title()}, params=params
    )
    return page.redirect(reverse("ui:operation", args=[work.pk]), _("The export is being written."))


def _sheet_name(title: str) -> str:
    return "".join(c for c in title if c not in "[]:*?/\\")[:31] or "Sheet1"
