"""Questions about assessments. All run in the actor's scope."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, F, Q, QuerySet, Sum

from sangyu.engines.assessment import payment
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.identity import mask_name
from sangyu.kernel.scoping import PATH_END, PATH_STEP
from sangyu.registry.regions import selectors as regions

from . import instruments
from .enums import NeedKind, Setting, State
from .models import Assessment, Assessor, Commission, Need, PastResult, SampleDraw, SettingChoice, Sheet

#: Days before the due day from which a result stands on the due list.
AHEAD = 30


# ---------------------------------------------------------------- payment level (O-1, R-035)
def payment_levels(day: date, region) -> dict[str, str]:
    """Ability level ("0" … "4") → payment level (self_care, part, full) in force on ``day`` in ``region``.

    ``region`` is a Region or its 12-digit code. Empty when no mapping holds on that day.
    """
    found = payment.on(instruments.payment_mappings(), day, getattr(region, "code", region))
    return dict(found.levels) if found else {}


def payment_mappings() -> tuple[payment.Mapping, ...]:
    """All mappings, those of wider regions first; in one region the later beginning last."""
    return instruments.payment_mappings()


def payment_mapping(day: date, region) -> payment.Mapping | None:
    """The mapping itself, with its document and mark."""
    return payment.on(instruments.payment_mappings(), day, getattr(region, "code", region))


# ---------------------------------------------------------------- assessments
def get_assessment(actor: Actor, pk: int) -> Assessment:
    """The assessment. Raises NotVisible."""
    row = Assessment.objects.visible_to(actor).select_related("version", "sheet").filter(pk=pk).first()
    if row is None:
        raise NotVisible
    return row


def assessments_visible(actor: Actor) -> QuerySet[Assessment]:
    """Assessments that the actor sees."""
    return Assessment.objects.visible_to(actor).select_related("version")


def of_person(actor: Actor, person_id: int) -> QuerySet[Assessment]:
    """Assessments of a person, newest first."""
    return assessments_visible(actor).filter(person_id=person_id).order_by("-pk")


def past_of_person(actor: Actor, person_id: int) -> QuerySet[PastResult]:
    """Imported results of a person, newest first."""
    rows = PastResult.objects.visible_to(actor).select_related("version")
    return rows.filter(person_id=person_id).order_by("-assessed_on")


def needs_of_person(actor: Actor, person_id: int) -> list[Need]:
    """The needs that hold, most important first."""
    rows = Need.objects.visible_to(actor).filter(person_id=person_id, ended_on__isnull=True)
    return list(rows.order_by("rank"))


def due(actor: Actor, today: date, *, ahead: int = AHEAD) -> QuerySet[Assessment]:
    """Present results to be looked at again by ``today`` + ``ahead`` days, without a new assessment under way."""
    rows = assessments_visible(actor).filter(current=True, due_on__lte=today + timedelta(days=ahead))
    begun = Assessment.objects.filter(
        state__in=[State.APPLIED, State.ASSIGNED, State.VISITED, State.REVIEWED, State.PUBLISHED], previous__isnull=True
    ).values("person_id")
    return rows.exclude(person_id__in=begun).filter(person__died_on__isnull=True)


def work_counts(actor: Actor) -> dict[str, int]:
    """State → how many wait there."""
    rows = Assessment.objects.visible_to(actor).values_list("state").annotate(n=Count("pk"))
    return dict(rows.order_by())


def waiting(actor: Actor) -> QuerySet[Assessment]:
    """What waits for the actor's own step; counted for the badge."""
    states = []
    if actor.may("assessments.assign"):
        states.append(State.APPLIED)
    if actor.may("assessments.review"):
        states += [State.VISITED, State.REVIEWED]
    if actor.audience is Audience.PROVIDER:
        states.append(State.ASSIGNED)
    return Assessment.objects.visible_to(actor).filter(state__in=states)


def mine(actor: Actor) -> QuerySet[Assessment]:
    """Open assessments that the actor's account goes to."""
    rows = assessments_visible(actor).filter(state=State.ASSIGNED)
    own = Assessor.objects.filter(account_id=actor.account_id).values("pk")
    return rows.filter(Q(lead__in=own) | Q(second__in=own)).order_by("planned_on", "pk")


def on_notice(actor: Actor, today: date) -> QuerySet[Assessment]:
    """Results on the public notice."""
    rows = assessments_visible(actor).filter(state=State.PUBLISHED)
    return rows.order_by("path", "pk")


def masked(row: Assessment) -> str:
    """The name as it stands on the notice: 王*."""
    return mask_name(row.person_name)


def open_sheets(row: Assessment) -> list[Sheet]:
    """All versions, newest first."""
    return list(row.sheets.order_by("-number"))


def conflicts(row: Assessment) -> list[Sheet]:
    """Versions that wait for a choice."""
    return list(row.sheets.filter(conflict=True, settled_at__isnull=True).order_by("number"))


def setting_of(assessment_id: int) -> SettingChoice | None:
    return SettingChoice.objects.filter(assessment_id=assessment_id).first()


def setting_counts(actor: Actor) -> list[dict]:
    """Per recommended setting: how often confirmed, overridden, still open (R-032)."""
    found: dict[str, dict] = {}
    for row in (
        SettingChoice.objects.visible_to(actor).values("recommended", "chosen").annotate(n=Count("pk")).order_by()
    ):
        one = found.setdefault(row["recommended"], {"all": 0, "confirmed": 0, "overridden": 0, "open": 0})
        key = "open" if not row["chosen"] else "confirmed" if row["chosen"] == row["recommended"] else "overridden"
        one[key] += row["n"]
        one["all"] += row["n"]
    return [{"setting": s.label, **found[s.value]} for s in Setting if s.value in found]


