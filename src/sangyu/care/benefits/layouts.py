"""Layouts of payment files as data (``data/payment_files/*.yaml``), and the bytes of a file made from its items."""

import csv
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from django.conf import settings
from django.utils.translation import gettext as _

from sangyu.kernel.workbooks import XLSX, Workbook

from .enums import FileKind


@dataclass(frozen=True)
class Item:
    """One row of a payment file. ``amount`` in fen."""

    number: int
    reference: str
    amount: int
    payee: str
    account: str
    bank: str
    name: str
    id_number: str
    month: str
    policy: str

    @property
    def remark(self) -> str:
        return f"{self.month} {self.policy}"


@dataclass(frozen=True)
class Layout:
    """One shape of a file: columns of (heading, how the cell is made)."""

    key: str
    name: str
    kind: str
    format: str
    encoding: str
    delimiter: str
    columns: tuple[tuple[str, str, str], ...]  # heading, value, text

    def cell(self, item: Item, value: str, text: str) -> Any:
        if not value:
            return text
        return f"{item.amount / 100:.2f}" if value == "amount" else getattr(item, value)


_VALUES = {
    "number",
    "reference",
    "payee",
    "account",
    "bank",
    "amount",
    "name",
    "id_number",
    "month",
    "policy",
    "remark",
}


@cache
def layouts() -> dict[str, Layout]:
    """All shipped layouts by key. Raises ValueError for a file that names an unknown value."""
    found = {}
    for path in sorted((settings.DATA / "payment_files").glob("*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        columns = tuple((c["heading"], c.get("value", ""), str(c.get("text", ""))) for c in data["columns"])
        unknown = {value for _h, value, _t in columns if value} - _VALUES
        if unknown or data["kind"] not in (FileKind.BANK, FileKind.INSURER) or data["format"] not in ("xlsx", "csv"):
            raise ValueError(f"{path.name}: unknown value {sorted(unknown)}, kind or format")
        found[path.stem] = Layout(
            path.stem, data["name"], data["kind"], data["format"], data.get("encoding", "utf-8-sig"),
            data.get("delimiter", ","), columns,
        )  # fmt: skip
    return found


def choices(kind: str) -> list[tuple[str, str]]:
    """(key, name) of the layouts of one kind."""
    return [(key, layout.name) for key, layout in layouts().items() if layout.kind == kind]


def digest(items: Sequence[Item]) -> str:
    """SHA-256 over what is paid to whom, whatever the layout."""
    lines = "".join(f"{i.number}|{i.reference}|{i.payee}|{i.account}|{i.amount}\n" for i in items)
    return hashlib.sha256(lines.encode()).hexdigest()


def render(layout: Layout, items: Sequence[Item], title: str) -> tuple[str, str, bytes]:
    """(ending, content type, bytes) of a file."""
    make: Callable[[Layout, Sequence[Item], str], bytes] = _xlsx if layout.format == "xlsx" else _csv
    return layout.format, XLSX if layout.format == "xlsx" else "text/csv", make(layout, items, title)


def _csv(layout: Layout, items: Sequence[Item], title: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=layout.delimiter, lineterminator="\r\n")
    writer.writerow([heading for heading, _v, _t in layout.columns])
    for item in items:
        writer.writerow([layout.cell(item, value, text) for _h, value, text in layout.columns])
    return out.getvalue().encode(layout.encoding, errors="replace")


def _xlsx(layout: Layout, items: Sequence[Item], title: str) -> bytes:
    book = Workbook()
    sheet = book.add_worksheet()
    bold, money = book.bold, book.money
    as_text = book.add_format({"num_format": "@"})
    sheet.write_string(0, 0, title, bold)
    for at, (heading, _value, _text) in enumerate(layout.columns):
        sheet.write_string(1, at, heading, bold)
        sheet.set_column(at, at, 22)
    row = 1
    for row, item in enumerate(items, start=2):
        for at, (_heading, value, text) in enumerate(layout.columns):
            if value == "amount":
                sheet.write_number(row, at, item.amount / 100, money)
            elif value == "number":
                sheet.write_number(row, at, item.number)
            else:
                sheet.write_string(row, at, str(layout.cell(item, value, text)), as_text)
    at = next((n for n, c in enumerate(layout.columns) if c[1] == "amount"), None)
    if at is not None:
        sheet.write_string(row + 1, 0, _("Total"), bold)
        sheet.write_number(row + 1, at, sum(i.amount for i in items) / 100, money)
    return book.content()
