"""A workbook made in memory."""

import io
from functools import cached_property

import xlsxwriter
from xlsxwriter.format import Format

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Workbook(xlsxwriter.Workbook):
    """A workbook with the two formats that every table needs. Text stays text: none becomes a formula or a link."""

    def __init__(self) -> None:
        self._made = io.BytesIO()
        super().__init__(self._made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})

    @cached_property
    def bold(self) -> Format:
        return self.add_format({"bold": True})

    @cached_property
    def money(self) -> Format:
        """Yuan with fen."""
        return self.add_format({"num_format": "#,##0.00"})

    def content(self) -> bytes:
        """The bytes of the file; nothing can be written after it."""
        self.close()
        return self._made.getvalue()
