"""What changes vouchers. Pages, tasks and other rooms call these."""

from .issuing import Preview, issue, preview_issue
from .keeping import cancel, cancel_for_person, expire_due, find, reissue, report_loss
from .programmes import change_programme, publish_programme
from .using import earned_account, held, hold, refund, release, spend
from .withdrawing import Withdrawn, withdraw

__all__ = [
    "Preview",
    "Withdrawn",
    "cancel",
    "cancel_for_person",
    "change_programme",
    "earned_account",
    "expire_due",
    "find",
    "held",
    "hold",
    "issue",
    "preview_issue",
    "publish_programme",
    "refund",
    "reissue",
    "release",
    "report_loss",
    "spend",
    "withdraw",
]
