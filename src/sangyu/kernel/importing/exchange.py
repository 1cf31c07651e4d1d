"""Rows by HTTP API with the rules of a file: idempotent by the caller's key, logged, replayable (R-012).

The rows become an import like any other: checked, written in one transaction, the rejected ones told by row and field.
"""

import hashlib
import json
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from sangyu.kernel import files, operations
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused

from . import services, work
from .models import ImportBatch
from .reading import Table
from .services import SMALL_TABLE, ImportState, _state, _step, _working
from .work import KEEP_DAYS, definition_of

State = ImportBatch.State


def hand_over(
    *,
    actor: Actor,
    kind: str,
    key: str,
    rows: list[dict[str, Any]],
    source: str = "",
    settings: dict[str, str] | None = None,
) -> ImportState:
    """Take ``rows`` (field → cell) under the caller's ``key``: check and write them, at once or in the background.

    The same key with the same content answers with what came of it, and starts it again when it failed or was cancelled; so
    a hand-over can be repeated without duplicates. Raises Refused for the same key with another content, Invalid.
    """
    with _step(actor, kind) as cls:
        settings = cls.read_settings(settings or {})
        sent = json.dumps([source, settings, rows], ensure_ascii=False, sort_keys=True, default=str).encode()
        digest = hashlib.sha256(sent).hexdigest()
        with connection.cursor() as cursor:  # two of one key at once wait for each other
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"{kind} {actor.account_id} {key}"])
        batch = ImportBatch.objects.filter(kind=kind, account_id=actor.account_id, key=key).first()
        if batch is None:
            batch = ImportBatch(
                kind=kind,
                path=actor.path,
                key=key,
                digest=digest,
                file=files.save(
                    actor,
                    title=f"{key}.json",
                    content_type="application/json",
                    data=sent,
                    private=True,
                    keep_days=KEEP_DAYS,
                ),
                file_name=f"{key}.json",
                source=source.strip()[:60],
                settings=settings,
                account_id=actor.account_id,
                audience=actor.audience.value,
                subject_id=actor.subject_id,
                actor=actor.name,
            )
            _take_rows(actor, batch, rows)
        if batch.digest != digest:
            raise Refused(_("Another content was sent under this key before. Use a new key."), code="import.key_used")
        if batch.state != State.DONE and not _working(batch):
            if batch.rows > SMALL_TABLE:
                batch.state = State.RUNNING
                batch.operation = operations.start(
                    actor, "importing.exchange", title=f"{cls.title}: {batch.origin}", params={"batch_id": batch.pk}
                )
                batch.save(update_fields=["state", "operation"])
            else:
                work.write(work.Silent(), actor, batch)
        return _state(batch)


def _take_rows(actor: Actor, batch: ImportBatch, rows: list[dict[str, Any]]) -> None:
    definition = definition_of(actor, batch)
    known = [f.key for f in definition.fields]
    if strange := sorted({key for row in rows for key in row} - set(known)):
        raise Invalid({"rows": [_("Unknown fields: %(names)s.") % {"names": ", ".join(strange[:10])}]})
    cells = [(n, [row.get(key) for key in known]) for n, row in enumerate(rows, start=1)]
    work.take_table(actor, batch, definition, Table(known, 0, 0, cells))
    batch.matching = {key: at for at, key in enumerate(known)}
    batch.save(update_fields=["matching"])


def standing(*, actor: Actor, kind: str, key: str) -> ImportState:
    """What came of a hand-over. Raises NotVisible for a key that this caller never used."""
    with _step(actor, kind):
        found = ImportBatch.objects.filter(kind=kind, account_id=actor.account_id, key=key).first()
        return services.state(actor=actor, kind=kind, import_id=found.pk if found else 0)
