"""Questions about vouchers, answered for the rows that the open scope sees."""

from dataclasses import dataclass, field
from datetime import date

from django.db.models import QuerySet

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.ledger import selectors as ledger
from sangyu.registry.catalogue import selectors as catalogue

from .enums import RefusedUse, State
from .models import Programme, Voucher
from .periods import first_of_period


@dataclass(frozen=True, slots=True)
class UsableVoucher:
    """A voucher that may pay, with the most it may pay here (fen)."""

    voucher_id: int
    amount: int
    name: str
    valid_to: date


@dataclass(frozen=True, slots=True)
class RefusedVoucher:
    """A voucher that may not pay here, and why."""

    voucher_id: int
    name: str
    reason: RefusedUse

    @property
    def words(self) -> str:
        return str(self.reason.label)


@dataclass(frozen=True, slots=True)
class Explanation:
    usable: list[UsableVoucher] = field(default_factory=list)
    refused: list[RefusedVoucher] = field(default_factory=list)


def explain(
    *,
    actor: Actor,
    person_id: int,
    item,
    day: date,
    organisation_id: int | None = None,
    amount: int | None = None,
    held: dict[int, int] | None = None,
) -> Explanation:
    """Which vouchers of a person may pay a visit on ``day``, the first to expire first, and why the others may not
    (R-069).

    Only vouchers that ``actor`` sees. The programme's cap per order is shared by its vouchers. ``amount`` (fen) stops when it
    is covered. An organisation of None is not checked: it is not known yet. ``held`` (account → fen) is what the visit
    already holds: it counts as free.
    """
    item, held = catalogue.as_item(item), held or {}
    rows = Voucher.objects.visible_to(actor).filter(person_id=person_id)
    rows = rows.exclude(state__in=[State.REPLACED, State.CANCELLED])
    found, room = Explanation(), {}
    left = amount
    for v in rows.select_related("programme", "account").order_by("valid_to", "id"):
        terms = v.programme
        available = v.available + held.get(v.account_id, 0)
        why = _refusal(v, item, day, organisation_id, available)
        if why is not None:
            found.refused.append(RefusedVoucher(v.pk, terms.name, why))
            continue
        cap = room.get(terms.pk, terms.per_order_cap)
        part = min(x for x in (available, cap, left) if x is not None)
        if part <= 0:
            continue
        if cap is not None:
            room[terms.pk] = cap - part
        if left is not None:
            left -= part
        found.usable.append(UsableVoucher(v.pk, part, terms.name, v.valid_to))
    return found


def _refusal(v: Voucher, item, day: date, organisation_id: int | None, available: int) -> RefusedUse | None:
    terms = v.programme
    if v.state == State.EXPIRED or day >= v.valid_to:
        return RefusedUse.EXPIRED
    if v.state != State.ACTIVE:
        return RefusedUse.STATE
    if day < v.valid_from:
        return RefusedUse.NOT_YET
    if terms.items and item.code not in terms.items:
        return RefusedUse.ITEM
    if terms.categories and item.category not in terms.categories:
        return RefusedUse.CATEGORY
    if organisation_id is not None and terms.organisations and organisation_id not in terms.organisations:
        return RefusedUse.ORGANISATION
    if available <= 0:
        return RefusedUse.NOTHING_LEFT
    return None


def usable(**asked) -> list[UsableVoucher]:
    """The usable part of ``explain``: voucher id, fen, name, in the order in which they should be spent."""
    return explain(**asked).usable


def get_voucher(actor: Actor, pk: int) -> Voucher:
    """The voucher with programme, person, region and account; raises NotVisible."""
    found = vouchers_visible(actor).filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


def vouchers_visible(actor: Actor) -> QuerySet[Voucher]:
    """All vouchers in scope with what lists show."""
    return Voucher.objects.visible_to(actor).select_related("programme", "person", "region", "account")


def vouchers_of_person(actor: Actor, person_id: int) -> QuerySet[Voucher]:
    """Vouchers of one person, the first to expire first."""
    return vouchers_visible(actor).filter(person_id=person_id).order_by("valid_to", "id")


def statement(actor: Actor, voucher: Voucher, *, until: date) -> ledger.Statement:
    """Movements of one voucher from its issue to ``until``."""
    return ledger.statement(actor=actor, account_id=voucher.account_id, since=date(2000, 1, 1), until=until)


def programmes_visible(actor: Actor) -> QuerySet[Programme]:
    return Programme.objects.visible_to(actor).select_related("region")


def programmes_in_force(actor: Actor, day: date) -> QuerySet[Programme]:
    """Programmes that may be issued from on ``day``."""
    return Programme.objects.visible_to(actor).on(day).order_by("name", "id")


def had_before(actor: Actor, programme_id: int, day: date) -> list[int]:
    """Persons who had the programme's voucher in the last period before the one that ``day`` lies in."""
    programme = programmes_visible(actor).filter(pk=programme_id).first()
    if programme is None:
        raise NotVisible
    begins = first_of_period(programme.validity, day)
    rows = Voucher.objects.visible_to(actor).filter(programme_id=programme_id, period__lt=begins)
    last = rows.exclude(state__in=[State.CANCELLED, State.REPLACED]).order_by("-period").first()
    if last is None:
        return []
    kept = rows.filter(period=last.period).exclude(state__in=[State.CANCELLED, State.REPLACED])
    return list(kept.order_by("person_id").values_list("person_id", flat=True))
