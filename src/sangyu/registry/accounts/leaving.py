"""Hand-over of open work when somebody leaves (X-07): listed by the rooms' rules, moved in one transaction, one row of the
log for each piece. Called inside a service's scope."""

from collections import defaultdict
from datetime import date

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.handover import HandoverRule, Holder, Work, rules
from sangyu.kernel.scoping import as_system, say_why, scope
from sangyu.kernel.services import service

from . import delegation
from .enums import AccountKind, Act
from .models import Account, AccountSession, ApiToken, Handover, HandoverItem
from .selectors import account_usable, live


def _holder(account: Account, day: date) -> Holder:
    subjects: dict[Audience, tuple[int, ...]] = defaultdict(tuple)
    for grant in account.grants.filter(live(day) | Q(valid_to__gte=day)).exclude(subject_id=None):
        subjects[Audience(grant.audience)] += (grant.subject_id,)
    return Holder(account.pk, account.name, dict(subjects))


def open_work(actor: Actor, account: Account, day: date | None = None) -> list[tuple[HandoverRule, list[Work]]]:
    """The account's open work by rule; rules without work are left out. The caller has found ``account`` in its scope."""
    with scope(actor), as_system("open work of one account, wherever it lies"):
        holder = _holder(account, day or timezone.localdate())
        return [(rule, work) for rule in rules() if (work := rule.open_of(holder))]


@service("accounts.manage")
def hand_over(
    *, actor: Actor, account_id: int, successor_id: int, reason: str, today: date | None = None
) -> tuple[Handover, int]:
    """Move all open work that can be moved to the successor: all of it or, if one rule refuses, none.

    Answers the hand-over and how many pieces moved. Raises NotVisible, Invalid, Refused("accounts.above" |
    "accounts.no_work").
    """
    day = today or timezone.localdate()
    found = {a.pk: a for a in Account.objects.select_for_update().filter(pk__in=[account_id, successor_id])}
    account, successor = found.get(account_id), found.get(successor_id)
    if account is None:
        raise NotVisible
    delegation.guard(actor, account)
    if successor is None or successor == account or successor.kind != AccountKind.PERSON:
        raise Invalid({"successor_id": [_("Choose another person of your area.")]})
    if not account_usable(successor, day):
        raise Invalid({"successor_id": [_("This account cannot sign in.")]})
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    say_why(reason)
    with as_system("open work of one account goes to another"):
        giving, taking = _holder(account, day), _holder(successor, day)
        work = [(rule, rule.open_of(giving)) for rule in rules() if rule.move]
        work = [(rule, pieces) for rule, pieces in work if pieces]
        if not work:
            raise Refused(_("There is no open work to hand over."), code="accounts.no_work")
        for rule, pieces in work:
            rule.move(giving, taking, [p.row_id for p in pieces])
        row = Handover.objects.create(
            path=account.path, account=account, successor=successor, reason=reason.strip(), by_name=actor.name
        )
        HandoverItem.objects.bulk_create(
            HandoverItem(handover=row, path=account.path, rule=rule.name, row_id=p.row_id, words=p.words[:200])
            for rule, pieces in work
            for p in pieces
        )
        count = sum(len(pieces) for _rule, pieces in work)
    delegation.log(actor, Act.HAND_OVER, account, reason=f"→ {successor.name} ({count}): {reason}")
    emit("accounts.handed_over", path=account.path, id=account.pk, successor=successor.pk, count=count)
    return row, count


def end_left(today: date | None = None) -> int:
    """Every night: sessions and tokens of accounts whose leave date has come; answers how many accounts.

    The sign-in is closed by the date itself; this takes away what would otherwise wait for its next request.
    """
    day = today or timezone.localdate()
    with scope(Actor.job("accounts.end_left")):
        gone = list(Account.objects.filter(ends_on__lte=day).values_list("pk", flat=True))
        ended = AccountSession.objects.filter(account_id__in=gone)
        tokens = ApiToken.objects.filter(account_id__in=gone, revoked_at=None)
        touched = {*ended.values_list("account_id", flat=True), *tokens.values_list("account_id", flat=True)}
        ended.delete()
        tokens.update(revoked_at=timezone.now())
    return len(touched)
