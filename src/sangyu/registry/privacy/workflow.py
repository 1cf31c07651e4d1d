"""The graph of a request; nothing else changes its state."""

from sangyu.kernel.workflow import Workflow

from .enums import Action as A
from .enums import State as S


def _log():
    from .models import RequestLog

    return RequestLog


EDGES = (
    (A.TAKE, S.RECEIVED, S.IN_WORK),
    (A.TAKE, S.IN_WORK, S.IN_WORK),
    (A.ANSWER, S.IN_WORK, S.ANSWERED),
    (A.REFUSE, S.RECEIVED, S.REFUSED),
    (A.REFUSE, S.IN_WORK, S.REFUSED),
    (A.WITHDRAW, S.RECEIVED, S.WITHDRAWN),
    (A.WITHDRAW, S.IN_WORK, S.WITHDRAWN),
)

REQUEST_FLOW = Workflow(
    "privacy.requests",
    EDGES,
    log=_log,
    log_fk="request",
    stamps={S.ANSWERED: "answered_at", S.REFUSED: "answered_at", S.WITHDRAWN: "answered_at"},
    hears=lambda row: [f"family:{row.asked_id}"] if row.asked_id else [],
)
