"""Long work of the pages: exports of many rows."""

import tempfile
from importlib import import_module

from django.http import QueryDict
from django.test import RequestFactory
from django.utils import translation
from django.utils.translation import gettext as _

from sangyu.kernel import files
from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import log_read
from sangyu.kernel.operations import Progress, operation

from .pages.export import CONTENT_TYPE, file_name, ordered, write_workbook
from .pages.listing import ListPage

CHUNK = 1_000
#: Days an export stays for download.
KEEP_DAYS = 7


@operation("ui.export", restart=True)
def export(op: Progress, actor: Actor, *, page: str, query: str, language: str) -> None:
    """Write the rows of list ``page`` ("module:Class") under ``query`` to a file for whoever asked, and log the reads."""
    module, name = page.split(":")
    cls = getattr(import_module(module), name)
    if not (isinstance(cls, type) and issubclass(cls, ListPage)):
        raise TypeError(f"{page} is no list page")
    view = cls()
    request = RequestFactory().get("/")
    request.GET = QueryDict(query)
    request.actor = actor
    view.setup(request)
    view.actor = actor
    with translation.override(language), tempfile.TemporaryFile() as target:
        view.check(request)
        rows = ordered(view, view.rows())
        op.total(rows.count())
        purpose = _("Export of %(title)s") % {"title": view.get_title()}

        def passing():
            chunk = []
            for row in rows.iterator(chunk_size=CHUNK):
                chunk.append(row)
                yield row
                if len(chunk) == CHUNK:
                    note(chunk)
                    chunk = []
            note(chunk)

        def note(chunk: list) -> None:
            if view.personal and chunk:
                log_read(actor=actor, what=view.personal, objects=chunk, purpose=purpose)
            op.advance(len(chunk))

        count = write_workbook(view, passing(), target)
        target.seek(0)
        saved = files.save(
            actor, title=file_name(view), content_type=CONTENT_TYPE, stream=target, private=True, keep_days=KEEP_DAYS
        )
        op.result(file=saved, rows=count)
