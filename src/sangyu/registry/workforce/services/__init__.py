"""All acts of the workforce room."""

from .calendar import cancel_leave, record_leave, set_hours
from .duties import acknowledge, publish_duty
from .engagement import (
    admit,
    change_worker,
    hire,
    leave,
    link_account,
    rate_workers,
    resume,
    reveal,
    suspend,
    transfer,
)
from .records import (
    add_certificate,
    add_clearance,
    add_honour,
    attach_certificate_paper,
    attach_clearance_paper,
    end_certificate,
    end_clearance,
)

__all__ = [
    "acknowledge",
    "add_certificate",
    "add_clearance",
    "add_honour",
    "admit",
    "attach_certificate_paper",
    "attach_clearance_paper",
    "cancel_leave",
    "change_worker",
    "end_certificate",
    "end_clearance",
    "hire",
    "leave",
    "link_account",
    "publish_duty",
    "rate_workers",
    "record_leave",
    "resume",
    "reveal",
    "set_hours",
    "suspend",
    "transfer",
]
