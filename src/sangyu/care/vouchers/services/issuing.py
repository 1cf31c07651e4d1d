"""Issuing vouchers to many persons in a handful of statements (R-050)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db import connection
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.ledger.enums import Unit
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people

from .. import events
from ..enums import State
from ..models import Issue, Programme, Voucher
from ..periods import end_of_validity, first_of_period
from ..serials import next_serials
from ._shared import ISSUED, VOUCHER, programme_account


@dataclass(frozen=True, slots=True)
class Preview:
    """What an issue would do: who gets a voucher, who does not and why; the total in fen."""

    programme: Programme
    period: date
    valid_to: date
    cards: list[people.PersonCard] = field(default_factory=list)
    skipped: list[tuple[int, str, str]] = field(default_factory=list)  # person id, name, reason
    amounts: dict[int, int] = field(default_factory=dict)  # person id → fen, where it is not the face amount

    @property
    def count(self) -> int:
        return len(self.cards)

    @property
    def total(self) -> int:
        return sum(self.amount_of(card.id) for card in self.cards)

    def amount_of(self, person_id: int) -> int:
        """What the person's voucher is worth, in fen."""
        return self.amounts.get(person_id, self.programme.face_amount)


def _programme(programme_id: int, day: date) -> Programme:
    programme = Programme.objects.filter(pk=programme_id).first()
    if programme is None:
        raise NotVisible
    if not programme.holds_on(day):
        raise Refused(_("The programme is not in force on that day."), code="vouchers.programme_ended")
    return programme


def _plan(actor: Actor, programme_id: int, person_ids: Iterable[int], day: date) -> Preview:
    programme = _programme(programme_id, day)
    period = first_of_period(programme.validity, day)
    wanted = list(dict.fromkeys(person_ids))
    cards = people.person_cards(actor, wanted, day=day)
    has = set(
        Voucher.objects.filter(programme=programme, period=period, person_id__in=wanted)
        .exclude(state__in=[State.REPLACED, State.CANCELLED])
        .values_list("person_id", flat=True)
    )
    plan = Preview(programme, period, end_of_validity(programme.validity, period, programme.validity_days))
    for pk in wanted:
        card = cards.get(pk)
        if card is None:
            plan.skipped.append((pk, "", _("Not in your register")))
        elif card.died_on is not None:
            plan.skipped.append((pk, card.name, _("Has died")))
        elif card.restricted:
            plan.skipped.append((pk, card.name, _("Data are restricted by law")))
        elif not card.path.startswith(programme.path):
            plan.skipped.append((pk, card.name, _("Lives outside the programme's region")))
        elif pk in has:
            plan.skipped.append((pk, card.name, _("Already has this voucher for the period")))
        else:
            plan.cards.append(card)
    return plan


@service("vouchers.issue")
def preview_issue(*, actor: Actor, programme_id: int, person_ids: list[int], day: date) -> Preview:
    """Who would get a voucher of the period that ``day`` lies in; writes nothing."""
    return _plan(actor, programme_id, person_ids, day)


@service("vouchers.issue")
def issue(
    *,
    actor: Actor,
    programme_id: int,
    person_ids: list[int],
    day: date,
    region_id: int,
    path: str,
    paper: bool = False,
    amounts: dict[int, int] | None = None,
) -> Issue:
    """Issue one voucher of the period of ``day`` to each person that may have one; the others are left out (see
    preview). ``amounts`` (person id → fen) are worth something else than the face amount: a policy that pays by class.

    ``region_id`` and ``path`` name the issuing region. A repeated call issues nothing twice (one voucher per programme,
    person and period). Raises Refused("vouchers.nobody") when nobody is left.
    """
    plan = _plan(actor, programme_id, person_ids, day)
    plan.amounts.update(amounts or {})
    if not plan.count:
        raise Refused(_("Nobody on the list can get this voucher."), code="vouchers.nobody")
    if not path.startswith(actor.path):
        raise Invalid({"region": [_("You issue for your own region only.")]})
    return _issue(actor, plan, day=day, region_id=region_id, path=path, paper=paper)


def _issue(actor: Actor, plan: Preview, *, day: date, region_id: int, path: str, paper: bool) -> Issue:
    programme = plan.programme
    made = Issue.objects.create(
        programme=programme, region_id=region_id, path=path, period=plan.period, count=plan.count, total=plan.total,
        is_paper=paper, actor=actor.name,
    )  # fmt: skip
    serials = next_serials(day, plan.count) if paper else [None] * plan.count
    vouchers = Voucher.objects.bulk_create(
        Voucher(
            programme=programme,
            issue=made,
            person_id=card.id,
            region_id=card.region_id,
            path=card.path,
            period=plan.period,
            amount=plan.amount_of(card.id),
            valid_from=plan.period,
            valid_to=plan.valid_to,
            serial=serial,
        )
        for card, serial in zip(plan.cards, serials, strict=True)
    )
    fill(actor, vouchers, kind="voucher.issue", reference=f"issue:{made.pk}", day=day)
    emit(events.ISSUED, path=path, issue_id=made.pk, count=made.count, total=made.total)
    return made


def open_accounts(actor: Actor, vouchers: list[Voucher]) -> None:
    """A ledger account per voucher, capped at its amount: nobody can hold more on it than was issued."""
    rows = [(v.pk, v.path, v.person_id) for v in vouchers]
    for amount in {v.amount for v in vouchers}:
        part = [r for r, v in zip(rows, vouchers, strict=True) if v.amount == amount]
        ids = ledger.open_accounts(
            actor=actor, owner_kind=VOUCHER, unit=Unit.VOUCHER_FEN, purpose="face", rows=part, ceiling=amount
        )
        accounts = dict(zip((r[0] for r in part), ids, strict=True))
        for v in vouchers:
            v.account_id = accounts.get(v.pk, v.account_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE vouchers_voucher v SET account_id = x.account"
            " FROM unnest(%s::bigint[], %s::bigint[]) x (id, account) WHERE v.id = x.id",
            [[v.pk for v in vouchers], [v.account_id for v in vouchers]],
        )


def fill(actor: Actor, vouchers: list[Voucher], *, kind: str, reference: str, day: date) -> None:
    """Open the accounts and move the face amounts onto them."""
    with as_system("the programme's account may lie above the issuing region"):
        open_accounts(actor, vouchers)
        source = programme_account(actor, vouchers[0].programme, ISSUED)
        moves = [
            ledger.Move(source, v.account_id, v.amount, f"voucher:{v.pk}:issue", reference=reference) for v in vouchers
        ]
        ledger.transfer_batch(actor=actor, moves=moves, kind=kind, effective_on=day)
