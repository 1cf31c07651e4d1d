from sangyu.kernel.workflow import Workflow

from .enums import Action, State
from .models import StatementLog

STATEMENT_FLOW = Workflow(
    name="settlement",
    edges=(
        (Action.FREEZE, State.DRAFT, State.FROZEN),
        (Action.DISCARD, State.DRAFT, State.DISCARDED),
        (Action.OBJECT, State.FROZEN, State.OBJECTED),
        (Action.ANSWER, State.OBJECTED, State.FROZEN),
        (Action.CONFIRM, State.FROZEN, State.CONFIRMED),
        (Action.APPROVE, State.CONFIRMED, State.APPROVED),
        (Action.PAY, State.APPROVED, State.PAID),
    ),
    log=lambda: StatementLog,
    log_fk="statement",
    stamps={
        State.FROZEN: "frozen_at",
        State.CONFIRMED: "confirmed_at",
        State.APPROVED: "approved_at",
        State.PAID: "paid_at",
    },
)
