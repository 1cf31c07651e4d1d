"""The graphs of runs, lines, payment files, payments and recoveries."""

from sangyu.kernel.workflow import Workflow

from .enums import (
    FileAction,
    FileState,
    LineAction,
    LineState,
    PaymentAction,
    PaymentState,
    RecoveryAction,
    RecoveryState,
    RunAction,
    RunState,
)
from .models import FileLog, LineLog, PaymentLog, RecoveryLog, RunLog

RUN_FLOW = Workflow(
    name="benefit_run",
    edges=(
        (RunAction.COMPUTE, RunState.COMPUTING, RunState.COMPUTED),
        (RunAction.AGAIN, RunState.COMPUTED, RunState.COMPUTING),
        (RunAction.REVIEW, RunState.COMPUTED, RunState.REVIEWED),
        (RunAction.REOPEN, RunState.REVIEWED, RunState.COMPUTED),
        (RunAction.REOPEN, RunState.PUBLISHED, RunState.COMPUTED),
        (RunAction.PUBLISH, RunState.REVIEWED, RunState.PUBLISHED),
        (RunAction.APPROVE, RunState.REVIEWED, RunState.APPROVED),
        (RunAction.APPROVE, RunState.PUBLISHED, RunState.APPROVED),
        (RunAction.RELEASE, RunState.APPROVED, RunState.RELEASED),
        (RunAction.PAY_OUT, RunState.RELEASED, RunState.PAID),
        (RunAction.RECONCILE, RunState.PAID, RunState.RECONCILED),
        (RunAction.CANCEL, RunState.COMPUTING, RunState.CANCELLED),
        (RunAction.CANCEL, RunState.COMPUTED, RunState.CANCELLED),
        (RunAction.CANCEL, RunState.REVIEWED, RunState.CANCELLED),
        (RunAction.CANCEL, RunState.PUBLISHED, RunState.CANCELLED),
    ),
    log=lambda: RunLog,
    log_fk="run",
    stamps={
        RunState.APPROVED: "approved_at",
        RunState.RELEASED: "released_at",
        RunState.PAID: "paid_at",
        RunState.RECONCILED: "reconciled_at",
    },
)

LINE_FLOW = Workflow(
    name="benefit_line",
    edges=(
        (LineAction.WITHHOLD, LineState.OPEN, LineState.WITHHELD),
        (LineAction.RESUME, LineState.WITHHELD, LineState.OPEN),
        (LineAction.RESUME_LATER, LineState.WITHHELD, LineState.RESUMED),
        (LineAction.RELEASE, LineState.OPEN, LineState.RELEASED),
    ),
    log=lambda: LineLog,
    log_fk="line",
)

PAYMENT_FLOW = Workflow(
    name="benefit_payment",
    edges=(
        (PaymentAction.PUT, PaymentState.DUE, PaymentState.IN_FILE),
        (PaymentAction.TAKE_OUT, PaymentState.IN_FILE, PaymentState.DUE),
        (PaymentAction.ACCEPT, PaymentState.IN_FILE, PaymentState.PAID),
        (PaymentAction.REJECT, PaymentState.IN_FILE, PaymentState.REJECTED),
        (PaymentAction.RETRY, PaymentState.REJECTED, PaymentState.DUE),
    ),
    log=lambda: PaymentLog,
    log_fk="payment",
    stamps={PaymentState.PAID: "paid_at"},
)

FILE_FLOW = Workflow(
    name="benefit_file",
    edges=(
        (FileAction.SEND, FileState.MADE, FileState.SENT),
        (FileAction.SETTLE, FileState.SENT, FileState.SETTLED),
        (FileAction.DISCARD, FileState.MADE, FileState.DISCARDED),
    ),
    log=lambda: FileLog,
    log_fk="file",
    stamps={FileState.SENT: "sent_at", FileState.SETTLED: "settled_at"},
)

RECOVERY_FLOW = Workflow(
    name="benefit_recovery",
    edges=(
        (RecoveryAction.AGREE, RecoveryState.OPEN, RecoveryState.AGREED),
        (RecoveryAction.AGREE, RecoveryState.AGREED, RecoveryState.AGREED),
        (RecoveryAction.REPAY, RecoveryState.OPEN, RecoveryState.REPAID),
        (RecoveryAction.REPAY, RecoveryState.AGREED, RecoveryState.REPAID),
        (RecoveryAction.DEDUCT, RecoveryState.AGREED, RecoveryState.AGREED),
        (RecoveryAction.STOP_DEDUCTING, RecoveryState.AGREED, RecoveryState.AGREED),
        (RecoveryAction.REOPEN, RecoveryState.REPAID, RecoveryState.AGREED),
        (RecoveryAction.WAIVE, RecoveryState.OPEN, RecoveryState.WAIVED),
        (RecoveryAction.WAIVE, RecoveryState.AGREED, RecoveryState.WAIVED),
    ),
    log=lambda: RecoveryLog,
    log_fk="recovery",
    stamps={
        RecoveryState.AGREED: "agreed_at",
        RecoveryState.REPAID: "closed_at",
        RecoveryState.WAIVED: "closed_at",
    },
)
