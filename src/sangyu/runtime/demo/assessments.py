"""Assessments behind the care levels: those of the plain sign-ins and some dozens a county, in every state; one screening campaign.

A bounded number whatever the size of the city: rows go in by bulk, answers are drawn so that the scale gives the level of the file.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from django.utils import timezone

from sangyu.care.assessments import services as assessing
from sangyu.care.assessments.enums import Action, NeedKind, Reason, State
from sangyu.care.assessments.instruments import ABILITY, settings_of_care
from sangyu.care.assessments.models import Assessment, AssessmentLog, Assessor, Need, SettingChoice, Sheet
from sangyu.care.screening import services as screening
from sangyu.care.screening.models import Task
from sangyu.engines.assessment import Instrument, score
from sangyu.engines.assessment.settings import recommend
from sangyu.kernel.errors import Refused
from sangyu.kernel.facts import record_many
from sangyu.kernel.models import Share
from sangyu.kernel.numbering import next_numbers
from sangyu.registry.accounts.models import Account
from sangyu.registry.people.models import Person, PersonFact
from sangyu.registry.regions.models import Region

from .accounts import acting

#: Of each county: state → how many. Only the decided ones say something about the level.
STATES = {
    State.DECIDED: 24, State.APPLIED: 4, State.ASSIGNED: 3, State.VISITED: 3, State.REVIEWED: 2, State.PUBLISHED: 3, State.OBJECTED: 1,
}  # fmt: skip
#: The steps that led to a state.
ROAD = (
    (Action.APPLY, State.APPLIED), (Action.ASSIGN, State.ASSIGNED), (Action.VISIT, State.VISITED), (Action.REVIEW, State.REVIEWED),
    (Action.PUBLISH, State.PUBLISHED), (Action.DECIDE, State.DECIDED), (Action.OBJECT, State.OBJECTED),
)  # fmt: skip
#: Days after the application on which each step was taken; decided ones are 20 to 300 days old.
DAYS = (0, 2, 6, 8, 9, 17, 20)
NEEDS = (
    NeedKind.HEALTH,
    NeedKind.CLEANING,
    NeedKind.COMFORT,
    NeedKind.MEALS,
    NeedKind.BATHING,
    NeedKind.MEDICAL_ESCORT,
)


@dataclass
class Assessments:
    """Drawn from the living elders of each county who have a level; the sign-ins' elders first."""

    counties: list[Region]
    now: datetime
    seed: str
    rng: Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = Random(f"{self.seed} assessments")
        self.version = assessing.use_version(ABILITY)
        self.instrument: Instrument = self.version.instrument
        self._sheets: dict[int, tuple[dict, dict]] = {}

    def build(self) -> int:
        """Returns the assessments made."""
        shown = self._shown()
        made = 0
        for county in self.counties:
            pair = [
                Assessor.objects.create(
                    path=county.path, name=name, background=background, certificate=f"演示-{county.code[:6]}-{n}",
                    valid_from=self.today.replace(year=self.today.year - 2, day=1),
                )
                for n, (name, background) in enumerate((("刘静怡", "nursing"), ("张国强", "social_work")), 1)
            ]  # fmt: skip
            made += self._county(county, pair, shown)
        return made + self._campaign()

    @property
    def today(self) -> date:
        return timezone.localdate(self.now)

    def _shown(self) -> set[int]:
        """Elders whom the plain sign-ins show."""
        accounts = Account.objects.filter(username__in=["elder", "family"]).values("pk")
        return set(
            Share.objects.filter(audience="family", kind="person", until=None, subject_id__in=accounts).values_list(
                "object_id", flat=True
            )
        )

    def _county(self, county: Region, pair: list[Assessor], shown: set[int]) -> int:
        living = Person.objects.filter(
            path__startswith=county.path, died_on=None, registered_on__isnull=False, restricted_at=None
        ).order_by("id")  # fmt: skip
        first = list(living.filter(pk__in=shown))
        others = list(living.exclude(pk__in=shown)[: sum(STATES.values()) * 3])
        people = [*first, *self.rng.sample(others, min(len(others), sum(STATES.values())))]
        facts = PersonFact.objects.filter(
            subject__in=[p.pk for p in people], kind="care_level", superseded_at=None, valid_to=None
        ).values_list("subject_id", "value")  # fmt: skip
        levels = {pk: int(value) for pk, value in facts}
        states = [State.DECIDED] * len(first) + [s for s, n in STATES.items() for _ in range(n)]
        plan = list(zip(people, states, strict=False))
        numbers = next_numbers("PG", self.today, county.code[:6], count=len(plan)) if plan else []
        rows = [
            self._assessment(person, state, number, pair, levels.get(person.pk, 0))
            for (person, state), number in zip(plan, numbers, strict=True)
        ]
        self._keep(rows)
        return len(rows)

    def _assessment(self, person: Person, state: State, number: str, pair: list[Assessor], level: int) -> Assessment:
        steps = [s for _a, s in ROAD].index(state)
        back = (
            self.rng.randint(40, 300)
            if state in (State.DECIDED, State.OBJECTED)
            else DAYS[steps] + self.rng.randint(0, 2)
        )
        begun = datetime.combine(self.today - timedelta(days=back), time(9, self.rng.randrange(60)))
        at = [timezone.make_aware(begun + timedelta(days=d)) for d in DAYS]
        decided = state == State.DECIDED
        row = Assessment(
            number=number, person=person, path=person.path, person_name=person.name, version=self.version, reason=Reason.FIRST,
            state=State.APPLIED, applied_at=at[0], applied_by="王建国", lead=pair[0] if steps else None, second=pair[1] if steps else None,
            planned_on=at[2].date() if steps else None,
        )  # fmt: skip
        row.then = {  # what the state asks for, once the sheet is there
            "state": state, "assigned_at": at[1] if steps >= 1 else None, "visited_at": at[2] if steps >= 2 else None,
            "reviewed_at": at[3] if steps >= 3 else None, "reviewed_by": "李淑芬" if steps >= 3 else "",
            "published_at": at[4] if steps >= 4 else None, "notice_to": at[4].date() + timedelta(days=7) if steps >= 4 else None,
            "decided_at": at[5] if steps >= 5 else None, "decided_by": "周立新" if steps >= 5 else "",
            "effective_on": at[5].date() if steps >= 5 else None, "current": decided,
            "due_on": assessing.add_months(at[5].date(), 12) if decided else None, "due_reason": "yearly" if decided else "",
            "objection": "评估当天身体不适" if state == State.OBJECTED else "", "objected_by": "老人女儿" if state == State.OBJECTED else "",
        }  # fmt: skip
        row.steps, row.at, row.want = steps, at, level
        return row

    def _answers(self, level: int) -> tuple[dict, dict]:
        """Answers that the scale scores as ``level``, and what it says of them; one set a level."""
        if level not in self._sheets:
            items = list(self.instrument.items.values())
            best = {i.code: max(i.options, key=lambda o: o.score).value for i in items}
            order = self.rng.sample(items, len(items))
            answers = dict(best)
            for item in order:
                if score(self.instrument, answers).level >= level:
                    break
                worst = min((o for o in item.options if not o.flag), key=lambda o: o.score)
                answers[item.code] = worst.value
            self._sheets[level] = answers, score(self.instrument, answers).as_dict()
        return self._sheets[level]

    def _keep(self, rows: list[Assessment]) -> None:
        """Assessments, sheets, trails and what decisions mean; a few statements a county."""
        Assessment.objects.bulk_create(rows)
        visited = [r for r in rows if r.steps >= 2]
        sheets = []
        for row in visited:
            answers, result = self._answers(row.want)
            needs = self.rng.sample(NEEDS, 3)
            sheets.append(
                Sheet(
                    assessment=row, path=row.path, number=1, answers=answers, result=result, complete=True, informant="child",
                    informant_name="家属", needs=needs, remark="演示数据，未签名", entered_at=row.at[2], received_at=row.at[2], actor="刘静怡",
                )
            )  # fmt: skip
        Sheet.objects.bulk_create(sheets)
        by_row = {s.assessment_id: s for s in sheets}
        for row in rows:
            for name, value in row.then.items():
                setattr(row, name, value)
            if sheet := by_row.get(row.pk):
                row.sheet, row.level, row.level_name = sheet, sheet.result["level"], sheet.result["level_name"]
        Assessment.objects.bulk_update(rows, [*rows[0].then, "sheet", "level", "level_name"] if rows else ["state"])
        AssessmentLog.objects.bulk_create(
            AssessmentLog(
                assessment=row,
                action=action,
                source=ROAD[n - 1][1] if n else "",
                target=target,
                at=row.at[n],
                actor=who,
            )
            for row in rows
            for n, (action, target), who in _trail(row.steps)
        )
        self._decided([r for r in rows if r.state == State.DECIDED], by_row)

    def _decided(self, rows: list[Assessment], sheets: dict[int, Sheet]) -> None:
        """The level of the file has the assessment as its source from the day of the decision on; needs; settings of care."""
        for day in sorted({r.effective_on for r in rows}):
            own = [r for r in rows if r.effective_on == day]
            given = [(r.person_id, r.path, "care_level", str(r.level), f"评估 {r.number}") for r in own]
            record_many(PersonFact, given, valid_from=day, now=own[0].at[5], note=self.version.document)
        Need.objects.bulk_create(
            Need(path=r.path, person_id=r.person_id, assessment=r, kind=kind, rank=rank, noted_on=r.effective_on)
            for r in rows
            for rank, kind in enumerate(sheets[r.pk].needs, 1)
        )
        rules = list(settings_of_care())
        made = []
        for row in rows:
            rule = recommend(rules, {"level": str(row.level), "special_care": "no"})
            made.append(
                SettingChoice(
                    assessment=row, path=row.path, recommended=rule.setting, rule=rule.code, rule_text=rule.text
                )
            )
        SettingChoice.objects.bulk_create(made)

    # ------------------------------------------------------------ a campaign under way
    def _campaign(self) -> int:
        """Elders in difficulty of one street are visited: some sheets confirmed, some to confirm, some doors closed."""
        bureau, street, community = acting("bureau"), acting("street"), acting("community")
        region = Region.objects.get(path=street.path)
        first = self.today.replace(day=1)
        row = screening.create(
            actor=bureau, region_id=region.pk, title=f"{first:%Y年%m月}困难老人摸底排查", sheet="difficult-elders", starts_on=first,
            ends_on=self.today + timedelta(days=30), conditions={"age_from": 70}, now=self.now,
        )  # fmt: skip
        try:
            screening.start(actor=bureau, campaign_id=row.pk, now=self.now)
        except Refused:  # a city so small that nobody fits
            return 0
        near = Task.objects.filter(campaign=row, path__startswith=community.path).order_by("pk")
        tasks = list(near[:12])
        for n, task in enumerate(tasks[:9]):
            daily = ("able", "partly", "disabled")[n % 3]
            screening.save(
                actor=community, task_id=task.pk, now=self.now,
                answers={
                    "living": "alone", "daily": daily, "memory": ("none", "some")[n % 4 == 3], "difficult": ("yes", "no")[daily == "able"],
                    "needs": ["meals"] if n % 2 else ["cleaning", "escort"],
                },
            )  # fmt: skip
        for task in tasks[9:10]:
            screening.miss(actor=community, task_id=task.pk, why="absent", now=self.now)
        screening.confirm(actor=street, ids=[t.pk for t in tasks[:6]], now=self.now)
        return len(tasks)


def _trail(steps: int) -> Iterable[tuple[int, tuple, str]]:
    names = ("王建国", "李淑芬", "刘静怡", "李淑芬", "李淑芬", "周立新", "王建国")
    return ((n, ROAD[n], names[n]) for n in range(steps + 1))
