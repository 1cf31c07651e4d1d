"""Words of benefit runs. Values are stored and travel in files and the API: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class _Toned(models.TextChoices):
    """Words with a tone for the status shape; the tones stand in ``_TONES``."""

    @property
    def tone(self) -> str:
        return _TONES.get(type(self).__name__, {}).get(self.value, "mute")


class RunState(_Toned):
    """Where a month's run stands (docs/rooms/benefits.md)."""

    COMPUTING = "computing", _("Being computed")
    COMPUTED = "computed", _("Under review")
    REVIEWED = "reviewed", _("Reviewed")
    PUBLISHED = "published", _("On public notice")
    APPROVED = "approved", pgettext_lazy("benefits", "Approved")
    RELEASED = "released", pgettext_lazy("benefits", "Released")
    PAID = "paid", _("Paid out")
    RECONCILED = "reconciled", _("Reconciled")
    CANCELLED = "cancelled", pgettext_lazy("benefits", "Cancelled")


class RunAction(models.TextChoices):
    COMPUTE = "compute", _("Compute")
    AGAIN = "again", _("Compute again")
    REVIEW = "review", _("Finish the review")
    REOPEN = "reopen", _("Reopen the review")
    PUBLISH = "publish", _("Put on public notice")
    APPROVE = "approve", _("Approve")
    RELEASE = "release", _("Release")
    PAY_OUT = "pay_out", _("All is paid out")
    RECONCILE = "reconcile", _("All is reconciled")
    CANCEL = "cancel", _("Cancel")


#: From here on nothing of a run changes; the database holds it.
FROZEN = [RunState.APPROVED, RunState.RELEASED, RunState.PAID, RunState.RECONCILED]
#: Money has left the fund.
RELEASED = [RunState.RELEASED, RunState.PAID, RunState.RECONCILED]


class SubjectKind(models.TextChoices):
    """Who a line is for."""

    PERSON = "person", _("Elder")
    FACILITY = "facility", _("Facility")
    WORKER = "worker", _("Worker")
    ORGANISATION = "organisation", _("Organisation")


class LineKind(_Toned):
    """The month's own entitlement, or the difference of an earlier month as known now."""

    ENTITLEMENT = "entitlement", _("Entitlement")
    ARREARS = "arrears", _("Arrears")
    RECOVERY = "recovery", _("Over-payment")


class LineState(_Toned):
    """A withheld line is not paid; resumed after the approval it comes with a later run as arrears."""

    OPEN = "open", pgettext_lazy("benefits", "To pay")
    WITHHELD = "withheld", _("Withheld")
    RESUMED = "resumed", _("Resumed, comes with a later run")
    RELEASED = "released", pgettext_lazy("benefits", "Released")


class LineAction(models.TextChoices):
    WITHHOLD = "withhold", _("Withhold")
    RESUME = "resume", _("Resume")
    RESUME_LATER = "resume_later", _("Resume later")
    RELEASE = "release", _("Release")


class Change(_Toned):
    """Against the last run. ``nothing``: the subject meets the policy and gets nothing (stacking)."""

    NEW = "new", pgettext_lazy("benefits", "New")
    CHANGED = "changed", pgettext_lazy("benefits", "Changed")
    STOPPED = "stopped", pgettext_lazy("benefits", "Stopped")
    SAME = "same", pgettext_lazy("benefits", "As before")
    PERIODIC = "periodic", _("Due in this month")
    NOTHING = "nothing", _("Met, nothing to pay")
    LATE = "late", _("Earlier month")


class Form(models.TextChoices):
    """In what form a policy pays (R-049)."""

    CASH = "cash", _("Money")
    VOUCHER = "voucher", _("Vouchers")
    SERVICE = "service", pgettext_lazy("benefits", "Services")
    INSURANCE = "insurance", _("Insurance")


class Level(models.TextChoices):
    """Levels of review, the lower first."""

    STREET = "street", _("Street")
    COUNTY = "county", _("County")


