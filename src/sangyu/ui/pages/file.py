"""Files made on the spot: papers and workbooks that are kept nowhere."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import PurePath
from typing import ClassVar, NamedTuple

from django.db import models
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from sangyu.kernel.audit import log_read
from sangyu.kernel.workbooks import XLSX

from .base import PlainPage

CONTENT_TYPES = {
    ".xlsx": XLSX,
    ".pdf": "application/pdf",
    ".csv": "text/csv; charset=utf-8",
    ".yaml": "application/yaml; charset=utf-8",
    ".zip": "application/zip",
}


def file_answer(content: bytes, name: str, *, inline: bool = False) -> HttpResponse:
    """``content`` under ``name``, shown in the browser when ``inline``, else saved; never kept by a cache."""
    headers = {"Content-Disposition": content_disposition_header(not inline, name), "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=CONTENT_TYPES[PurePath(name).suffix], headers=headers)


class Made(NamedTuple):
    """A file, its name with suffix, and the rows it shows, for the log of reads."""

    content: bytes
    name: str
    rows: Iterable[models.Model] = ()


class FilePage(PlainPage, ABC):
    """Answers a file; ``what`` names the look in the log of reads ("" = nobody's data)."""

    what: ClassVar[str] = ""
    inline: ClassVar[bool] = False

    @abstractmethod
    def make(self) -> Made:
        """The file for ``self.kwargs``. Raises NotVisible."""

    def get(self, request, *args, **kwargs) -> HttpResponse:
        made = self.make()
        if self.what:
            log_read(actor=self.actor, what=self.what, objects=list(made.rows), purpose=str(self.title) or _("Print"))
        return file_answer(made.content, made.name, inline=self.inline)
