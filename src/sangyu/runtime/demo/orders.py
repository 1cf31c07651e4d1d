"""The Need road of a demo city: rules, vouchers, and visits of the last weeks and the coming days in every state.

Everything goes through the rooms' services with a shifted ``now``, so trail, offers, evidence, ledger and statements are true.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.timezone import localdate, make_aware

from sangyu.care.orders import services as orders
from sangyu.care.orders.models import Order, ReturnVisit
from sangyu.care.vouchers import services as vouchers
from sangyu.care.vouchers.models import Programme
from sangyu.kernel.actor import Actor
from sangyu.kernel.models import Share
from sangyu.kernel.scoping import scope
from sangyu.registry.people.models import Person
from sangyu.registry.regions.models import Region

from .accounts import acting
from .copying import ACTOR
from .places import Place
from .visits import Cast, Plan, Visit

#: Back far enough that some visits lie before last month, on any day of the month.
DAYS_BACK, DAYS_AHEAD = 70, 14
#: How many visits a city has, and one for how many elders in a small one.
VISITS, ELDERS_PER_VISIT = 400, 5
#: item, share of the requests, hours of the day at which it begins
ITEMS = (
    ("cleaning", 22, (8, 16)), ("personal-care", 16, (7, 17)), ("meal-delivery", 14, (10, 11)), ("bathing-home", 10, (9, 15)),
    ("medical-escort", 8, (7, 9)), ("comfort-visit", 8, (9, 16)), ("walking-assistance", 6, (9, 16)),
    ("rehabilitation-nursing", 5, (9, 15)), ("medical-visit", 4, (9, 15)), ("personal-grooming", 3, (9, 16)),
    ("medicine-errand", 2, (9, 15)), ("home-companion", 2, (9, 15)),
)  # fmt: skip
#: How past visits ended, in per cent.
ENDS = (
    ("confirmed", 82), ("silent", 5), ("cancelled", 5), ("late_cancel", 2), ("no_show", 2), ("disputed", 2), ("resolved", 1),
    ("refunded", 1),
)  # fmt: skip
AHEAD = (("accepted", 55), ("offered", 10), ("received", 20), ("requested", 15))
#: What every city shows, however few its visits are.
SURE_PAST = ("confirmed", "silent", "cancelled", "late_cancel", "no_show", "disputed", "resolved", "refunded")
SURE_TODAY = ("on_the_way", "arrived", "done", "accepted", "offered")


@dataclass
class Road:
    """Builds the road of one city; ``wanted`` visits or as many as fit the number of elders."""

    city: Region
    places: list[Place]
    now: datetime
    seed: str
    wanted: int | None
    skipped: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Visits to play; at least two of each kind of end."""
        if self.wanted is not None:
            return self.wanted
        elders = Person.objects.filter(died_on=None).count()
        return min(VISITS, max(elders // ELDERS_PER_VISIT, 3 * (len(SURE_PAST) + len(SURE_TODAY) + len(AHEAD))))

    @property
    def today(self) -> date:
        return localdate(self.now)

    # ------------------------------------------------------------ rules and vouchers
    def rules(self, actor: Actor) -> int:
        """The fee tiers of S1 and the city's times and tolerances."""
        where = {"region_id": self.city.pk, "path": self.city.path}
        count = orders.load_fee_rules(actor=actor, file=Path(settings.DATA) / "fees" / "s1.yaml", **where)
        orders.set_service_rule(actor=actor, valid_from=date(2020, 1, 1), **where)
        return count + 1

    def vouchers(self) -> int:
        """Two programmes, issued month by month to elders in need; returns the vouchers."""
        bureau = acting("bureau")
        where = {"region_id": self.city.pk, "path": self.city.path}
        start = date(self.today.year - 1, 1, 1)
        service = vouchers.publish_programme(
            actor=bureau, name="居家养老服务券", face_amount=200_00, valid_from=start, document_number="演示民发〔2025〕1号",
            per_order_cap=100_00,
            categories=["cleaning", "meals", "daily_life", "medical_escort", "mobility", "comfort"], **where,
        )  # fmt: skip
        bathing = vouchers.publish_programme(
            actor=bureau, name="助浴券", face_amount=240_00, valid_from=start, document_number="演示民发〔2025〕2号",
            validity="quarter", categories=["bathing"], **where,
        )  # fmt: skip
        people = [p.pk for p in self._needy(160)]
        months, quarters = self._periods()
        made = sum(self._issue(bureau, service, people, day, where) for day in months)
        return made + sum(
            self._issue(bureau, bathing, people[: len(people) // 2], day, where, paper=True) for day in quarters
        )

    def _issue(
        self, bureau: Actor, terms: Programme, people: list[int], day: date, where: dict, paper: bool = False
    ) -> int:
        return vouchers.issue(
            actor=bureau, programme_id=terms.pk, person_ids=people, day=day, paper=paper, **where
        ).count

    def _periods(self) -> tuple[list[date], list[date]]:
        """First days of the months, and of the quarters, in which the visits lie."""
        days = [self.today + timedelta(days=n) for n in range(-DAYS_BACK - 1, DAYS_AHEAD + 1)]
        months = sorted({d.replace(day=1) for d in days})
        return months, sorted({date(d.year, (d.month - 1) // 3 * 3 + 1, 1) for d in days})

    # ------------------------------------------------------------ who asks
    def _needy(self, count: int) -> list[Person]:
        """Elders at home in hardship or with loss of ability, those with a family's sign-in first; the same each time."""
        facts = {"facts__superseded_at": None, "facts__valid_to": None}
        hard = Q(facts__kind="income_category", facts__value__in=["minimum_living", "near_minimum", "destitute_home"])
        weak = Q(facts__kind="care_level", facts__value__in=["2", "3", "4"])
        rows = self._able().filter(hard | weak, **facts).distinct().order_by("id")[: count * 12]
        rows = list(rows)
        Random(f"{self.seed} needy").shuffle(rows)
        signed_in = self._signed_in()
        known = {p.pk for p in signed_in}
        return [*signed_in, *(p for p in rows if p.pk not in known)][:count]

    def _able(self):
        """Elders who can be visited: alive, at home, with a known address and place, registered before the first visit."""
        away = Q(facts__kind="residence", facts__value="institution", facts__superseded_at=None)
        since = self.today - timedelta(days=DAYS_BACK + 20)
        rows = Person.objects.filter(died_on=None, registered_on__lt=since, latitude__isnull=False).exclude(address="")
        return rows.exclude(pk__in=Person.objects.filter(away).values("pk"))

    def _signed_in(self) -> list[Person]:
        ids = Share.objects.filter(audience="family", kind="person", until=None).values("object_id")
        return list(self._able().filter(pk__in=ids).order_by("id"))

    # ------------------------------------------------------------ visits
    def build(self, step: Callable[[int], None]) -> int:
        """Play all visits in the order of their requests, then what follows from them; returns how many there are."""
        cast = Cast.of_city()
        for plan in sorted(self._plans(), key=lambda p: p.requested):
            visit = Visit(cast, plan, self.now)
            try:
                with transaction.atomic():
                    visit.play()
            except visit.IMPOSSIBLE as refusal:
                self.skipped.append(f"{plan.end} {plan.item}: {refusal}")
            step(1)
        self._agree(cast)
        job = Actor.job(ACTOR)
        orders.sweep(actor=job, now=self.now)
        vouchers.expire_due(actor=job, today=self.today, now=self.now)
        self._call_back(cast)
        self._settle(cast)
        return Order.objects.count()

    def _plans(self) -> list[Plan]:
        rng = Random(f"{self.seed} visits {self.today}")
        people = self._needy(100) + list(self._able().order_by("id")[:60])
        people = list({p.pk: p for p in people}.values())
        whole = self.count
        ahead = max(whole * DAYS_AHEAD // (DAYS_BACK + DAYS_AHEAD), len(AHEAD) * 2)
        ends = [(0, end) for end in SURE_TODAY * 2]
        ends += [(rng.randint(1, DAYS_AHEAD), end) for end, _share in AHEAD]
        ends += [(rng.randint(1, DAYS_AHEAD), _spin(rng, AHEAD)) for _n in range(ahead - len(AHEAD))]
        ends += [(-rng.randint(8, 31), end) for end in SURE_PAST]
        ends += [(-rng.randint(32, DAYS_BACK), end) for end in SURE_PAST]  # before this month: settled by now
        ends += [(-rng.randint(64, DAYS_BACK), "confirmed")] * 3  # before last month: paid by now
        ends += [(-rng.randint(1, DAYS_BACK), _spin(rng, ENDS)) for _n in range(max(whole - len(ends), 0))]
        plans = []
        for n, (day, end) in enumerate(ends):
            # a third of the visits goes to those whose family looks on
            person = people[n % 5] if n % 3 == 0 else rng.choice(people)
            plans.append(self._plan(rng, person, day, end))
        return plans

    def _plan(self, rng: Random, person: Person, day: int, end: str) -> Plan:
        item, (first, last) = _spin(rng, [((code, hours), share) for code, share, hours in ITEMS])
        on = self.today + timedelta(days=day)
        start = make_aware(datetime(on.year, on.month, on.day, rng.randint(first, last), rng.choice((0, 30))))
        if day == 0:
            start = self._today(rng, end)
            item = rng.choice(("cleaning", "personal-care", "comfort-visit"))
        requested = start - timedelta(hours=rng.choice((3, 5, 20, 26, 49, 75)), minutes=rng.randrange(60))
        if day >= 0 and end in ("offered", "received", "requested"):  # waiting now: asked a moment ago
            requested = self.now - timedelta(minutes=rng.randint(2, 25) + 6 * (end == "offered"))
        requested = min(
            requested, self.now - timedelta(minutes=30 if end not in ("offered", "received", "requested") else 1)
        )
        quantity = 2 if item in ("cleaning", "personal-care") and rng.random() < 0.5 else 1
        return Plan(person, item, quantity, start, requested, end, rng)

    def _today(self, rng: Random, end: str) -> datetime:
        """When a visit begins that is now in the state ``end``."""
        minutes = {"on_the_way": 20, "arrived": -25, "done": -190, "accepted": 150, "offered": 180}[end]
        minutes += rng.choice((0, -1, 1)) * 10
        moment = self.now + timedelta(minutes=minutes)
        return moment.replace(minute=moment.minute // 5 * 5, second=0, microsecond=0)

    # ------------------------------------------------------------ afterwards
    def _agree(self, cast: Cast) -> None:
        """Signed agreements of three elders with the first provider, and the weekly visits of the coming days (R-083)."""
        first = min(cast.managers)
        for n, person in enumerate(self._needy(3)):
            agreement = orders.draft_agreement(
                actor=cast.dispatcher,
                person_id=person.pk,
                organisation_id=first,
                items=["cleaning", "personal-care"],
                valid_from=self.today - timedelta(days=40),
                valid_to=self.today + timedelta(days=325),
                risk_notice="服务中如有不适请立即告知；贵重物品请自行保管。（演示文本）",
                today=self.today - timedelta(days=42),
            )
            if n == 2:
                continue  # one still waits for its signature
            day = self.today - timedelta(days=41)
            orders.sign_agreement(
                actor=cast.dispatcher, agreement_id=agreement.pk, signed_by=person.name, signed_on=day
            )
            orders.plan_recurring(
                actor=cast.dispatcher,
                agreement_id=agreement.pk,
                item_code="cleaning",
                weekdays=[n + 1],
                at=time(9 + n, 0),
                first=self.today + timedelta(days=1),
                last=self.today + timedelta(days=DAYS_AHEAD),
                now=self.now - timedelta(minutes=3),
            )

    def _call_back(self, cast: Cast) -> None:
        """Most call-backs that are due are done; one in four waits."""
        rng = Random(f"{self.seed} call-backs")
        for row in ReturnVisit.objects.filter(state="due").order_by("id"):
            moment = row.due_by - timedelta(hours=rng.randint(1, 20))
            if moment > self.now or rng.random() < 0.25:
                continue
            reached = rng.random() < 0.9
            words = ("老人表示满意", "已核实情况，服务人员已致歉", "家属反映服务及时", "老人希望固定同一名服务人员")
            orders.record_return_visit(
                actor=cast.operator,
                return_visit_id=row.pk,
                reached=reached,
                satisfied=rng.choice((3, 4, 5, 5)) if reached else None,
                result=rng.choice(words) if reached else "三次拨打无人接听，转社区上门核实",
                now=moment,
            )

    def _settle(self, cast: Cast) -> None:
        """The month before last is paid, last month is approved (one statement still waits for its provider), this one is open."""
        from sangyu.care.settlement import services as settlement
        from sangyu.care.settlement.models import Statement

        this = self.today.replace(day=1)
        last = (this - timedelta(days=1)).replace(day=1)
        before = (last - timedelta(days=1)).replace(day=1)
        for period, closing, paid in ((before, last, True), (last, this, False)):
            moment = min(make_aware(datetime(closing.year, closing.month, 4, 10)), self.now)
            providers = sorted(cast.managers)
            settlement.close_period(
                actor=cast.bureau, region_id=self.city.pk, organisation_ids=providers, period=period, now=moment
            )
            with scope(cast.bureau):
                made = list(Statement.objects.filter(period=period, region_id=self.city.pk).order_by("id"))
            for n, statement in enumerate(made):
                later = {"statement_id": statement.pk, "now": min(moment + timedelta(hours=20 + n), self.now)}
                settlement.freeze(actor=cast.bureau, statement_id=statement.pk, now=moment)
                if not paid and len(made) > 1 and n == len(made) - 1:
                    continue
                settlement.confirm(actor=cast.managers[statement.organisation_id], **later)
                settlement.approve(actor=cast.finance, **later)
                if paid:
                    settlement.pay(actor=cast.finance, **later)


def _spin(rng: Random, weighted):
    values, weights = zip(*weighted, strict=True)
    return rng.choices(values, weights)[0]
