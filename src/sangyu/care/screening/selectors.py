"""Questions about campaigns. All run in the actor's scope: a street reads its own part of a city's campaign."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Substr

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.scoping import PATH_END, PATH_STEP
from sangyu.registry.regions import selectors as regions

from . import targets
from .enums import INSIDE, CampaignState, FollowUpState, Standing, TaskState
from .models import Campaign, FollowUp, Task


def campaigns_visible(actor: Actor) -> QuerySet[Campaign]:
    """Campaigns over the actor's area, above it or below."""
    return Campaign.objects.visible_to(actor).select_related("region", "version")


def get_campaign(actor: Actor, pk: int) -> Campaign:
    """Raises NotVisible."""
    row = campaigns_visible(actor).filter(pk=pk).first()
    if row is None:
        raise NotVisible
    return row


def by_number(actor: Actor, number: str) -> Campaign | None:
    return campaigns_visible(actor).filter(number=number.strip()).first()


def tasks_visible(actor: Actor) -> QuerySet[Task]:
    return Task.objects.visible_to(actor).select_related("campaign")


def get_task(actor: Actor, pk: int) -> Task:
    """With its campaign's sheet. Raises NotVisible."""
    row = Task.objects.visible_to(actor).select_related("campaign__version", "account", "worker").filter(pk=pk).first()
    if row is None:
        raise NotVisible
    return row


def mine(actor: Actor) -> QuerySet[Task]:
    """Doors that the actor is to knock at: a worker's own; of the staff what is in its hands, or in nobody's in its area."""
    rows = tasks_visible(actor).filter(
        state__in=[TaskState.WAITING, TaskState.MISSED], campaign__state=CampaignState.OPEN
    )
    if actor.audience is not Audience.WORKER:
        rows = rows.filter(Q(account_id=actor.account_id) | Q(account__isnull=True, worker__isnull=True))
    return rows.order_by("-state", "address", "pk")


def to_confirm(actor: Actor) -> QuerySet[Task]:
    """Sheets that wait for somebody who confirms; counted for the badge."""
    return (
        Task.objects.visible_to(actor).filter(state=TaskState.FILLED)
        if actor.may("screening.review")
        else Task.objects.none()
    )


def open_follow_ups(actor: Actor) -> QuerySet[FollowUp]:
    return FollowUp.objects.visible_to(actor).filter(state=FollowUpState.OPEN)


def of_person(actor: Actor, person_id: int) -> QuerySet[Task]:
    """Sheets about a person, newest first."""
    rows = Task.objects.visible_to(actor).filter(person_id=person_id).select_related("campaign__version")
    return rows.order_by("-pk")


def target_count(actor: Actor, campaign: Campaign, day: date) -> int:
    """How many elders fit the conditions today. Evaluate inside the scope."""
    return targets.elders(actor, campaign.path, campaign.conditions, day).count()


# ---------------------------------------------------------------- progress and totals
@dataclass
class Line:
    """One area. targets = waiting + filled + confirmed + missed + lapsed; inside = disabled + partly + able + open (R-023)."""

    name: str
    path: str
    states: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TaskState.values, 0))
    standings: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Standing.values, 0))

    @property
    def targets(self) -> int:
        return sum(self.states.values())

    @property
    def visited(self) -> int:
        return self.states["filled"] + self.states["confirmed"]

    @property
    def percent(self) -> int:
        """Of the targets, those settled one way or the other: handed in, or not met."""
        return (self.visited + self.states["missed"]) * 100 // self.targets if self.targets else 0

    @property
    def inside(self) -> int:
        """In the database of special difficulty by confirmed sheets."""
        return sum(self.standings[s] for s in INSIDE)

    def add(self, other: "Line") -> None:
        for mine, theirs in ((self.states, other.states), (self.standings, other.standings)):
            for key, n in theirs.items():
                mine[key] += n


@dataclass
class Totals:
    """Lines of the areas one level below, and their sum."""

    lines: list[Line]
    whole: Line


def totals(actor: Actor, campaign: Campaign, path: str = "") -> Totals:
    """Progress and findings by area one level below ``path`` (default: the narrower of the campaign's and the actor's region).

    Findings count confirmed sheets only. Three statements whatever the size.
    """
    own = max(campaign.path, actor.path, key=len)
    path = path if path.startswith(own) else own
    length = len(path) + PATH_STEP
    rows = Task.objects.visible_to(actor).filter(campaign=campaign, path__gte=path, path__lt=path + PATH_END)
    counted = rows.annotate(area=Substr("path", 1, length)).values("area").annotate(
        **{f"s_{s}": Count("pk", filter=Q(state=s)) for s in TaskState.values},
        **{f"d_{s}": Count("pk", filter=Q(state=TaskState.CONFIRMED, standing=s)) for s in Standing.values},
    ).order_by("area")  # fmt: skip
    found = list(counted)
    areas = [path, *(r["area"] for r in found)]
    names = dict(regions.below(path).filter(path__in=areas).values_list("path", "name"))
    made = Totals([], Line(names.get(path, ""), path))
    for row in found:
        line = Line(
            names.get(row["area"], row["area"]), row["area"], {s: row[f"s_{s}"] for s in TaskState.values},
            {s: row[f"d_{s}"] for s in Standing.values},
        )  # fmt: skip
        made.lines.append(line)
        made.whole.add(line)
    return made


def answers(actor: Actor, campaign: Campaign, path: str = "") -> list[dict]:
    """Per question with options: how many confirmed sheets gave each answer; not asked or not answered make up the rest."""
    own = max(campaign.path, actor.path, key=len)
    path = path if path.startswith(own) else own
    rows = Task.objects.visible_to(actor).filter(
        campaign=campaign, state=TaskState.CONFIRMED, path__gte=path, path__lt=path + PATH_END
    )
    asked = [q for q in campaign.version.sheet.questions.values() if q.options]
    counts = {}
    for q in asked:
        for n, option in enumerate(q.options):
            held = Q(**{f"answers__{q.code}__contains": [option.value]}) if q.kind == "several" else Q(
                **{f"answers__{q.code}": option.value}
            )  # fmt: skip
            counts[f"{q.code}__{n}".replace("-", "_")] = Count("pk", filter=held)
        counts[f"{q.code}__some".replace("-", "_")] = Count("pk", filter=Q(answers__has_key=q.code))
    found = rows.aggregate(all_sheets=Count("pk"), **counts)
    return [
        {
            "question": q,
            "options": [(o.text, found[f"{q.code}__{n}".replace("-", "_")]) for n, o in enumerate(q.options)],
            "none": found["all_sheets"] - found[f"{q.code}__some".replace("-", "_")],
            "all": found["all_sheets"],
        }
        for q in asked
    ]


def told(task: Task) -> list[tuple[str, list[tuple[str, str]]]]:
    """The answers in the words of the sheet, part by part."""
    made = []
    for part in task.campaign.version.sheet.parts:
        lines = [(q.text, q.said(task.answers.get(q.code))) for q in part.questions if q.code in task.answers]
        if lines:
            made.append((part.name, lines))
    return made


def names_of(rows: Iterable[Task]) -> dict[str, str]:
    """Path → name of the communities of ``rows``."""
    return regions.names_of(list({r.path for r in rows}))
