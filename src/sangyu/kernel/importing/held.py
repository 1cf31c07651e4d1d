"""Rows held for a decision: the same person, or somebody else? (R-026)"""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.scoping import say_why, scope

from .definition import IMPORTS, Row
from .models import HeldRow
from .parsers import text_of
from .reading import Table, from_json
from .work import definition_of

__all__ = ["from_json", "reopen", "row_of", "settle", "text_of"]
State = HeldRow.State


def settle(*, actor: Actor, held_id: int, decision: str, known_id: int | None = None, reason: str = "") -> HeldRow:
    """Decide one held row: ``same`` updates ``known_id`` (one of the candidates), ``other`` registers, ``dropped`` leaves it.

    Raises NotVisible, Forbidden, Refused when it is decided already or cannot be written, Invalid.
    """
    with scope(actor), transaction.atomic():
        held = HeldRow.objects.select_for_update(of=("self",)).select_related("batch").filter(pk=held_id).first()
        if held is None:
            raise NotVisible
        permission = IMPORTS[held.kind].permission
        if not actor.may(permission):
            raise Forbidden(permission)
        if held.state != State.OPEN:
            raise Refused(_("This row has been decided already."), code="import.settled")
        if decision not in (State.SAME, State.OTHER, State.DROPPED):
            raise Invalid({"decision": [_("Choose one of the options.")]})
        if decision == State.SAME and known_id not in held.candidates:
            raise Invalid({"known_id": [_("Choose whom the row is.")]})
        if decision == State.DROPPED and not reason.strip():
            raise Invalid({"reason": [_("Say why.")]})
        say_why(reason or str(State(decision).label))
        if decision != State.DROPPED:
            definition = definition_of(actor, held.batch)
            row = row_of(held, definition)
            held.record_id = definition.settle(row, known_id if decision == State.SAME else None, held.batch)
        held.state, held.decided_at, held.decided_by, held.reason = decision, timezone.now(), actor.name, reason[:200]
        held.save(update_fields=["state", "decided_at", "decided_by", "reason", "record_id"])
        return held


def reopen(*, actor: Actor, held_id: int) -> HeldRow:
    """Take back that a row was not taken: it waits for its decision again. Raises NotVisible, Forbidden, Refused."""
    with scope(actor), transaction.atomic():
        held = HeldRow.objects.select_for_update(of=("self",)).filter(pk=held_id).first()
        if held is None:
            raise NotVisible
        permission = IMPORTS[held.kind].permission
        if not actor.may(permission):
            raise Forbidden(permission)
        if held.state != State.DROPPED:
            raise Refused(_("Only a row that was not taken waits again."), code="import.not_dropped")
        held.state, held.decided_at, held.decided_by, held.reason = State.OPEN, None, "", ""
        held.save(update_fields=["state", "decided_at", "decided_by", "reason"])
        return held


def row_of(held: HeldRow, definition) -> Row:
    """The row as it was read; raises Refused when its cells cannot be read any more."""
    cells = from_json(held.cells)
    matching = {key: at for at, key in enumerate(cells)}
    checks, definition.check = definition.check, lambda rows: None
    (row,) = definition.read(Table(list(cells), 1, 0, [(held.row, list(cells.values()))]), matching)
    definition.check = checks
    if row.problems:
        raise Refused("; ".join(message for _key, message, _code in row.problems), code="import.unreadable_row")
    return row
