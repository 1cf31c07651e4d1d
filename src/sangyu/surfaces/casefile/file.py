"""What the rooms know of one person, asked once a request and only when a tab needs it."""

from datetime import date, datetime, timedelta
from functools import cached_property

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.timezone import localtime

from sangyu.care.orders import selectors as orders
from sangyu.care.orders.enums import OPEN_STATES, State
from sangyu.care.vouchers import selectors as vouchers
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.ledger.models import Transfer
from sangyu.kernel.ledger.selectors import MOVING
from sangyu.registry.lifeevents import selectors as lifeevents
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import FactKind

#: Visits that are still to come.
COMING = (State.REQUESTED, State.RECEIVED, State.OFFERED, State.ACCEPTED, State.ON_THE_WAY, State.ARRIVED)
#: Visits that took place.
TOOK_PLACE = (State.DONE, State.CONFIRMED, State.SETTLED, State.DISPUTED)
#: Days before the end of a voucher from which the page warns.
SOON = 30


class File:
    """The casefile of person ``pk`` as ``actor`` sees it at ``now``. Raises NotVisible,
    and Refused for a restricted one. Use inside the actor's scope."""

    def __init__(self, actor: Actor, pk: int, now: datetime | None = None) -> None:
        self.actor, self.now = actor, now or timezone.now()
        self.today: date = localtime(self.now).date()
        self.person = people.get_person(actor, pk)
        people.refuse_restricted(self.person)
        self.staff = actor.audience is Audience.STAFF
        self.sees_orders = actor.may("orders.view")
        self.sees_vouchers = actor.may("vouchers.view") and actor.audience in (Audience.STAFF, Audience.FAMILY)

    # ---- the person
    @cached_property
    def card(self):
        """Masked card with facts and tags of today (of the last day, when dead)."""
        return people.card_of(self.person, {f.kind: f.value for f in self.holding}, self.today)

    @cached_property
    def facts(self) -> list:
        """All facts ever stated, superseded ones too, oldest first."""
        return list(self.person.facts.exclude(kind=FactKind.REGION).order_by("recorded_at", "id"))

    @cached_property
    def status(self) -> list:
        """Facts as known now, by kind and day."""
        order = list(FactKind.values)
        live = [f for f in self.facts if f.superseded_at is None]
        return sorted(live, key=lambda f: (order.index(f.kind), f.valid_from))

    @cached_property
    def holding(self) -> list:
        """Facts that hold today."""
        return [f for f in self.status if f.valid_from <= self.today and (not f.valid_to or f.valid_to > self.today)]

    @cached_property
    def contacts(self) -> list:
        return people.contacts(self.person)

    @cached_property
    def consents(self) -> list:
        return list(self.person.consents.select_related("contact", "evidence").order_by("-given_on", "-id"))

    @cached_property
    def life_events(self) -> list:
        """Life events, newest first."""
        if not (self.staff and self.actor.may("lifeevents.view")):
            return []
        return list(lifeevents.events_of_person(self.actor, self.person.pk))

    @property
    def unfinished(self) -> list:
        """Life events whose check list is open."""
        return [e for e in self.life_events if e.closed_at is None]

    @cached_property
    def missing(self) -> list:
        """Items that the file lacks, the heaviest first (R-015)."""
        return people.missing(self.person) if self.staff else []

    # ---- services
    def orders(self):
        """Orders of the person that the actor sees, with what a row shows."""
        rows = orders.orders_of_person(self.actor, self.person.pk)
        return rows.select_related("organisation", "worker") if self.sees_orders else rows.none()

    @cached_property
    def open_orders(self) -> list:
        """Orders that are under way, by planned start."""
        if not self.counts["open"]:
            return []
        return list(self.orders().filter(state__in=OPEN_STATES).order_by("planned_start", "id"))

    @property
    def coming(self) -> list:
        """The next visits, soonest first."""
        start = localtime(self.now).replace(hour=0, minute=0, second=0, microsecond=0)
        return [o for o in self.open_orders if o.state in COMING and o.planned_start >= start][:4]

    @cached_property
    def times_together(self) -> int:
        """The how-manieth visit of the next visit's worker it will be."""
        if not self.coming or self.coming[0].worker_id is None:
            return 0
        return self.orders().filter(worker_id=self.coming[0].worker_id, state__in=TOOK_PLACE).count() + 1

    @cached_property
    def counts(self) -> dict[str, int]:
        """all, open and month (visits that took place this month), in one query."""
        first = localtime(self.now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return (
            self.orders()
            .order_by()
            .aggregate(
                all=Count("pk"),
                open=Count("pk", filter=Q(state__in=OPEN_STATES)),
                month=Count("pk", filter=Q(state__in=TOOK_PLACE, arrived_at__gte=first)),
            )
        )

    @property
    def troubled(self) -> list:
        """Orders that somebody has to look at: disputed, missed, late."""
        return [
            o
            for o in self.open_orders
            if o.state == State.DISPUTED
            or (o.state in (State.ACCEPTED, State.ON_THE_WAY) and o.warned_missed_at is not None)
            or (o.state == State.RECEIVED and o.dispatch_by is not None and o.dispatch_by < self.now)
        ][:5]

    @cached_property
    def call_backs(self) -> list:
        """Call-backs after visits, made and still due; few."""
        if not (self.staff and self.counts["all"]):
            return []
        return list(orders.calls_of_person(self.actor, self.person.pk))

    @property
    def overdue_calls(self) -> int:
        return sum(1 for c in self.call_backs if c.done_at is None and c.due_by < self.now)

    @cached_property
    def agreements(self) -> list:
        if not self.sees_orders or self.actor.audience is Audience.WORKER:
            return []
        return list(orders.agreements_of_person(self.actor, self.person.pk).select_related("organisation"))

    # ---- vouchers
    @cached_property
    def vouchers(self) -> list:
        """Vouchers, the first to expire first, each with ``moves``: (transfer, signed fen, running fen)."""
        if not self.sees_vouchers:
            return []
        rows = list(vouchers.vouchers_of_person(self.actor, self.person.pk).select_related("issue"))
        by_account = {v.account_id: v for v in rows if v.account_id}
        for v in rows:
            v.moves, v.running = [], 0
        moved = Transfer.objects.filter(
            Q(debit_id__in=by_account) | Q(credit_id__in=by_account), phase__in=MOVING
        ).order_by("effective_on", "id")
        for t in moved if by_account else ():
            for account, amount in ((t.debit_id, -t.amount), (t.credit_id, t.amount)):
                if v := by_account.get(account):
                    v.running += amount
                    v.moves.append((t, amount, v.running))
        return rows

    @cached_property
    def usable(self) -> list:
        """Vouchers that may be used today and have something on them."""
        return [v for v in self.vouchers if v.state == "active" and v.valid_from <= self.today < v.valid_to]

    @property
    def balance(self) -> int:
        return sum(v.available for v in self.usable)

    @property
    def held(self) -> int:
        return sum(v.held for v in self.usable)

    @property
    def spent_this_month(self) -> int:
        """Fen that left the vouchers for visits this month, less what came back."""
        first = self.today.replace(day=1)
        kinds = ("voucher.issue", "voucher.reissue", "voucher.lapse", "voucher.cancel", "voucher.roll_over")
        return -sum(
            amount
            for v in self.vouchers
            for t, amount, _running in v.moves
            if t.effective_on >= first and t.kind not in kinds
        )

    @property
    def ending(self) -> list:
        """Vouchers with something on them that end soon."""
        limit = self.today + timedelta(days=SOON)
        return [v for v in self.usable if v.available > 0 and v.valid_to <= limit]
