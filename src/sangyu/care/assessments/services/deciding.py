"""Second look, public notice, decision, objection, setting of care (R-029, R-032, R-035 … R-037)."""

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.engines.assessment.settings import recommend
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people
from sangyu.registry.people import services as registers
from sangyu.registry.people.enums import FactKind

from .. import events
from ..enums import Action, DueReason, NeedKind, Reason, Setting
from ..instruments import ABILITY, settings_of_care
from ..models import Assessment, Need, SettingChoice, Sheet
from ._shared import FLOW, seen, show_person, step
from .applying import _said, open_new

#: What a second look needs again when the visit is repeated.
_UNVISITED = {"visited_at": None, "visited_account": None, "level": None, "level_name": ""}


@service("assessments.review")
def send_back(*, actor: Actor, assessment_id: int, reason: str, now: datetime | None = None) -> Assessment:
    """The second look found something: the same assessors correct it. Who assessed may not (four eyes)."""
    done = step(actor, assessment_id, Action.SEND_BACK, now, reason=_said(reason), changes=dict(_UNVISITED))
    show_person(done)
    return done


@service("assessments.review")
def review(*, actor: Actor, assessment_id: int, note: str = "", now: datetime | None = None) -> Assessment:
    """The second look agrees. A drawn sample is compared with the body's result and ends here (R-033)."""
    done = step(
        actor, assessment_id, Action.REVIEW, now, reason=note.strip(),
        changes={"reviewed_by": actor.name, "reviewed_account": actor.account_id},
    )  # fmt: skip
    if done.reason == Reason.SAMPLE:
        agrees = done.previous.level == done.level
        done = step(actor, assessment_id, Action.COMPARE, now, data={"agrees": agrees})
    return done


@service("assessments.review")
def publish(*, actor: Actor, assessment_id: int, now: datetime | None = None) -> Assessment:
    """Put the result on the public notice (name masked) for the days that the scale's file says."""
    now = now or timezone.now()
    days = seen(assessment_id).version.instrument.publicity_days
    last = timezone.localdate(now) + timedelta(days=days if days else -1)
    return step(actor, assessment_id, Action.PUBLISH, now, changes={"notice_to": last})


@service("assessments.decide")
def decide(*, actor: Actor, assessment_id: int, now: datetime | None = None) -> Assessment:
    """The result holds: ability level and dementia become dated facts, needs are replaced, a setting is recommended.

    An objection's new result holds from the day of the one it replaces. Raises NotVisible, Refused ("assessments.notice",
    "assessments.four_eyes", "workflow.edge", "workflow.stale").
    """
    now = now or timezone.now()
    today = timezone.localdate(now)
    row = seen(assessment_id)
    doubted = row.previous if row.reason == Reason.OBJECTION else None
    since = (doubted.effective_on if doubted is not None else None) or today
    instrument = row.version.instrument
    done = step(
        actor, assessment_id, Action.DECIDE, now, data={"level": row.level},
        changes={
            "decided_by": actor.name, "effective_on": since, "due_reason": DueReason.YEARLY,
            "due_on": add_months(since, instrument.reassess_months),
        },
    )  # fmt: skip
    if doubted is not None:
        step(actor, doubted.pk, Action.REASSESS, now, data={"by": done.pk})
    Assessment.objects.filter(person_id=row.person_id, version__code=row.version.code, current=True).update(
        current=False
    )
    done.current = True
    done.save(update_fields=["current"])
    sheet = done.sheet
    _state(actor, done, sheet, since, now)
    _needs(done, sheet, today)
    _recommend(done, sheet, today)
    emit(
        events.LEVEL, path=done.path, id=done.pk, person=done.person_id, level=done.level, valid_from=since.isoformat()
    )
    return done


def _may_wander(row: Assessment, sheet: Sheet) -> bool | None:
    """Whether the sheet shows a risk of getting lost: dementia, or it happened in the last 30 days (R-036, form A.2 and A.4).

    None for a scale that asks neither.
    """
    asked = {f.code for f in row.version.instrument.findings}
    if not {"dementia", "wandering"} & asked:
        return None
    given = sheet.findings
    return (
        given.get("dementia", "none") != "none" or bool(given.get("wandering")) or bool(given.get("dementia_diagnosis"))
    )


