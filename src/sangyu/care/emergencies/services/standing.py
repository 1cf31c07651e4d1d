"""What stands ready: opening hours, notice channels, the roster of nights without gaps (R-086)."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time

from django.db import transaction
from django.db.utils import IntegrityError
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.services import service
from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.facilities import selectors as facilities
from sangyu.registry.regions import selectors as regions

from .. import ladders
from ..enums import ChannelKind
from ..models import Channel, Duty, OpenHours, Station
from ..nights import gaps_between, nights_of

#: Longest roster that is planned at once.
MOST_NIGHTS = 100


def _place(actor: Actor, region_id: int, facility_id: int | None):
    """(region, facility) of a roster that the actor keeps. Raises NotVisible."""
    if facility_id:
        facility = facilities.get_facility(actor, facility_id)
        region = regions.region(facility.region_id, current=True)
    else:
        facility, region = None, regions.region(region_id, current=True)
    if not region.path.startswith(actor.path):
        raise NotVisible
    return region, facility


@service("emergencies.roster")
def plan_nights(
    *,
    actor: Actor,
    first: date,
    last: date,
    account_ids: Sequence[int],
    now: datetime,
    region_id: int = 0,
    facility_id: int | None = None,
    rank: int = 1,
) -> list[Duty]:
    """Give the nights from ``first`` to ``last`` to the people in turn. What is on the roster already stays: only gaps are
    filled, to the minute. Answers the new rows. Raises Invalid, NotVisible.
    """
    region, facility = _place(actor, region_id, facility_id)
    people = accounts.by_ids(account_ids)
    errors: dict[str, list[str]] = {}
    if not account_ids or set(account_ids) - people.keys():
        errors["account_ids"] = [_("Choose the people who take turns.")]
    if last < first or (last - first).days >= MOST_NIGHTS:
        errors["last"] = [_("The last night comes after the first, at most %(most)s nights.") % {"most": MOST_NIGHTS}]
    if not 1 <= rank <= 3:
        errors["rank"] = [_("The order is 1, 2 or 3.")]
    if errors:
        raise Invalid(errors)
    nights = nights_of(first, last, ladders.book_for(region.code).nights)
    made: list[Duty] = []
    for n, night in enumerate(nights):
        for starts, ends in gaps_between([night], _stretches(region.pk, facility and facility.pk, rank, night)):
            account = people[account_ids[n % len(account_ids)]]
            made.append(
                Duty(
                    region=region, facility=facility, path=region.path, account=account, account_name=account.name[:50],
                    contact=account.mobile or "", rank=rank, starts_at=starts, ends_at=ends,
                )
            )  # fmt: skip
    try:
        with transaction.atomic():
            return Duty.objects.bulk_create(made)
    except IntegrityError:
        raise Refused(_("Somebody else has planned these nights just now."), code="emergencies.roster") from None


def _stretches(region_id: int, facility_id: int | None, rank: int, night) -> list[tuple[datetime, datetime]]:
    rows = Duty.objects.filter(starts_at__lt=night[1], ends_at__gt=night[0], rank=rank, facility_id=facility_id)
    rows = rows if facility_id else rows.filter(region_id=region_id)
    return list(rows.order_by("starts_at").values_list("starts_at", "ends_at"))


@service("emergencies.roster")
def reassign_night(*, actor: Actor, duty_id: int, account_id: int, now: datetime, contact: str = "") -> Duty:
    """Somebody else takes the night, or what is left of it: so no gap comes about. Raises NotVisible, Invalid, Refused."""
    duty = Duty.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=duty_id).first()
    if duty is None:
        raise NotVisible
    if duty.ends_at <= now:
        raise Refused(_("The night is over."), code="emergencies.roster")
    account = accounts.by_ids([account_id]).get(account_id)
    if account is None:
        raise Invalid({"account_id": [_("Choose a person.")]})
    if duty.starts_at < now:  # the first part stays with who had it
        rest = Duty(
            region=duty.region, facility=duty.facility, path=duty.path, rank=duty.rank, starts_at=now, ends_at=duty.ends_at,
        )  # fmt: skip
        duty.ends_at = now
        duty.save(update_fields=["ends_at"])
        duty = rest
    duty.account, duty.account_name = account, account.name[:50]
    duty.contact = contact.strip() or account.mobile or ""
    duty.save()
    return duty


@service("emergencies.view")
def hand_over(*, actor: Actor, duty_id: int, note: str, now: datetime) -> Duty:
    """Notes for who comes next, by the person on duty or who keeps the roster. Raises NotVisible, Invalid, Refused."""
    duty = Duty.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=duty_id).first()
    if duty is None:
        raise NotVisible
    if duty.account_id != actor.account_id and not actor.may("emergencies.roster"):
        raise Refused(_("The person on duty hands over."), code="emergencies.roster")
    if not note.strip():
        raise Invalid({"note": [_("Write something.")]})
    duty.note, duty.handed_over_at = note.strip()[:500], now
    duty.save(update_fields=["note", "handed_over_at"])
    return duty


@service("emergencies.stations")
def save_station(
    *,
    actor: Actor,
    facility_id: int,
    now: datetime,
    takes_alarms: bool = True,
    telephone: str = "",
    account_id: int | None = None,
    note: str = "",
    hours: Iterable[tuple[int, time, time]] = (),
) -> Station:
    """Whether a facility may be asked to go, whom to alert there, and when it is staffed; without ``hours`` (weekday 1 – 7,
    opens, closes) its kind's usual ones. Raises Invalid, NotVisible.
    """
    facility = facilities.get_facility(actor, facility_id)
    if not facility.path.startswith(actor.path):
        raise NotVisible
    if account_id and account_id not in accounts.by_ids([account_id]):
        raise Invalid({"account_id": [_("Choose a person.")]})
    hours = list(dict.fromkeys(hours))
    if any(not 1 <= weekday <= 7 for weekday, _opens, _closes in hours):
        raise Invalid({"hours": [_("A weekday is 1 (Monday) to 7 (Sunday).")]})
    values = {"takes_alarms": takes_alarms, "telephone": telephone.strip()[:30], "account_id": account_id}
    station, _new = Station.objects.update_or_create(
        facility=facility, defaults={**values, "note": note.strip()[:200], "path": facility.path}
    )
    station.hours.all().delete()
    OpenHours.objects.bulk_create(OpenHours(station=station, weekday=d, opens=o, closes=c) for d, o, c in hours)
    return station


@service("emergencies.stations")
def save_channel(
    *,
    actor: Actor,
    region_id: int,
    name: str,
    kind: str,
    now: datetime,
    url: str | None = None,
    rank: int = 1,
    active: bool = True,
    channel_id: int | None = None,
) -> Channel:
    """A way to send notices. ``url`` None keeps the address; "" sends text messages through the house's own gateway.

    Raises Invalid, NotVisible.
    """
    region, _facility = _place(actor, region_id, None)
    errors: dict[str, list[str]] = {}
    if not name.strip():
        errors["name"] = [_("Give it a name.")]
    if kind not in ChannelKind.values:
        errors["kind"] = [_("Choose a kind.")]
    if url and not _readable(url):
        errors["url"] = [_("The address of the channel cannot be read.")]
    if errors:
        raise Invalid(errors)
    channel = Channel()
    if channel_id is not None:
        channel = Channel.objects.visible_to(actor).select_for_update().filter(pk=channel_id).first()
        if channel is None:
            raise NotVisible
    channel.region, channel.path, channel.name, channel.kind = region, region.path, name.strip()[:40], kind
    channel.rank, channel.active = rank, active
    if url is not None:
        channel.url = url.strip()
    channel.save()
    return channel


def _readable(url: str) -> bool:
    import apprise

    return apprise.Apprise.instantiate(url.replace("{to}", "13800000000")) is not None
