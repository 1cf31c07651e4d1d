"""Page generics: a register page is a few lines (docs/guides/adding-a-page.md)."""

from .action import ActionPage
from .base import Link, Page, PlainPage, paths
from .bulk import Bulk, BulkForm, Outcome
from .columns import (
    Amount,
    Area,
    Choice,
    Column,
    Custom,
    Day,
    LevelColumn,
    Masked,
    Moment,
    Money,
    Number,
    Status,
    Tags,
    Text,
    YesNo,
)
from .detail import DetailPage, Tab
from .file import FilePage, Made, file_answer
from .form import FormPage
from .importing import ImportPage
from .listing import ListPage, RowAction
from .related import EndPage, PaperPage, end_link, paper_url, paper_word, rows_tab

__all__ = [
    "ActionPage",
    "Amount",
    "Area",
    "Bulk",
    "BulkForm",
    "Choice",
    "Column",
    "Custom",
    "Day",
    "DetailPage",
    "EndPage",
    "FilePage",
    "FormPage",
    "ImportPage",
    "LevelColumn",
    "Link",
    "ListPage",
    "Made",
    "Masked",
    "Moment",
    "Money",
    "Number",
    "Outcome",
    "Page",
    "PaperPage",
    "PlainPage",
    "RowAction",
    "Status",
    "Tab",
    "Tags",
    "Text",
    "YesNo",
    "end_link",
    "file_answer",
    "paper_url",
    "paper_word",
    "paths",
    "rows_tab",
]
