"""People and steps of an assessment: two assessors, a reviewer, somebody who decides; drive one to a state."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.utils.timezone import make_aware

from sangyu.care.assessments import services
from sangyu.care.assessments.instruments import ABILITY
from sangyu.care.assessments.models import Assessment, Assessor
from sangyu.kernel.actor import Actor
from sangyu.registry.accounts.models import Account

from .api import PIXEL
from .scales import answers_for, scale

NOW = make_aware(datetime(2026, 10, 14, 9, 0))


def picture() -> bytes:
    from base64 import b64decode

    return b64decode(PIXEL)


@dataclass
class Crew:
    """Actors of one county: who assesses (two with accounts), who looks again, who decides; and their rows."""

    one: Actor
    two: Actor
    reviewer: Actor
    chief: Actor
    lead: Assessor
    second: Assessor
    spare: list[Assessor]


def crew_of(region, actor: Actor) -> Crew:
    """Accounts, assessors and actors of ``region``; ``actor`` holds every permission there."""
    accounts = [
        Account.objects.create_user(
            f"{name}-{region.code}", "Mulberry-2026", name=name, region=region, path=region.path
        )
        for name in ("评估甲", "评估乙", "复核", "审定")
    ]
    actors = [replace(actor, name=a.name, account_id=a.pk) for a in accounts]

    def assessor(name, background, account=None):
        return Assessor.objects.create(
            path=region.path, name=name, background=background, account=account, valid_from=date(2026, 1, 1)
        )

    return Crew(
        *actors,
        lead=assessor("评估甲", "nursing", accounts[0]),
        second=assessor("评估乙", "social_work", accounts[1]),
        spare=[assessor("评估丙", "care"), assessor("评估丁", "social_work")],
    )


def drive(
    crew: Crew, person, until: str, *, total: int = 60, findings=None, needs=("health", "cleaning"), row=None,
    pair=None, now: datetime = NOW, commission=None, **more,
) -> Assessment:  # fmt: skip
    """An assessment of ``person`` with ``total`` points driven until it has the state ``until``."""
    row = row or services.apply(actor=crew.chief, person_id=person.pk, reason="first", now=now)
    lead, second = pair or (crew.lead, crew.second)
    instrument = scale(ABILITY)

    def sheet():
        services.save_sheet(
            actor=crew.one, assessment_id=row.pk, answers=answers_for(instrument, total), findings=findings or {},
            needs=list(needs), informant="child", informant_name="李建华", now=now,
            signatures={"lead": picture(), "second": picture(), "informant": picture()}, **more,
        )  # fmt: skip
        services.finish_visit(actor=crew.one, assessment_id=row.pk, now=now)

    def assign():
        services.assign(
            actor=crew.chief,
            assessment_id=row.pk,
            lead_id=lead.pk,
            second_id=second.pk,
            commission_id=commission,
            now=now,
        )

    one = {"assessment_id": row.pk}
    steps = [
        ("assigned", assign),
        ("visited", sheet),
        ("reviewed", lambda: services.review(actor=crew.reviewer, now=now, **one)),
        ("published", lambda: services.publish(actor=crew.reviewer, now=now, **one)),
        ("decided", lambda: services.decide(actor=crew.chief, now=now + timedelta(days=8), **one)),
    ]
    row.refresh_from_db()
    names = ["applied", *(state for state, _step in steps)]
    for _state, step in steps[names.index(row.state) :]:
        if row.state == until:
            break
        step()
        row.refresh_from_db()
    row.refresh_from_db()
    return row
