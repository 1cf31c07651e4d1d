"""People and steps of an assessment: two assessors, a reviewer, somebody who decides; drive one to a state."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.utils.timezone import make_aware

from sangyu.care.assessments import services
from sangyu.care.assessments.instruments import ABILITY
from sangyu.care.assessments.models import Assessment, Assessor
from sangyu.kernel import files
from sangyu.kernel.actor import Actor
from sangyu.registry.accounts.models import Account

from .scales import answers_for, scale

NOW = make_aware(datetime(2026, 10, 14, 9, 0))


def picture() -> bytes:
    from base64 import b64decode

    from .api import PIXEL  # which knows the counties, which know this module

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


def assessed_county(county, regions, person) -> None:
    """A row of each state, two assessors, bought assessments with a drawn sample; the rows' numbers go to ``county.ids``."""
    from sangyu.care.assessments.models import Commission, Need, SampleDraw, SettingChoice, Sheet
    from sangyu.care.assessments.services.registers import use_version
    from sangyu.engines.assessment import score
    from sangyu.kernel.scoping import scope
    from sangyu.registry.people.models import Person

    region, key = regions[county.key], county.key
    with scope(county.actors["bureau"]):
        version = use_version(ABILITY)
    here = {"path": person.path}
    pair = [
        Assessor.objects.create(path=region.path, name=f"评估{n}", background="nursing", valid_from=date(2026, 1, 1))
        for n in "甲乙"
    ]
    commission = Commission.objects.create(
        path=region.path, region=region, body_id=county.ids["other_organisation"], number=f"PG-{key}", quota=9, fee=15000,
        valid_from=date(2026, 1, 1), valid_to=date(2027, 1, 1),
    )  # fmt: skip
    draw = SampleDraw.objects.create(
        path=region.path, commission=commission, since=date(2026, 9, 1), until=date(2026, 10, 1), percent=5, seed="s",
        population=0, actor="x",
    )  # fmt: skip
    answers = answers_for(version.instrument, 60)
    result = score(version.instrument, answers).as_dict()
    signature = files.save(
        county.actors["bureau"], title="签字", content_type="image/png", data=picture(), owner=person, now=NOW
    )
    signed = dict.fromkeys(("signed_lead", "signed_second", "signed_informant"), signature)
    #: Each of somebody else: one open assessment a person and scale.
    states = ["applied", "assigned", "visited", "reviewed", "published", "decided"]
    for at, state in enumerate(states):
        who = person if state == "decided" else Person.objects.create(
            name=f"老人{state}", pinyin="lao ren", initials="lr", sex="2", birth_date=date(1941, 1, 1), region=person.region,
            path=person.path, source="test", registered_on=date(2020, 1, 1),
        )  # fmt: skip
        row = Assessment.objects.create(
            number=f"PG-{key}-{state}", person=who, person_name=who.name, version=version, reason="first", applied_by="x",
            state="applied", lead=pair[0] if at else None, second=pair[1] if at else None, **here,
        )  # fmt: skip
        if at:
            sheet = Sheet.objects.create(
                assessment=row, number=1, answers=answers, complete=True, result=result, informant="self", needs=["health"],
                entered_at=NOW, actor="x", **signed, **here,
            )  # fmt: skip
            Assessment.objects.filter(pk=row.pk).update(
                state=state, sheet=sheet, assigned_at=NOW, visited_at=NOW if at > 1 else None, level=2, level_name="中度失能",
                reviewed_at=NOW if at > 2 else None, published_at=NOW if at > 3 else None, notice_to=date(2026, 10, 20),
                decided_at=NOW if at > 4 else None, effective_on=date(2026, 10, 22) if at > 4 else None, current=at > 4,
            )  # fmt: skip
        county.ids["assessment" if state == "applied" else f"assessment_{state}"] = row.pk
    SettingChoice.objects.create(
        assessment_id=row.pk, recommended="community", rule="moderate", rule_text="中度", **here
    )
    Need.objects.create(assessment_id=row.pk, person=person, kind="health", rank=1, noted_on=NOW.date(), **here)
    county.ids |= {
        "assessor": pair[0].pk, "second_assessor": pair[1].pk, "commission": commission.pk, "draw": draw.pk,
    }  # fmt: skip
