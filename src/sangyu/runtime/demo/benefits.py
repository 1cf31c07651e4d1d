"""Three months of runs from computing to the bank's answer, with a late death, a level that changes and a line that the bank rejects."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db import connection
from django.utils import timezone

from sangyu.care.benefits import services as benefits
from sangyu.care.benefits.models import Fund, Line, Payment, Review, Run
from sangyu.care.policies import selectors as policies
from sangyu.engines.policy.schema import CHOICES
from sangyu.kernel.actor import Actor
from sangyu.registry.people import services as people
from sangyu.registry.people.models import Person, PersonFact
from sangyu.registry.regions.models import Region

from .accounts import acting

MONTHS = 3


@dataclass
class Months:
    """Runs of the months before this one, oldest first, each with the day on which its steps were taken."""

    city: Region
    now: datetime
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.prepares, self.approves, self.releases = acting("bureau"), acting("bureau2"), acting("finance")

    @property
    def months(self) -> list[date]:
        first = timezone.localdate(self.now).replace(day=1)
        return [benefits.add_months(first, -n) for n in range(MONTHS, 0, -1)]

    def build(self) -> int:
        """Returns the lines of all runs."""
        self._funds()
        lines = 0
        for n, month in enumerate(self.months):
            if n == 1:
                self._change_level(month)
            if n == 2:
                self._die_late(month)
            lines += self._run(month, reject=n == 1).line_count
        return lines

    # ------------------------------------------------------------ what the months are about
    def _funds(self) -> None:
        first = self.months[0]
        named = {policies.policy_of(v).fund for v in policies.approved(self.city.path)} or {"county_budget"}
        for code in sorted(named - set(Fund.objects.values_list("code", flat=True))):
            kind = "lottery" if code == "welfare_lottery" else "insurance" if code == "care_insurance" else "fiscal"
            fund = benefits.open_fund(
                actor=self.releases, region_id=self.city.pk, code=code, name=CHOICES["fund"].get(code, code), kind=kind,
                valid_from=date(first.year - 2, 1, 1),
            )  # fmt: skip
            benefits.receive(
                actor=self.releases, fund_id=fund.pk, amount=50_000_000_00, received_on=first, key="demo",
                note="财政拨款（演示）",
            )  # fmt: skip
            for year in sorted({m.year for m in (*self.months, timezone.localdate(self.now))}):
                benefits.set_budget(
                    actor=self.releases, fund_id=fund.pk, year=year, amount=50_000_000_00,
                    document_number=f"营财社〔{year}〕8号（演示）",
                )  # fmt: skip

    def _paid(self, month: date):
        return Payment.objects.filter(run__month=month, subject_kind="person", amount__gt=0).order_by("id")

    def _change_level(self, month: date) -> None:
        """Somebody who was paid for partial loss of ability needs more help from the tenth on."""
        asked = Line.objects.filter(run__month=self.months[0], amount__gt=0, facts__has_key="payment_level")
        fact = PersonFact.objects.filter(
            subject_id__in=asked.filter(subject_kind="person").values("subject_id"), kind="care_level", value__in=["1", "2"], superseded_at=None, valid_to=None
        ).order_by("subject_id").first()  # fmt: skip
        if fact is None:
            return
        moment = self._moment(month, 12)
        people.record_fact(
            actor=Actor.job("演示：能力评估"), person_id=fact.subject_id, kind="care_level", value="3",
            valid_from=month.replace(day=10), source="演示：能力评估报告", now=moment,
        )  # fmt: skip

    def _die_late(self, month: date) -> None:
        """A death of the first month becomes known two months later: what was paid since is owed back (X-03)."""
        paid = self._paid(self.months[1]).order_by().values("subject_id")
        person = Person.objects.filter(pk__in=paid, died_on=None).order_by("birth_date", "id").first()
        if person is None:
            return
        died = self.months[0] + timedelta(days=19)
        people.record_death(
            actor=Actor.job("演示：户籍比对"),
            person_id=person.pk,
            died_on=died,
            source="演示：公安户籍比对",
            today=month,
        )
        with connection.cursor() as cursor:  # what was known when is read from the history
            cursor.execute(
                "UPDATE kernel_change SET at = %s WHERE table_name = 'people_person' AND row_id = %s AND fields ? 'died_on'",
                [self._moment(month, 5), person.pk],
            )

    # ------------------------------------------------------------ one month
    def _moment(self, month: date, day: int) -> datetime:
        return timezone.make_aware(datetime.combine(month.replace(day=day), time(10)))

    def _run(self, month: date, *, reject: bool) -> Run:
        """From computing on the 15th to the bank's answer at the end of the month."""
        at = lambda day: self._moment(month, day)  # noqa: E731
        run = benefits.begin(actor=self.prepares, region_id=self.city.pk, month=month, now=at(15))
        run = benefits.compute(actor=self.prepares, run_id=run.pk, now=at(15))
        self._review(run, at(16))
        benefits.publish(actor=self.prepares, run_id=run.pk, days=max(run.notice_days, 5), now=at(17))
        closes = max(run.notice_days, 5) + 17
        benefits.approve(actor=self.approves, run_id=run.pk, now=at(min(closes, 27)))
        benefits.release(actor=self.releases, run_id=run.pk, now=at(27))
        self._pay(run, at(28), reject=reject)
        run.refresh_from_db()
        return run

    def _review(self, run: Run, moment: datetime) -> None:
        """Seventy streets and their counties have looked; the last county's look finishes the review."""
        waiting = Review.objects.filter(run=run, done_at=None)
        last = waiting.filter(level="county").order_by("path").last() or waiting.order_by("path").last()
        waiting.exclude(pk=last.pk).update(done_at=moment, reviewer="街道、区县（演示）")
        act = benefits.review_county if last.level == "county" else benefits.review_street
        act(actor=self.approves, review_id=last.pk, now=moment)

    def _pay(self, run: Run, moment: datetime, *, reject: bool) -> None:
        made = benefits.make_bank_file(actor=self.releases, region_id=self.city.pk, now=moment)
        if made is None:
            return
        benefits.send(actor=self.releases, file_id=made.pk, now=moment)
        answers = {
            pk: (False, "账号户名不符") if reject and n == 0 else (True, "")
            for n, pk in enumerate(made.items.order_by("number").values_list("payment_id", flat=True))
        }
        benefits.settle(actor=self.releases, file_id=made.pk, answers=answers, now=moment)
