"""The statement as paper: PDF (结算单) and xlsx. Both are made from the frozen lines, so they are the same at every
asking.
"""

from datetime import datetime
from pathlib import Path

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from sangyu.kernel import printing
from sangyu.kernel.workbooks import Workbook

from .enums import LineKind
from .models import Statement, StatementLine
from .selectors import lines

TEMPLATE = Path(__file__).parent / "templates/settlement/statement.typ"
_AMOUNTS = ("price", "concession", "voucher", "public_pay", "self_pay")


def _columns() -> list[str]:
    return [
        _("No."), _("Day"), _("Order number"), _("Elder"), _("Service"), _("Minutes"), _("Price"), _("Concession"),
        _("Voucher"), _("Public pay"), _("Self pay"),
    ]  # fmt: skip


def _what(line: StatementLine) -> str:
    """Service, or what kind of line it is and why."""
    if line.kind == LineKind.VISIT:
        return line.item_name
    return f"{LineKind(line.kind).label}：{line.item_name or line.note}"


def statement_pdf(statement: Statement, *, now: datetime) -> bytes:
    """The printed statement with its signature lines."""
    data = {
        "number": statement.number,
        "organisation": statement.organisation.name,
        "region": statement.region.full_name,
        "period": f"{statement.period:%Y-%m}",
        "state": str(statement.get_state_display()),
        "payable": statement.payable,
        "printed": f"{localtime(now):%Y-%m-%d %H:%M}",
        "columns": _columns(),
        "lines": [
            {
                "day": f"{line.day:%Y-%m-%d}",
                "number": line.number,
                "person": line.person_masked,
                "item": _what(line),
                "minutes": "" if line.minutes is None else str(line.minutes),
                **{name: getattr(line, name) for name in _AMOUNTS},
            }
            for line in lines(statement)
        ],
        "totals": [getattr(statement, name) for name in _AMOUNTS],
        "words": {
            "title": _("Service statement"),
            "number": _("Number"),
            "organisation": _("Provider"),
            "region": _("Purchaser"),
            "period": _("Period"),
            "state": _("State"),
            "payable": _("Payable (yuan)"),
            "total": _("Total (yuan)"),
            "signatures": [_("Provider (seal)"), _("Prepared by"), _("Approved by")],
        },
    }
    return printing.pdf(TEMPLATE, data)


def statement_xlsx(statement: Statement) -> bytes:
    """The statement as a workbook: numbers as numbers in yuan, order numbers as text."""
    book = Workbook()
    sheet = book.add_worksheet(f"{statement.period:%Y-%m}")
    bold, money = book.add_format({"bold": True, "bottom": 1}), book.money
    title = book.add_format({"bold": True, "font_size": 14})
    sheet.write_string(0, 0, f"{_('Service statement')} {statement.number}", title)
    sheet.write_string(1, 0, f"{statement.organisation.name}　{statement.region.full_name}　{statement.period:%Y-%m}")
    for column, name in enumerate(_columns()):
        sheet.write_string(2, column, name, bold)
    row = 2
    for row, line in enumerate(lines(statement), start=3):
        sheet.write_number(row, 0, row - 2)
        for column, text in enumerate((f"{line.day:%Y-%m-%d}", line.number, line.person_masked, _what(line)), start=1):
            sheet.write_string(row, column, text)
        if line.minutes is not None:
            sheet.write_number(row, 5, line.minutes)
        for column, name in enumerate(_AMOUNTS, start=6):
            sheet.write_number(row, column, getattr(line, name) / 100, money)
    sheet.write_string(row + 1, 5, _("Total (yuan)"), bold)
    for column, name in enumerate(_AMOUNTS, start=6):
        sheet.write_number(row + 1, column, getattr(statement, name) / 100, money)
    sheet.freeze_panes(3, 0)
    sheet.autofilter(2, 0, max(row, 3), 10)
    for column, width in enumerate((5, 11, 26, 8, 24, 7, 11, 11, 11, 11, 11)):
        sheet.set_column(column, column, width)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    return book.content()