def _state(actor: Actor, row: Assessment, sheet: Sheet, since: date, now: datetime) -> None:
    """The facts that follow. Only the ability scale says the ability level (standards §3)."""
    source = _("Assessment %(number)s") % {"number": row.number}
    facts = {FactKind.CARE_LEVEL: str(row.level)} if row.version.code == ABILITY else {}
    if (dementia := sheet.findings.get("dementia", "none")) != "none":
        facts[FactKind.DEMENTIA] = dementia
    if (wanders := _may_wander(row, sheet)) is not None:
        held = people.facts_on(row.person_id, since).get(FactKind.WANDERING)
        if wanders or held == "yes":
            facts[FactKind.WANDERING] = "yes" if wanders else "no"
    for kind, value in facts.items():
        registers.record_fact(
            actor=actor, person_id=row.person_id, kind=kind, value=value, valid_from=since, source=source,
            note=row.version.document, now=now,
        )  # fmt: skip


def _needs(row: Assessment, sheet: Sheet, today: date) -> None:
    """The assessor's order stands; who may get lost needs protection, whatever else was named (R-036, R-037)."""
    kinds = list(sheet.needs)
    if _may_wander(row, sheet) and NeedKind.SAFETY not in kinds:
        kinds.append(NeedKind.SAFETY)
    live = Need.objects.filter(person_id=row.person_id, ended_on__isnull=True)
    first = 1
    if sheet.needs:
        live.update(ended_on=today)
    elif kinds:
        held = list(live.values_list("kind", "rank"))
        kinds = [k for k in kinds if k not in {kind for kind, _rank in held}]
        first = max((rank for _kind, rank in held), default=0) + 1
    Need.objects.bulk_create(
        Need(path=row.path, person_id=row.person_id, assessment=row, kind=kind, rank=rank, noted_on=today)
        for rank, kind in enumerate(kinds, first)
    )


def _recommend(row: Assessment, sheet: Sheet, today: date) -> None:
    if row.version.code != ABILITY:
        return
    facts = people.facts_on(row.person_id, today)
    given = {**facts, "level": str(row.level), "special_care": "yes" if sheet.special else "no"}
    rule = recommend(list(settings_of_care()), given)
    SettingChoice.objects.create(
        assessment=row, path=row.path, recommended=rule.setting, rule=rule.code, rule_text=rule.text
    )


@service("assessments.decide")
def choose_setting(
    *, actor: Actor, assessment_id: int, chosen: str, reason: str = "", now: datetime | None = None
) -> SettingChoice:
    """Confirm the recommended setting, or override it and say why (R-032). Raises NotVisible, Invalid."""
    found = SettingChoice.objects.select_for_update(of=("self",)).filter(assessment_id=assessment_id).first()
    if found is None:
        raise NotVisible
    if chosen not in Setting.values:
        raise Invalid({"chosen": [_("Choose one of the options.")]})
    if chosen != found.recommended and not reason.strip():
        raise Invalid({"reason": [_("Say why another setting is better.")]})
    found.chosen, found.reason = chosen, reason.strip()
    found.chosen_at, found.chosen_by = now or timezone.now(), actor.name
    found.save(update_fields=["chosen", "reason", "chosen_at", "chosen_by"])
    return found


@service("assessments.apply")
def object_to(
    *, actor: Actor, assessment_id: int, objection: str, objected_by: str, now: datetime | None = None
) -> Assessment:
    """Somebody doubts a published or decided result: others assess anew. Answers the new assessment.

    The decided level stays in force until then. Raises NotVisible, Invalid, Refused ("workflow.edge", "people.dead").
    """
    return _doubt(actor, assessment_id, objection, objected_by, now or timezone.now())


@service("assessments.own")
def object_to_own(*, actor: Actor, assessment_id: int, objection: str, now: datetime | None = None) -> Assessment:
    """The elder, or a relative who may see the result, does not agree: the same as told at the office. Answers the new assessment.

    Raises NotVisible, Invalid, Refused.
    """
    return _doubt(actor, assessment_id, objection, actor.name, now or timezone.now())


def _doubt(actor: Actor, assessment_id: int, objection: str, objected_by: str, now: datetime) -> Assessment:
    if not objected_by.strip():
        raise Invalid({"objected_by": [_("Please fill in.")]})
    row = FLOW.lock(Assessment.objects.select_related("version"), assessment_id)
    FLOW.require(row, Action.OBJECT)
    if row.reason == Reason.SAMPLE:
        raise Refused(_("A drawn sample is compared, not decided."), code="assessments.sample")
    done = step(
        actor, assessment_id, Action.OBJECT, now, reason=_said(objection),
        changes={"objection": objection.strip()[:500], "objected_by": objected_by.strip()[:100], "current": False},
    )  # fmt: skip
    return open_new(
        actor, done.person_id, done.version.code, Reason.OBJECTION, note=objection.strip()[:300], previous=done, now=now
    )


def add_months(day: date, months: int) -> date:
    """The same day so many months later, the month's last day where it has none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise ValueError(day)
