"""Questions about facilities and stays that other rooms and the screens ask."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from sangyu.kernel.actor import Actor
from sangyu.kernel.dated import valid_on
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.scoping import as_system

from .enums import FactKind, Kind
from .models import Facility, FacilityFact, Stay


def facilities_visible(actor: Actor) -> QuerySet[Facility]:
    """Facilities that the actor sees."""
    return Facility.objects.visible_to(actor)


def with_facts(rows: QuerySet[Facility], day: date) -> QuerySet[Facility]:
    """``rows`` with ``state_now``, ``rating_now``, ``inspection_now`` as they hold on ``day``."""
    held = {
        f"{kind}_now": Subquery(
            FacilityFact.objects.filter(subject=OuterRef("pk"), kind=kind).on(day).values("value")[:1]
        )
        for kind in FactKind.values
    }
    return rows.annotate(**held)


def with_today(rows: QuerySet[Facility]) -> QuerySet[Facility]:
    """``with_facts`` of today."""
    return with_facts(rows, timezone.localdate())


def get_facility(actor: Actor, pk: int) -> Facility:
    """One facility with its facts of today. Raises NotVisible."""
    rows = with_today(facilities_visible(actor)).select_related("region", "organisation")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


def facts_on(facility_ids: Iterable[int], day: date, *, known: datetime | None = None) -> dict[int, dict[str, str]]:
    """Facility id → kind → value on ``day``, as known at ``known`` (None = now)."""
    found: dict[int, dict[str, str]] = {}
    rows = FacilityFact.objects.filter(subject_id__in=list(facility_ids)).on(day, known=known)
    for pk, kind, value in rows.values_list("subject_id", "kind", "value"):
        found.setdefault(pk, {})[kind] = value
    return found


def occupied(facility_id: int, day: date) -> int:
    """Beds taken on ``day``, counted whoever asks: a number, no names."""
    with as_system("how many beds are taken is told to everybody, by whom is not"):
        return Stay.objects.filter(valid_on(day), facility_id=facility_id).count()


def stays_of(actor: Actor, person_id: int) -> QuerySet[Stay]:
    """Stays of one person that the actor sees, latest first."""
    return Stay.objects.visible_to(actor).filter(person_id=person_id).select_related("facility")


def stay_on(person_id: int, day: date) -> Stay | None:
    """Where the person lives on ``day`` when it is a registered facility."""
    return Stay.objects.filter(valid_on(day), person_id=person_id).select_related("facility").first()


def residents(facility_ids: Iterable[int], day: date) -> dict[tuple[int, str], int]:
    """(facility, bed) → who lives in that bed on ``day``, as far as the scope sees the stays."""
    rows = Stay.objects.filter(valid_on(day), facility_id__in=list(facility_ids)).exclude(bed="")
    return {(house, bed): person for house, bed, person in rows.values_list("facility_id", "bed", "person_id")}


def housing_choices(actor: Actor) -> list[tuple[int, str]]:
    """Facilities with beds that the actor may name in an admission."""
    kinds = [k for k in Kind if k.houses]
    rows = facilities_visible(actor).filter(Q(kind__in=kinds), beds__gt=0).select_related("region").order_by("name")
    return [(f.pk, f"{f.name}（{f.region.name}）") for f in rows]


def names(facility_ids: Iterable[int]) -> dict[int, str]:
    """Names of the facilities that the scope sees."""
    return dict(Facility.objects.filter(pk__in=list(facility_ids)).values_list("pk", "name"))


def places(facility_ids: Iterable[int]) -> dict[int, Facility]:
    """Facilities that the scope sees, by id."""
    return Facility.objects.in_bulk(list(facility_ids))


def ready(kinds: Iterable[str]) -> QuerySet[Facility]:
    """Facilities of ``kinds``, in whatever state: who looks for help past the borders of areas asks as the system."""
    return Facility.objects.filter(kind__in=[str(k) for k in kinds])
