"""Files: bytes in Django storage under random names, one scoped row each.

Who sees a file: who sees its own row (staff of the region; the subject that saved it), and who sees the row it
belongs to (a visit's photo for the elder's family). A ``private`` file is for the account that saved it alone.

Bytes are written before the row and removed by a job that the row's removal enqueues, so they go only after that
transaction has committed, and surely; bytes whose row was rolled back are found by ``sweep``.
"""

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO
from urllib.parse import quote

from django.apps import apps
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import models, transaction
from django.http import FileResponse, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from .actor import Actor, Audience
from .audit import log_read
from .errors import Invalid, NotVisible
from .images import PHOTO_BYTES, shrink
from .models import StoredFile
from .scoping import Open, as_system, scope

log = logging.getLogger(__name__)
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class FileKind:
    """One accepted type: its largest size in bytes and what its first bytes look like (any of ``magic``, at
    ``offset``).
    """

    limit: int
    magic: tuple[bytes, ...] = ()
    offset: int = 0


_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
#: Accepted content types. Nothing here is ever run by a browser: no HTML, no SVG, no script.
KINDS: dict[str, FileKind] = {
    "image/jpeg": FileKind(20 * MEGABYTE, (b"\xff\xd8\xff",)),
    "image/png": FileKind(20 * MEGABYTE, (b"\x89PNG\r\n\x1a\n",)),
    "image/webp": FileKind(20 * MEGABYTE, (b"WEBP",), 8),
    "application/pdf": FileKind(50 * MEGABYTE, (b"%PDF-",)),
    "application/zip": FileKind(200 * MEGABYTE, _ZIP),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": FileKind(200 * MEGABYTE, _ZIP),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": FileKind(50 * MEGABYTE, _ZIP),
    "application/vnd.ms-excel": FileKind(100 * MEGABYTE, (b"\xd0\xcf\x11\xe0",)),
    "text/csv": FileKind(200 * MEGABYTE),
    "application/gzip": FileKind(200 * MEGABYTE, (b"\x1f\x8b",)),
    "application/json": FileKind(50 * MEGABYTE),
    "audio/mpeg": FileKind(50 * MEGABYTE, (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")),
    "audio/wav": FileKind(100 * MEGABYTE, (b"RIFF",)),
    "video/mp4": FileKind(200 * MEGABYTE, (b"ftyp",), 4),
}
#: Shown in the page; everything else is always an attachment.
INLINE = {"image/jpeg", "image/png", "image/webp", "application/pdf", "audio/mpeg", "audio/wav", "video/mp4"}


def save(
    actor: Actor,
    *,
    title: str,
    content_type: str,
    data: bytes | None = None,
    stream: BinaryIO | None = None,
    owner: models.Model | None = None,
    subject_id: int | None = None,
    private: bool = False,
    photo: bool = False,
    keep_days: int | None = None,
    now: datetime | None = None,
) -> StoredFile:
    """Store ``data`` (or what ``stream`` yields) and its row; both or neither is kept by the caller's transaction.

    ``owner`` is the row the file belongs to (its ``path`` is the file's, else the actor's); ``subject_id`` defaults
    to the actor's. Images are decoded and written anew without EXIF; ``photo`` shrinks them to 300 KB. ``keep_days``
    sets when the sweeper removes it. Raises Invalid for a type that is not accepted, a wrong or empty content, or too
    many bytes.
    """
    now = now or timezone.now()
    content_type = content_type.split(";")[0].strip().lower()
    kind = KINDS.get(content_type)
    if kind is None:
        raise _invalid(_("Files of the type “%(type)s” are not accepted.") % {"type": content_type or "?"})
    if data is None:
        data = stream.read(kind.limit + 1) if stream is not None else b""
    if not data:
        raise _invalid(_("The file is empty."))
    if len(data) > kind.limit:
        raise _invalid(_("The file is larger than %(limit)s MB.") % {"limit": kind.limit // MEGABYTE})
    if kind.magic and not any(data[kind.offset :].startswith(m) for m in kind.magic):
        raise _invalid(_("The content does not fit the type “%(type)s”.") % {"type": content_type})
    if content_type.startswith("image/"):
        data, content_type = shrink(data, limit=PHOTO_BYTES if photo else None)
    local = timezone.localtime(now)
    name = default_storage.save(f"{local:%Y/%m/%d}/{secrets.token_urlsafe(24)}", ContentFile(data))
    try:
        with scope(actor), transaction.atomic():
            return StoredFile.objects.create(
                path=getattr(owner, "path", "") or actor.path,
                owner_table=owner._meta.db_table if owner is not None else "",
                owner_id=owner.pk if owner is not None else None,
                name=name,
                title=title[:200],
                content_type=content_type,
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                private=private,
                account_id=actor.account_id,
                audience=actor.audience.value,
                subject_id=actor.subject_id if subject_id is None else subject_id,
                created_at=now,
                delete_after=now + timedelta(days=keep_days) if keep_days else None,
            )
    except Exception:
        default_storage.delete(name)
        raise


def attach(actor: Actor, row: models.Model, upload, *, title: str = "", field: str = "file") -> StoredFile:
    """Store what a form uploaded as the file of ``row``; who sees the row sees it. The one before stays with the row (history
    names it). ``upload`` is Django's UploadedFile. Raises Invalid as ``save`` does.
    """
    stored = save(
        actor,
        owner=row,
        title=title or upload.name,
        content_type=upload.content_type or "",
        stream=upload,
        subject_id=None,
    )
    setattr(row, field, stored)
    row.save(update_fields=[field])
    return stored


def find(actor: Actor, pk: int) -> StoredFile:
    """The row of file ``pk`` when ``actor`` may see it; else NotVisible."""
    with scope(actor):
        row = StoredFile.objects.filter(pk=pk).first()
        if row is None:
            with as_system("a file is seen by whoever sees the row it belongs to"):
                row = StoredFile.objects.filter(pk=pk).first()
            if row is None or not _sees_owner(actor, row.owner_table, row.owner_id):
                raise NotVisible
        if row.private and not _is_own(actor, row):
            raise NotVisible
        return row


def open_file(actor: Actor, pk: int) -> tuple[StoredFile, File]:
    """The row and its opened bytes (the caller closes them). Raises NotVisible."""
    row = find(actor, pk)
    try:
        return row, default_storage.open(row.name, "rb")
    except FileNotFoundError:
        log.error("file %s: bytes are missing at %s", row.pk, row.name)
        raise NotVisible from None


def read(actor: Actor, pk: int) -> bytes:
    """All bytes of file ``pk``. Raises NotVisible."""
    _row, opened = open_file(actor, pk)
    with opened:
        return opened.read()


def files_of(actor: Actor, owner: models.Model) -> list[StoredFile]:
    """Files that belong to ``owner``, oldest first; empty when the actor does not see ``owner``."""
    with scope(actor):
        if not _sees_owner(actor, owner._meta.db_table, owner.pk):
            return []
        with as_system("a file is seen by whoever sees the row it belongs to"):
            rows = list(StoredFile.objects.filter(owner_table=owner._meta.db_table, owner_id=owner.pk).order_by("id"))
    return [row for row in rows if not row.private or _is_own(actor, row)]


def remove(actor: Actor, pk: int) -> None:
    """Delete the row now and the bytes once this transaction has committed. Raises NotVisible."""
    from .jobs import defer

    with scope(actor), transaction.atomic():
        row = StoredFile.objects.select_for_update().filter(pk=pk).first()
        if row is None or (row.private and not _is_own(actor, row)):
            raise NotVisible
        row.delete()
        defer("kernel.remove_bytes", name=row.name)


def remove_bytes(name: str) -> None:
    """Delete the bytes under ``name`` unless a row still needs them; safe to repeat."""
    with scope(Actor.job("kernel.files")):
        if StoredFile.objects.filter(name=name).exists():
            return
    default_storage.delete(name)


def sweep(now: datetime | None = None) -> int:
    """Remove files past ``delete_after``, and bytes of the last week that no row knows. Returns how many went."""
    from .jobs import defer

    now = now or timezone.now()
    with scope(Actor.job("kernel.files"), source="retention"):
        due = StoredFile.objects.filter(delete_after__lte=now).order_by("id")
        expired = list(due.select_for_update(skip_locked=True).values_list("id", "name")[:1000])
        StoredFile.objects.filter(pk__in=[pk for pk, _name in expired]).delete()
        for _pk, name in expired:
            defer("kernel.remove_bytes", name=name)
    return len(expired) + _remove_orphans(timezone.localtime(now))


def _remove_orphans(now: datetime) -> int:
    """Bytes saved two to eight days ago whose transaction never committed."""
    gone = 0
    for age in range(2, 9):
        folder = f"{now - timedelta(days=age):%Y/%m/%d}"
        try:
            names = {f"{folder}/{n}" for n in default_storage.listdir(folder)[1]}
        except FileNotFoundError:
            continue
        with scope(Actor.job("kernel.files")):
            orphans = names - set(StoredFile.objects.filter(name__in=names).values_list("name", flat=True))
        for name in orphans:
            default_storage.delete(name)
        gone += len(orphans)
    return gone


def download_response(actor: Actor, pk: int, *, inline: bool = False, purpose: str = "") -> FileResponse:
    """The file as an HTTP answer; a download (not a picture in a page) is logged as a read of personal data.

    Raises NotVisible. The type is the one checked on saving, never sniffed; the answer runs nothing.
    """
    row, opened = open_file(actor, pk)
    inline = inline and row.content_type in INLINE
    if not inline:
        with scope(actor), as_system("the log of reads is written for every audience"):
            log_read(actor=actor, what="file", objects=[row], purpose=purpose or row.title)
    response = FileResponse(opened, content_type=row.content_type)
    response["Content-Length"] = str(row.size)
    disposition = "inline" if inline else "attachment"
    response["Content-Disposition"] = f"{disposition}; filename*=UTF-8''{quote(row.title, safe='')}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, max-age=3600" if inline else "private, no-store"
    response["ETag"] = f'"{row.sha256}"'
    return response


def download(request: HttpRequest, pk: int) -> FileResponse:
    """View for ``ui`` to mount: ``?inline`` shows a picture in the page, otherwise a download. Needs
    ``request.actor``.
    """
    return download_response(request.actor, pk, inline="inline" in request.GET, purpose=request.GET.get("why", ""))


def _sees_owner(actor: Actor, table: str, pk: int | None) -> bool:
    """Whether the owner row is in the actor's scope; row-level security answers. A register without scope opens
    nothing.
    """
    model = next((m for m in apps.get_models() if m._meta.db_table == table), None)
    if model is None or pk is None or isinstance(getattr(model, "scope", Open("")), Open):
        return False
    return model._base_manager.filter(pk=pk).exists()


def _is_own(actor: Actor, row: StoredFile) -> bool:
    return actor.audience is Audience.JOB or (row.account_id is not None and row.account_id == actor.account_id)


def _invalid(message: str) -> Invalid:
    return Invalid({"file": [message]}, code="files.refused")
