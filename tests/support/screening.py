"""A campaign of county A with its elders, driven to a state; rows of each state for the two counties."""

from datetime import date, datetime

from django.utils.timezone import make_aware

from sangyu.care.screening import services
from sangyu.care.screening.models import Task

NOW = make_aware(datetime(2026, 10, 14, 9, 0))
#: A whole sheet: lives alone, partly dependent, in special difficulty, wants meals.
ANSWERS = {"living": "alone", "daily": "partly", "memory": "none", "difficult": "yes", "needs": ["meals"]}


def campaign(actor, region, *, start: bool = True, now=NOW, **more):
    """A campaign over ``region``, under way unless ``start`` is false."""
    given = {
        "title": "困难老人摸底",
        "sheet": "difficult-elders",
        "starts_on": date(2026, 10, 1),
        "ends_on": date(2026, 12, 31),
    }
    row = services.create(actor=actor, region_id=region.pk, now=now, **{**given, **more})
    return services.start(actor=actor, campaign_id=row.pk, now=now) if start else row


def task_of(row, person) -> Task:
    return Task.objects.get(campaign=row, person=person)


def screened_county(county, regions, person) -> None:
    """A draft, a campaign under way with a visit to make, one to confirm and one confirmed with its follow-ups."""
    bureau = county.actors["bureau"]
    region = regions[county.key]
    draft = campaign(bureau, region, start=False)
    row = campaign(bureau, region)
    filler = county.actors["community"]
    tasks = list(Task.objects.filter(campaign=row, path__startswith=filler.path).order_by("pk"))
    own = next(t for t in tasks if t.person_id == person.pk)
    others = [t for t in tasks if t.pk != own.pk]
    for task in (own, others[0]):
        services.save(actor=filler, task_id=task.pk, answers=ANSWERS, now=NOW)
    services.confirm(actor=bureau, ids=[own.pk], now=NOW)
    county.ids |= {
        "campaign_draft": draft.pk, "campaign": row.pk, "campaign_number": row.number, "screening_confirmed": own.pk,
        "screening_filled": others[0].pk, "screening_task": others[1].pk, "follow_up": own.follow_ups.first().pk,
    }  # fmt: skip
