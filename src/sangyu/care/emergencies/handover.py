"""Cases, nights and stations of somebody who leaves go to the successor (X-07)."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.handover import HandoverRule, Holder, Work

from .models import Duty, Incident, Station


def open_of(holder: Holder) -> list[Work]:
    rows = Incident.objects.live().filter(claimed_by=holder.account_id)
    return [Work(i.pk, i.path, i.number) for i in rows.order_by("pk")]


def move(holder: Holder, successor: Holder, ids: list[int]) -> None:
    rows = Incident.objects.live().filter(pk__in=ids, claimed_by=holder.account_id)
    rows.update(claimed_by=successor.account_id, claimed_name=successor.name[:100])


def nights_of(holder: Holder) -> list[Work]:
    rows = Duty.objects.filter(account_id=holder.account_id, ends_at__gt=timezone.now()).select_related("region")
    return [Work(d.pk, d.path, f"{d.region.name} {timezone.localtime(d.starts_at):%Y-%m-%d %H:%M}") for d in rows]


def move_nights(holder: Holder, successor: Holder, ids: list[int]) -> None:
    rows = Duty.objects.filter(pk__in=ids, account_id=holder.account_id)
    rows.update(account_id=successor.account_id, account_name=successor.name[:50], contact=None)


def stations_of(holder: Holder) -> list[Work]:
    rows = Station.objects.filter(account_id=holder.account_id).select_related("facility").order_by("pk")
    return [Work(s.pk, s.path, s.facility.name) for s in rows]


def move_stations(holder: Holder, successor: Holder, ids: list[int]) -> None:
    Station.objects.filter(pk__in=ids, account_id=holder.account_id).update(account_id=successor.account_id)


handover_rules = [
    HandoverRule("emergencies.cases", _("Emergencies in hand"), open_of, move),
    HandoverRule("emergencies.nights", _("Nights on the roster"), nights_of, move_nights),
    HandoverRule("emergencies.stations", _("Stations that alert this account"), stations_of, move_stations),
]
