"""Tables of benefit runs (docs/rooms/benefits.md, docs/adr/0021). Amounts in fen."""

from .funds import Fund, FundBudget
from .payments import FileItem, FileLog, Payment, PaymentFile, PaymentLog
from .recoveries import Deduction, Instalment, Recall, Recovery, RecoveryLog, Repayment
from .runs import Line, LineLog, Notice, Review, Run, RunLog

__all__ = [
    "Deduction",
    "FileItem",
    "FileLog",
    "Fund",
    "FundBudget",
    "Instalment",
    "Line",
    "LineLog",
    "Notice",
    "Payment",
    "PaymentFile",
    "PaymentLog",
    "Recall",
    "Recovery",
    "RecoveryLog",
    "Repayment",
    "Review",
    "Run",
    "RunLog",
]
