"""Workbooks and CSV files as a table of cells: which sheet, which heading row, which rows."""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from sangyu.kernel.errors import Invalid
from sangyu.kernel.identity import IdKind, IdNumber, half_width

#: Rows at the top among which the headings are looked for: titles and notes stand above them.
HEAD_ROWS = 20
MOST_ROWS = 200_000
MOST_COLUMNS = 200


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` are (sheet row, cells) without empty rows. Cells are str, float, bool, date or datetime.

    ``parsed`` has for each row the values that its cells gave, by field, or None for a row that is to be parsed again.
    """

    headers: list[str]
    header_row: int
    sheet: int
    rows: list[tuple[int, list[Any]]]
    parsed: list[list[Any] | None] | None = None


def normalise_heading(text: Any) -> str:
    """``text`` without blanks, signs and what stands in brackets: "出生日期（年月日）*" → "出生日期"."""
    text = re.sub(r"[(\[【].*?[)\]】]", "", half_width(str(text)))
    return re.sub(r"[\s*:、,。./_-]", "", text).lower()


def read_table(data: bytes, name: str, known: set[str]) -> Table:
    """The table in ``data``; ``known`` are normalised headings by which sheet and heading row are recognised.

    Raises Invalid for files that are no workbook or CSV, are encrypted or damaged, or hold no table.
    """
    sheets = _csv(data) if name.lower().endswith((".csv", ".txt")) else _workbook(data)
    best = max(
        ((score, -sheet, -at) for sheet, rows in enumerate(sheets) for at, score in _heading_scores(rows, known)),
        default=(0, 0, 0),
    )
    if best[0] < 2:
        raise _unreadable(
            _("No row of headings was found. The first rows must name the columns, for example 姓名, 身份证号.")
        )
    sheet, at = -best[1], -best[2]
    headers = [str(c).strip() for c in sheets[sheet][at]]
    while headers and not headers[-1]:
        headers.pop()
    rows = [
        (number, cells[: len(headers)])
        for number, cells in enumerate(sheets[sheet][at + 1 :], start=at + 2)
        if any(c is not None and str(c).strip() for c in cells[: len(headers)])
    ]
    if not rows:
        raise _unreadable(_("There are no rows below the headings."))
    if len(rows) > MOST_ROWS or len(headers) > MOST_COLUMNS:
        raise _unreadable(_("The table is too large: at most %(n)d rows. Split it.") % {"n": MOST_ROWS})
    return Table(headers, at + 1, sheet, rows)


def pack(table: Table) -> bytes:
    """``table`` for the steps after the first: reading it back takes a fifth of the time of reading the workbook."""
    return gzip.compress(as_json([getattr(table, f.name) for f in fields(Table)]).encode(), 1)


def unpack(data: bytes) -> Table:
    """What ``pack`` made."""
    return Table(*json.loads(gzip.decompress(data), object_hook=_undated))


def as_json(cells: Any) -> str:
    """Cells, in lists or a mapping by field, as JSON; dates stay dates."""
    return json.dumps(cells, ensure_ascii=False, default=_dated)


def from_json(text: str) -> dict[str, Any]:
    """The mapping that ``as_json`` wrote."""
    return _undated_all(json.loads(text))


def _dated(cell: Any) -> dict[str, Any]:
    if isinstance(cell, IdNumber):
        return {"t": "id", "v": [cell.number, cell.kind, cell.birth_date, cell.sex, cell.upgraded]}
    return {"t": type(cell).__name__, "v": cell.isoformat() if hasattr(cell, "isoformat") else str(cell)}


def _undated(found: dict[str, Any]) -> Any:
    return _KINDS.get(found["t"], str)(found["v"])


_KINDS = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "id": lambda parts: IdNumber(parts[0], IdKind(parts[1]), *parts[2:]),
}


def _undated_all(found: dict[str, Any]) -> dict[str, Any]:
    return {key: _undated(cell) if isinstance(cell, dict) else cell for key, cell in found.items()}


def _heading_scores(rows: list[list[Any]], known: set[str]) -> Iterable[tuple[int, int]]:
    for at, cells in enumerate(rows[:HEAD_ROWS]):
        yield at, len({h for c in cells if isinstance(c, str) and (h := normalise_heading(c)) in known})


def _workbook(data: bytes) -> list[list[list[Any]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        return [
            book.get_sheet_by_index(i).to_python(skip_empty_area=False)
            for i, meta in enumerate(book.sheets_metadata)
            if str(meta.visible).endswith("Visible")
        ] or [[]]
    except (CalamineError, ValueError, OSError) as error:
        if "assword" in str(error):
            raise _unreadable(_("The workbook is protected by a password. Save it without one.")) from None
        raise _unreadable(_("This is not a readable workbook. Save it as .xlsx and try again.")) from None


def _csv(data: bytes) -> list[list[list[Any]]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise _unreadable(_("The text is neither UTF-8 nor GB 18030. Save it as .xlsx and try again."))
    head = text[:4000]
    delimiter = max(",\t;，", key=head.count)
    try:
        return [list(csv.reader(io.StringIO(text), delimiter=delimiter))]
    except csv.Error:
        raise _unreadable(_("The CSV file is damaged. Save it as .xlsx and try again.")) from None


def _unreadable(message: str) -> Invalid:
    return Invalid({"file": [message]}, code="import.unreadable")