class PaymentState(_Toned):
    DUE = "due", pgettext_lazy("benefits", "To pay")
    IN_FILE = "in_file", _("In a payment file")
    REJECTED = "rejected", _("Rejected by the bank")
    PAID = "paid", pgettext_lazy("benefits", "Paid")
    OFFSET = "offset", _("Offset against an over-payment")


class PaymentAction(models.TextChoices):
    PUT = "put", _("Put into a file")
    ACCEPT = "accept", _("Paid by the bank")
    REJECT = "reject", _("Rejected by the bank")
    RETRY = "retry", _("Pay again")
    TAKE_OUT = "take_out", _("Take out of the file")


class FileKind(models.TextChoices):
    BANK = "bank", _("Bank")
    VOUCHER = "voucher", _("Voucher issue")
    INSURER = "insurer", _("Insurer")


class FileState(_Toned):
    MADE = "made", _("Made")
    SENT = "sent", _("Sent")
    SETTLED = "settled", pgettext_lazy("benefits", "Settled")
    DISCARDED = "discarded", _("Discarded")


class FileAction(models.TextChoices):
    SEND = "send", pgettext_lazy("benefits", "Send")
    SETTLE = "settle", pgettext_lazy("benefits", "Settle")
    DISCARD = "discard", _("Discard")


class Result(_Toned):
    """What became of one item of a payment file."""

    PENDING = "pending", _("Waits for the answer")
    ACCEPTED = "accepted", pgettext_lazy("benefits", "Accepted")
    REJECTED = "rejected", _("Rejected")


class RecoveryState(_Toned):
    OPEN = "open", _("To be agreed")
    AGREED = "agreed", _("Instalments agreed")
    REPAID = "repaid", _("Repaid")
    WAIVED = "waived", _("Written off")


class RecoveryAction(models.TextChoices):
    AGREE = "agree", _("Agree instalments")
    REPAY = "repay", _("All is repaid")
    DEDUCT = "deduct", _("Deduct from payments")
    STOP_DEDUCTING = "stop_deducting", _("Deduct no more")
    REOPEN = "reopen", _("A deduction was taken back")
    WAIVE = "waive", _("Write off")


class Basis(models.TextChoices):
    """On what ground a recovery is deducted from later payments."""

    CONSENT = "consent", _("Written consent of the recipient")
    DECISION = "decision", _("Decision that can be appealed against")


class FundKind(models.TextChoices):
    """Where the money comes from (R-062, R-064)."""

    FISCAL = "fiscal", _("Public budget")
    LOTTERY = "lottery", _("Welfare lottery fund")
    DONATION = "donation", _("Donation")
    INSURANCE = "insurance", _("Long-term care insurance")
    OTHER = "other", pgettext_lazy("benefits", "Other")


class By(models.TextChoices):
    """How totals are put together (R-056, R-062)."""

    POLICY = "policy", _("Policy")
    AREA = "area", _("Area")
    FUND = "fund", _("Fund source")
    MONTH = "month", _("Month")
    YEAR = "year", _("Year")


_TONES: dict[str, dict[str, str]] = {
    "RunState": {
        "computing": "info", "computed": "warn", "reviewed": "info", "published": "info", "approved": "info",
        "released": "ok", "paid": "ok", "reconciled": "ok",
    },
    "LineKind": {"arrears": "info", "recovery": "warn"},
    "LineState": {"open": "info", "withheld": "warn", "resumed": "info", "released": "ok"},
    "Change": {"new": "info", "changed": "warn", "stopped": "bad", "late": "warn"},
    "PaymentState": {"due": "info", "in_file": "info", "rejected": "bad", "paid": "ok"},
    "FileState": {"made": "info", "sent": "info", "settled": "ok"},
    "Result": {"pending": "info", "accepted": "ok", "rejected": "bad"},
    "RecoveryState": {"open": "warn", "agreed": "info", "repaid": "ok"},
}  # fmt: skip