# ---------------------------------------------------------------- assessors and bought capacity
def assessors(actor: Actor, day: date, *, body_id: int | None = None) -> QuerySet[Assessor]:
    """Assessors of the own staff, or of a body, who hold on ``day``."""
    rows = Assessor.objects.visible_to(actor).filter(body_id=body_id, valid_from__lte=day)
    return rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=day)).order_by("name", "pk")


def commissions(actor: Actor, day: date | None = None) -> QuerySet[Commission]:
    """Commissions with ``used`` and ``cost`` so far."""
    rows = Commission.objects.visible_to(actor).select_related("body")
    if day is not None:
        rows = rows.filter(valid_from__lte=day, valid_to__gt=day)
    counted = ~Q(assessments__state__in=[State.WITHDRAWN, State.REFUSED])
    done = Q(assessments__visited_at__isnull=False)
    return rows.annotate(used=Count("assessments", counted), cost=Sum("assessments__fee", filter=done, default=0))


# ---------------------------------------------------------------- samples
@dataclass(frozen=True)
class Disagreement:
    """A drawn sample compared: pairs of (body's level, other assessors' level). ``kappa`` is Cohen's, None when undefined."""

    pairs: list[tuple[int, int, Assessment]]
    agreed: int
    kappa: float | None
    items: list[tuple[str, str, int, int]]

    @property
    def share(self) -> float | None:
        return self.agreed / len(self.pairs) if self.pairs else None


def kappa(pairs: Sequence[tuple[int, int]]) -> float | None:
    """Cohen's kappa of two raters: agreement beyond chance; None without pairs or when chance alone agrees always."""
    n = len(pairs)
    if not n:
        return None
    first, second = Counter(a for a, _b in pairs), Counter(b for _a, b in pairs)
    observed = sum(a == b for a, b in pairs) / n
    expected = sum(first[level] * second[level] for level in first) / (n * n)
    return None if expected == 1 else (observed - expected) / (1 - expected)


def disagreement(actor: Actor, draw: SampleDraw) -> Disagreement:
    """The report of one draw: levels side by side, agreement, kappa, and how often each item differs."""
    rows = Assessment.objects.visible_to(actor).filter(
        previous_id__in=draw.drawn, state=State.COMPARED, reason="sample"
    )
    rows = list(rows.select_related("previous__sheet", "sheet", "version").order_by("pk"))
    pairs = [(r.previous.level, r.level, r) for r in rows]
    items: list[tuple[str, str, int, int]] = []
    if rows:
        for code, item in rows[0].version.instrument.items.items():
            differ = sum(r.previous.sheet.answers.get(code) != r.sheet.answers.get(code) for r in rows)
            items.append((code, item.name, differ, len(rows)))
    levels = [(a, b) for a, b, _r in pairs]
    return Disagreement(
        pairs, sum(a == b for a, b in levels), kappa(levels), sorted((i for i in items if i[2]), key=lambda i: -i[2])
    )


def draws(actor: Actor) -> QuerySet[SampleDraw]:
    return SampleDraw.objects.visible_to(actor).select_related("commission__body").order_by("-pk")


# ---------------------------------------------------------------- demand
def demand(actor: Actor, *, path: str = "", top: int = 0) -> list[dict]:
    """Needs of an area, most wanted first: how many name it at all, and how many first (R-037).

    ``top`` counts only needs up to this rank; 0 = all.
    """
    path = path or actor.path
    rows = Need.objects.visible_to(actor).filter(ended_on__isnull=True, path__gte=path, path__lt=path + PATH_END)
    if top:
        rows = rows.filter(rank__lte=top)
    found = rows.values("kind").annotate(people=Count("person_id", distinct=True), first=Count("pk", Q(rank=1)))
    made = [
        {"kind": r["kind"], "label": NeedKind(r["kind"]).label, **r}
        for r in found.order_by("-people", "-first", "kind")
    ]
    return [{**r, "place": place} for place, r in enumerate(made, 1)]


def demand_by_area(actor: Actor, path: str = "") -> list[dict]:
    """The three top needs of each area one level below ``path``."""
    path = path or actor.path
    length = len(path) + PATH_STEP
    rows = Need.objects.visible_to(actor).filter(ended_on__isnull=True, path__gte=path, path__lt=path + PATH_END)
    counts: dict[str, Counter] = {}
    for area, kind, n in rows.values_list("path", "kind").annotate(n=Count("person_id", distinct=True)).order_by():
        counts.setdefault(area[:length], Counter())[kind] += n
    names = regions.names_of(list(counts))
    return [
        {
            "path": area, "name": names.get(area, area), "all": found.total(),
            "top": [(NeedKind(k).label, n) for k, n in sorted(found.items(), key=lambda kn: (-kn[1], kn[0]))[:3]],
        }
        for area, found in sorted(counts.items())
    ]  # fmt: skip


def level_counts(actor: Actor) -> list[tuple[str, int]]:
    """Present results of the ability scale by level."""
    rows = Assessment.objects.visible_to(actor).filter(current=True, version__code=instruments.ABILITY)
    return list(rows.values_list("level_name").annotate(n=Count("pk")).order_by(F("level")))
