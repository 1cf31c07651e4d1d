"""Payment files: to the bank, as vouchers, to the insurer. A payment goes into a file once, and again only when it came back."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.care.vouchers import services as vouchers
from sangyu.kernel import bulk
from sangyu.kernel.actor import Actor
from sangyu.kernel.crypto import encrypt
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.numbering import next_number
from sangyu.kernel.scoping import PATH_END, as_system
from sangyu.kernel.services import service
from sangyu.registry.regions import selectors as regions

from .. import layouts, payees
from ..enums import FileAction, FileKind, Form, PaymentAction, PaymentState, Result
from ..models import FileItem, Fund, Payment, PaymentFile
from ..workflow import FILE_FLOW, PAYMENT_FLOW
from ._shared import DUE, IN_BANK, INSURANCE, fund_account, get, log_many, subject_accounts
from .settling import close_file

#: Items of one file: banks take no longer ones.
MOST_ITEMS = 100_000
_ELSEWHERE = "the fund of a payment may lie above its region"


def _region(actor: Actor, region_id: int):
    region = regions.region(region_id)
    if not region.path.startswith(actor.path):
        raise Invalid({"region": [_("You pay for your own region only.")]})
    return region


def _due(path: str, **conditions) -> list[Payment]:
    rows = Payment.objects.select_for_update(of=("self",)).filter(
        state=PaymentState.DUE, path__gte=path, path__lt=path + PATH_END, **conditions
    )
    return list(rows.select_related("line").order_by("subject_kind", "subject_id", "id")[:MOST_ITEMS])


def _nothing() -> Refused:
    return Refused(_("Nothing is waiting to be paid this way."), code="benefits.nothing_due")


def _make(
    actor: Actor, region, kind: str, layout: str, chosen: Sequence[tuple[Payment, payees.Payee]], now: datetime
) -> PaymentFile:
    """The file's row, its items and the payments' step, in a few statements."""
    items = [
        layouts.Item(
            n, p.reference, p.amount, who.holder, who.number, who.bank, who.name, who.id_number,
            f"{p.line.month:%Y-%m}", p.policy,
        )
        for n, (p, who) in enumerate(chosen, start=1)
    ]  # fmt: skip
    made = PaymentFile(
        number=next_number("ZF", timezone.localdate(now), region.code), kind=kind, layout=layout, region=region,
        path=region.path, item_count=len(items), total=sum(i.amount for i in items), digest=layouts.digest(items),
        made_by=actor.name, made_by_account=actor.account_id, made_at=now,
    )  # fmt: skip
    FILE_FLOW.begin(actor=actor, row=made, action="make", now=now)
    bulk.insert_rows(
        FileItem,
        ("payment_id", "number", "amount", "payee", "payee_account", "bank"),
        (
            (
                p.pk, i.number, i.amount, i.payee[:60],
                encrypt(i.account, FileItem._meta.get_field("payee_account").purpose) if i.account else None, i.bank[:60],
            )
            for (p, _who), i in zip(chosen, items, strict=True)
        ),
        file_id=made.pk,
    )  # fmt: skip
    ids = [p.pk for p, _who in chosen]
    attempts = {p.attempts + 1 for p, _who in chosen}
    for n in attempts:
        Payment.objects.filter(pk__in=[p.pk for p, _w in chosen if p.attempts + 1 == n]).update(
            state=PaymentState.IN_FILE, attempts=n, refusal=""
        )
    log_many(
        PAYMENT_FLOW, actor, [(pk, "") for pk in ids], PaymentAction.PUT, PaymentState.DUE, PaymentState.IN_FILE, now,
        file=made.number,
    )  # fmt: skip
    return made


@service("benefits.pay")
def make_bank_file(
    *, actor: Actor, region_id: int, layout: str = "standard", now: datetime | None = None
) -> PaymentFile:
    """A bank file of all cash payments of the region that wait and have an account to go to.

    Raises Refused("benefits.nothing_due"); Invalid for an unknown layout or another region.
    """
    now = now or timezone.now()
    if layout not in dict(layouts.choices(FileKind.BANK)):
        raise Invalid({"layout": [_("Choose a layout.")]})
    region = _region(actor, region_id)
    waiting = _due(region.path, form=Form.CASH)
    known = payees.of(waiting, need_account=True)
    chosen = [(p, known[p.pk]) for p in waiting if p.pk in known]
    if not chosen:
        raise _nothing()
    return _make(actor, region, FileKind.BANK, layout, chosen, now)


@service("benefits.pay")
def make_insurer_file(
    *, actor: Actor, region_id: int, policy: str, layout: str = "accident_insurance", now: datetime | None = None
) -> PaymentFile:
    """The list of insured persons of one policy with its premium total (R-045); who joins later comes with a later list."""
    now = now or timezone.now()
    if layout not in dict(layouts.choices(FileKind.INSURER)):
        raise Invalid({"layout": [_("Choose a layout.")]})
    region = _region(actor, region_id)
    waiting = _due(region.path, form=Form.INSURANCE, policy=policy)
    if not waiting:
        raise _nothing()
    known = payees.of(waiting, need_account=False)
    return _make(actor, region, FileKind.INSURER, layout, [(p, known[p.pk]) for p in waiting], now)


@service("benefits.pay")
def issue_vouchers(
    *, actor: Actor, region_id: int, policy: str, programme_id: int, now: datetime | None = None
) -> PaymentFile:
    """Pay one policy in vouchers of a programme (R-042, R-050): one voucher a person with all that waits for it.

    Who can have none (has this period's already, has died) stays waiting. The file is settled at once.
    """
    now = now or timezone.now()
    day, region = timezone.localdate(now), _region(actor, region_id)
    waiting = [
        p for form in (Form.VOUCHER, Form.SERVICE) for p in _due(region.path, form=form, policy=policy)
    ]  # fmt: skip
    amounts: dict[int, int] = defaultdict(int)
    for p in waiting:
        if p.person_id is not None:
            amounts[p.person_id] += p.amount
    if not amounts:
        raise _nothing()
    plan = vouchers.preview_issue(actor=actor, programme_id=programme_id, person_ids=list(amounts), day=day)
    able = {card.id for card in plan.cards}
    chosen = [p for p in waiting if p.person_id in able]
    if not chosen:
        raise _nothing()
    known = payees.of(chosen, need_account=False)
    made = _make(actor, region, FileKind.VOUCHER, "", [(p, known[p.pk]) for p in chosen], now)
    issued = vouchers.issue(
        actor=actor, programme_id=programme_id, person_ids=sorted(able), day=day, region_id=region.pk, path=region.path,
        amounts={pk: amounts[pk] for pk in able},
    )  # fmt: skip
    made.voucher_issue_id = issued.pk
    made.save(update_fields=["voucher_issue_id"])
    made = _send(actor, made, now)
    answers = {p.pk: (True, "") for p in chosen}
    close_file(actor, made, answers, now)
    return made


@service("benefits.pay")
def send(*, actor: Actor, file_id: int, now: datetime | None = None) -> PaymentFile:
    """The file has gone to the bank or insurer: its money is on its way, in the ledger too."""
    return _send(actor, get(PaymentFile, file_id, lock=True), now or timezone.now())


def _send(actor: Actor, made: PaymentFile, now: datetime) -> PaymentFile:
    FILE_FLOW.require(made, FileAction.SEND)
    items = list(made.items.select_related("payment", "payment__line"))
    with as_system(_ELSEWHERE):
        moves = _moves(actor, items, waiting_accounts(actor, items), IN_BANK, "send")
        ledger.transfer_batch(actor=actor, moves=moves, kind="benefits.send", effective_on=timezone.localdate(now))
    return FILE_FLOW.apply(
        actor=actor, queryset=PaymentFile.objects.all(), pk=made.pk, row=made, action=FileAction.SEND, now=now
    )


def waiting_accounts(actor: Actor, items: Sequence[FileItem]) -> dict[int, int]:
    """Payment → account on which its money waits (see services.releasing). Call under ``as_system``."""
    payments = [i.payment for i in items]
    cash = [(p.subject_kind, p.subject_id, p.path, p.person_id) for p in payments if p.form == Form.CASH]
    due = subject_accounts(actor, DUE, cash)
    funds = Fund.objects.in_bulk({p.fund_id for p in payments})
    of_fund = {
        (f.pk, form): fund_account(actor, f, purpose)
        for f in funds.values()
        for form, purpose in ((Form.VOUCHER, Form.VOUCHER), (Form.SERVICE, Form.SERVICE), (Form.INSURANCE, INSURANCE))
    }
    return {
        p.pk: due[p.subject_kind, p.subject_id] if p.form == Form.CASH else of_fund[p.fund_id, p.form] for p in payments
    }


def _moves(
    actor: Actor, items: Sequence[FileItem], source: dict[int, int], purpose: str, word: str
) -> list[ledger.Move]:
    funds = Fund.objects.in_bulk({i.payment.fund_id for i in items})
    target = {pk: fund_account(actor, fund, purpose) for pk, fund in funds.items()}
    return [
        ledger.Move(
            source[i.payment_id], target[i.payment.fund_id], i.amount, f"payment:{i.payment_id}:{i.file_id}:{word}",
            f"payment:{i.payment_id}",
        )
        for i in items
    ]  # fmt: skip


@service("benefits.pay")
def discard(*, actor: Actor, file_id: int, reason: str, now: datetime | None = None) -> PaymentFile:
    """Throw away a file that was not sent; its payments wait again."""
    if not reason.strip():
        raise Invalid({"reason": [_("Give the reason.")]})
    now = now or timezone.now()
    made = get(PaymentFile, file_id, lock=True)
    FILE_FLOW.require(made, FileAction.DISCARD)
    ids = list(made.items.values_list("payment_id", flat=True))
    made.items.update(result=Result.REJECTED, refusal=reason.strip()[:200], settled_at=now)
    Payment.objects.filter(pk__in=ids).update(state=PaymentState.DUE)
    log_many(
        PAYMENT_FLOW, actor, [(pk, "") for pk in ids], PaymentAction.TAKE_OUT, PaymentState.IN_FILE, PaymentState.DUE, now,
        file=made.number,
    )  # fmt: skip
    return FILE_FLOW.apply(
        actor=actor, queryset=PaymentFile.objects.all(), pk=made.pk, row=made, action=FileAction.DISCARD, now=now,
        reason=reason.strip(),
    )  # fmt: skip


@service("benefits.pay")
def retry(*, actor: Actor, payment_id: int, now: datetime | None = None) -> Payment:
    """Let a rejected payment wait for the next file. Its account must have been corrected: Refused("benefits.same_account")."""
    payment = get(Payment, payment_id, lock=True)
    PAYMENT_FLOW.require(payment, PaymentAction.RETRY)
    last = payment.items.order_by("-id").first()
    who = payees.of([payment], need_account=True).get(payment.pk)
    if who is None or (last is not None and (who.number, who.holder) == (last.payee_account, last.payee)):
        raise Refused(
            _("The account is the one that the bank rejected. Correct it first."), code="benefits.same_account"
        )
    return PAYMENT_FLOW.apply(
        actor=actor, queryset=Payment.objects.all(), pk=payment.pk, row=payment, action=PaymentAction.RETRY, now=now
    )
