"""The graph of an order: which action leads from where to where. Nothing else changes ``Order.state``."""

from sangyu.kernel.workflow import Workflow

from .enums import Action as A
from .enums import State as S


def _log():
    from .models import OrderLog

    return OrderLog


EDGES = (
    (A.RECEIVE, S.REQUESTED, S.RECEIVED),
    (A.RESCHEDULE, S.RECEIVED, S.RECEIVED),
    (A.RESCHEDULE, S.OFFERED, S.RECEIVED),
    (A.RESCHEDULE, S.ACCEPTED, S.RECEIVED),
    (A.OFFER, S.RECEIVED, S.OFFERED),
    (A.WITHDRAW, S.OFFERED, S.RECEIVED),
    (A.DECLINE, S.OFFERED, S.RECEIVED),
    (A.LAPSE, S.OFFERED, S.RECEIVED),
    (A.ACCEPT, S.OFFERED, S.ACCEPTED),
    (A.HAND_BACK, S.ACCEPTED, S.RECEIVED),
    (A.HAND_BACK, S.ON_THE_WAY, S.RECEIVED),
    (A.SUBSTITUTE, S.ACCEPTED, S.ACCEPTED),
    (A.SUBSTITUTE, S.ON_THE_WAY, S.ACCEPTED),
    (A.DEPART, S.ACCEPTED, S.ON_THE_WAY),
    (A.ARRIVE, S.ACCEPTED, S.ARRIVED),
    (A.ARRIVE, S.ON_THE_WAY, S.ARRIVED),
    (A.FINISH, S.ARRIVED, S.DONE),
    (A.REPORT_NO_SHOW, S.ON_THE_WAY, S.NO_SHOW),
    (A.REPORT_NO_SHOW, S.ARRIVED, S.NO_SHOW),
    (A.CONFIRM, S.DONE, S.CONFIRMED),
    (A.DISPUTE, S.DONE, S.DISPUTED),
    (A.DISPUTE, S.CONFIRMED, S.DISPUTED),
    (A.RESOLVE, S.DISPUTED, S.CONFIRMED),
    (A.SETTLE, S.CONFIRMED, S.SETTLED),
    (A.REFUND, S.CONFIRMED, S.CONFIRMED),
    (A.REFUND, S.SETTLED, S.SETTLED),
    (A.CANCEL, S.REQUESTED, S.CANCELLED),
    (A.CANCEL, S.RECEIVED, S.CANCELLED),
    (A.CANCEL, S.OFFERED, S.CANCELLED),
    (A.CANCEL, S.ACCEPTED, S.CANCELLED),
    (A.CANCEL, S.ON_THE_WAY, S.CANCELLED),
    (A.CANCEL, S.DISPUTED, S.CANCELLED),
)

ORDER_FLOW = Workflow(
    name="orders",
    edges=EDGES,
    log=_log,
    log_fk="order",
    stamps={
        S.ON_THE_WAY: "departed_at",
        S.ARRIVED: "arrived_at",
        S.DONE: "done_at",
        S.SETTLED: "settled_at",
        S.CANCELLED: "closed_at",
        S.NO_SHOW: "closed_at",
    },
)
