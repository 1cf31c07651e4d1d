from sangyu.kernel.workflow import Workflow

from .enums import Action, State
from .models import VoucherLog

VOUCHER_FLOW = Workflow(
    name="vouchers",
    edges=(
        (Action.REPORT_LOSS, State.ACTIVE, State.LOST),
        (Action.FIND, State.LOST, State.ACTIVE),
        (Action.REISSUE, State.LOST, State.REPLACED),
        (Action.CANCEL, State.ACTIVE, State.CANCELLED),
        (Action.CANCEL, State.LOST, State.CANCELLED),
        (Action.WITHDRAW, State.ACTIVE, State.ACTIVE),
        (Action.WITHDRAW, State.LOST, State.LOST),
        (Action.EXPIRE, State.ACTIVE, State.EXPIRED),
        (Action.EXPIRE, State.LOST, State.EXPIRED),
    ),
    log=lambda: VoucherLog,
    log_fk="voucher",
)
