"""Over-paid months of what is not given in cash: what was not issued stays with the fund, the unused rest of a voucher is taken
back, what was used becomes a recovery (X-03, R-042, R-050). Part of a release: it asks no permission of its own.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.care.vouchers import services as vouchers
from sangyu.kernel.actor import Actor
from sangyu.kernel.merging.models import Merge

from ..enums import Form, PaymentAction, PaymentState, Result
from ..models import Payment, Recall, Run
from ..workflow import PAYMENT_FLOW
from ._shared import log_many


@dataclass(slots=True)
class Taken:
    """What of an over-paid line was settled without the subject: ``unissued`` waited still, ``back`` was taken off vouchers,
    ``ended`` had lapsed or been cancelled unused. ``used`` is claimed.
    """

    line: Any
    unissued: int = 0
    back: int = 0
    ended: int = 0
    used: int = 0

    @property
    def settled(self) -> int:
        return self.unissued + self.back + self.ended


def recall(actor: Actor, run: Run, over: Sequence[Any], now: datetime) -> list[Taken]:
    """Settle the over-paid lines ``over`` (of services.releasing, not cash) as far as nothing was used, and keep what was done.

    The caller moves the money of the fund and claims the rest. Call under ``as_system``: the vouchers of who moved lie elsewhere.
    """
    payments, found = _payments(over), []
    for line in over:
        taken, left = Taken(line), -line.amount
        for payment in payments.get((line.subject_kind, line.subject_id, line.policy, line.month), ()):
            if left:
                left -= _settle(actor, run, taken, payment, min(left, payment.amount), now)
        taken.used += left
        found.append(taken)
    Recall.objects.bulk_create(
        Recall(line_id=t.line.id, unissued=t.unissued, back=t.back, ended=t.ended, used=t.used, created_at=now)
        for t in found
    )
    return found


def _payments(over: Sequence[Any]) -> dict[tuple, list[Payment]]:
    """Payments of the over-paid months, the newest first; of a merged person also those of the file that went into it."""
    ids = {x.subject_id for x in over}
    gone = dict(
        Merge.objects.filter(kind="people.Person", kept_id__in=ids, undone_at=None).values_list("gone_id", "kept_id")
    )
    rows = Payment.objects.select_for_update(of=("self",)).filter(
        subject_id__in=[*ids, *gone], policy__in={x.policy for x in over}, line__month__in={x.month for x in over}
    )
    found = defaultdict(list)
    for p in rows.exclude(form=Form.CASH).select_related("line").order_by("-id"):
        kept = gone.get(p.subject_id, p.subject_id) if p.person_id is not None else p.subject_id
        found[p.subject_kind, kept, p.policy, p.line.month].append(p)
    return found


def _settle(actor: Actor, run: Run, taken: Taken, payment: Payment, part: int, now: datetime) -> int:
    """Take ``part`` fen of one payment back; how much of it is accounted for."""
    if payment.state == PaymentState.DUE:
        _withhold(actor, run, payment, part, now)
        taken.unissued += part
        return part
    item = payment.items.filter(result=Result.ACCEPTED).select_related("file").first()
    if item is None or item.file.voucher_issue_id is None:
        return 0
    done = vouchers.withdraw(
        actor=actor, issue_id=item.file.voucher_issue_id, person_ids=[payment.person_id, taken.line.person_id], amount=part,
        key=f"{taken.line.id}:{payment.pk}", reason=_reason(run, payment), now=now, today=timezone.localdate(now),
    )  # fmt: skip
    taken.back, taken.ended, taken.used = taken.back + done.back, taken.ended + done.ended, taken.used + done.used
    return done.total


def _withhold(actor: Actor, run: Run, payment: Payment, part: int, now: datetime) -> None:
    """Take what was not issued yet out of a waiting payment."""
    payment.amount, payment.offset = payment.amount - part, payment.offset + part
    if not payment.amount:
        payment.state = PaymentState.OFFSET
    payment.save(update_fields=["amount", "offset", "state"])
    log_many(
        PAYMENT_FLOW, actor, [(payment.pk, _reason(run, payment))], PaymentAction.TAKE_OUT, PaymentState.DUE, payment.state, now,
        amount=part,
    )  # fmt: skip


def _reason(run: Run, payment: Payment) -> str:
    return _("Over-paid for %(month)s, found by %(run)s") % {"month": f"{payment.line.month:%Y-%m}", "run": run.number}
