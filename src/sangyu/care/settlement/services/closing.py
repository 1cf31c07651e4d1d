"""Closing a period: draft, freeze, discard."""

from datetime import date, datetime, time

from django.db import IntegrityError, transaction
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.timezone import make_aware
from django.utils.translation import gettext as _

from sangyu.care.orders import selectors as orders
from sangyu.care.orders import services as order_services
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.identity import mask_name
from sangyu.kernel.numbering import next_number
from sangyu.kernel.services import service
from sangyu.registry.regions import selectors as regions

from ..enums import Action, LineKind, State
from ..models import Statement, StatementLine
from ._shared import apply, get_statement

_SUMS = ("price", "concession", "voucher", "public_pay", "self_pay")


def cut_off(period: date) -> datetime:
    """First moment after the month of ``period``, in Shanghai: what is confirmed later belongs to a later period."""
    following = date(period.year + period.month // 12, period.month % 12 + 1, 1)
    return make_aware(datetime.combine(following, time.min))


@service("settlement.close")
def draft(
    *, actor: Actor, region_id: int, organisation_id: int, period: date, now: datetime | None = None
) -> Statement:
    """Begin the statement of one provider for the month of ``period``; the lines are a preview until it is frozen.

    Raises Refused: "settlement.period_open" before the month is over, "settlement.exists", "settlement.nothing";
    Invalid
    for a region that is not the actor's.
    """
    now = now or timezone.now()
    period = period.replace(day=1)
    until = cut_off(period)
    if now < until:
        raise Refused(_("The month is not over yet."), code="settlement.period_open")
    region = regions.region(region_id)
    if not region.path.startswith(actor.path):
        raise Invalid({"region": [_("You settle for your own region only.")]})
    live = Statement.objects.filter(organisation_id=organisation_id, region_id=region_id, period=period)
    if live.exclude(state=State.DISCARDED).exists():
        raise Refused(_("This provider has a statement for the month already."), code="settlement.exists")
    statement = Statement.objects.create(
        number=next_number("JS", until.date(), region.code),
        organisation_id=organisation_id,
        region_id=region_id,
        path=region.path,
        period=period,
        cut_off=until,
        created_at=now,
    )
    if not _fill(statement):
        raise Refused(_("This provider has nothing to settle for the month."), code="settlement.nothing")
    return statement


def _fill(statement: Statement) -> int:
    """Make the lines of a draft anew from what can be settled now; how many."""
    found = orders.settleable(path=statement.path, organisation_id=statement.organisation_id, until=statement.cut_off)
    statement.lines.all().delete()
    lines = [
        StatementLine(
            statement=statement,
            kind=LineKind.VISIT if line.refund_id is None else LineKind.REFUND,
            order_id=line.order_id,
            refund_id=line.refund_id,
            number=line.number,
            day=line.visit_on,
            person_id=line.person_id,
            person_masked=mask_name(line.person_name),
            item_code=line.item_code,
            item_name=line.item_name,
            minutes=line.minutes,
            price=line.price,
            concession=line.concession,
            voucher=line.voucher,
            public_pay=line.public_pay,
            self_pay=line.self_pay,
            confirmed_at=line.confirmed_at,
        )
        for line in found
    ]
    try:
        with transaction.atomic():
            StatementLine.objects.bulk_create(lines, batch_size=2000)
    except IntegrityError as clash:
        raise Refused(
            _("Some of these visits stand on another statement. Discard or freeze that one first."),
            code="settlement.elsewhere",
        ) from clash
    _total(statement)
    return len(lines)


def totals(statement: Statement) -> dict[str, int]:
    """Sums of the lines as they are."""
    sums = statement.lines.aggregate(line_count=Count("id"), **{f"sum_{n}": Sum(n) for n in _SUMS})
    return {"line_count": sums["line_count"], **{n: sums[f"sum_{n}"] or 0 for n in _SUMS}}


def _total(statement: Statement) -> None:
    found = totals(statement)
    for name, value in found.items():
        setattr(statement, name, value)
    statement.save(update_fields=list(found))


@service("settlement.close")
def freeze(*, actor: Actor, statement_id: int, now: datetime | None = None) -> Statement:
    """Read the lines a last time, mark their visits as settled, and send the statement to the provider.

    Raises Refused("settlement.nothing") when nothing is left.
    """
    now = now or timezone.now()
    statement = get_statement(statement_id, lock=True)
    if statement.state == State.DRAFT:  # in any other state the workflow refuses below
        if not _fill(statement):
            raise Refused(_("This provider has nothing to settle for the month."), code="settlement.nothing")
        lines = list(statement.lines.values_list("kind", "order_id", "refund_id"))
        order_services.mark_settled(
            actor=actor,
            order_ids=[order for kind, order, _refund in lines if kind == LineKind.VISIT],
            refund_ids=[refund for kind, _order, refund in lines if kind == LineKind.REFUND],
            statement_id=statement.pk,
            now=now,
        )
    changes = {**totals(statement), "frozen_by": actor.name, "frozen_by_account": actor.account_id}
    return apply(actor, statement_id, Action.FREEZE, now=now, changes=changes)


@service("settlement.close")
def close_period(
    *, actor: Actor, region_id: int, organisation_ids: list[int], period: date, now: datetime | None = None
) -> dict[str, list[str]]:
    """Draft the statements of many providers; answers numbers ``made`` and words ``skipped``. Repeatable."""
    done: dict[str, list[str]] = {"made": [], "skipped": []}
    for organisation_id in organisation_ids:
        try:
            with transaction.atomic():
                made = draft(actor=actor, region_id=region_id, organisation_id=organisation_id, period=period, now=now)
        except Refused as refusal:
            if refusal.code not in {"settlement.exists", "settlement.nothing"}:
                raise
            done["skipped"].append(f"{organisation_id}: {refusal}")
        else:
            done["made"].append(made.number)
    return done


@service("settlement.close")
def discard(*, actor: Actor, statement_id: int, reason: str, now: datetime | None = None) -> Statement:
    """Throw a draft away; its visits can be drafted again."""
    if not reason.strip():
        raise Invalid({"reason": [_("Give the reason.")]})
    statement = get_statement(statement_id, lock=True)
    if statement.state == State.DRAFT:
        statement.lines.all().delete()
    changes = dict.fromkeys(("line_count", *_SUMS), 0)
    return apply(actor, statement_id, Action.DISCARD, now=now, reason=reason, changes=changes)
