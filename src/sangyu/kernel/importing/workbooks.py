"""Workbooks out: the empty template with dropdowns, and the rejected rows with their reasons."""

from django.utils.translation import gettext as _
from xlsxwriter.utility import xl_col_to_name

from sangyu.kernel.workbooks import Workbook

from .definition import Import, Row
from .parsers import text_of

#: A list in a validation may have this many characters; longer ones come from a second sheet.
_INLINE = 255
_TEMPLATE_ROWS = 10_000


def template_workbook(definition: Import) -> bytes:
    """Headings (required ones marked *), one example row, text format everywhere, dropdowns for coded fields."""
    book = Workbook()
    sheet = book.add_worksheet(_("Roster"))
    lists = book.add_worksheet(_("Lists"))
    lists.hide()
    as_text = book.add_format({"num_format": "@"})
    head = book.add_format({"bold": True, "bg_color": "#F3E9EF", "border": 1, "text_wrap": True, "valign": "top"})
    grey = book.add_format({"num_format": "@", "font_color": "#777777", "italic": True})
    for at, f in enumerate(definition.fields):
        sheet.set_column(at, at, max(12, 2 * len(str(f.label)) + 4), as_text)
        sheet.write_string(0, at, f"{f.label}{'*' if f.required else ''}", head)
        if f.hint:
            sheet.write_comment(0, at, str(f.hint))
        if f.example:
            sheet.write_string(1, at, f.example, grey)
        if f.choices:
            source = [str(c) for c in f.choices]
            if len(",".join(source)) > _INLINE:
                lists.write_column(0, at, source)
                column = xl_col_to_name(at)
                source = f"='{_('Lists')}'!${column}$1:${column}${len(source)}"
            sheet.data_validation(1, at, _TEMPLATE_ROWS, at, {"validate": "list", "source": source})
    sheet.freeze_panes(1, 0)
    return book.content()


def rejected_workbook(definition: Import, headers: list[str], rows: list[Row]) -> bytes:
    """The rows as they were, all as text, reasons and sheet row in front; can be corrected and uploaded."""
    labels = {f.key: str(f.label) for f in definition.fields}
    book = Workbook()
    sheet = book.add_worksheet(_("Rejected rows"))
    as_text = book.add_format({"num_format": "@"})
    head = book.add_format({"bold": True, "bg_color": "#F3E9EF", "border": 1})
    wrong = book.add_format({"num_format": "@", "font_color": "#A61B1B", "text_wrap": True})
    for at, heading in enumerate([_("Reason"), _("Row"), *headers]):
        sheet.write_string(0, at, heading, head)
    sheet.set_column(0, 0, 60, wrong)
    sheet.set_column(1, len(headers) + 1, 16, as_text)
    for at, row in enumerate(rows, start=1):
        reason = "\n".join(f"{labels.get(key, key)}: {message}" for key, message, _code in row.problems)
        sheet.write_string(at, 0, reason, wrong)
        sheet.write_number(at, 1, row.number)
        for column, cell in enumerate(row.cells, start=2):
            sheet.write_string(at, column, "" if cell is None else text_of(cell), as_text)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, len(rows), len(headers) + 1)
    return book.content()
