"""The roster of nights and the stations' opening hours as workbooks (R-086); what their lists export can be imported again."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.db.utils import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from sangyu.kernel import identity
from sangyu.kernel.errors import Refused
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Fate, Field, Import, Row, register
from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.facilities import selectors as facilities
from sangyu.registry.regions import selectors as regions
from sangyu.registry.regions.fields import Places

from . import hours, ladders
from .models import Duty, OpenHours, Station
from .nights import gaps_between, nights_of

RANKS = {"1": "1", "2": "2", "3": "3", "首位": "1", "第一": "1", "替补": "2", "备班": "2", "第二": "2", "第三": "3"}
YES = {"是": "yes", "可以": "yes", "√": "yes", "否": "no", "不可以": "no", "×": "no"}


def _night(cell: Any) -> date:
    """The day on which the night begins; the hour of an exported list is left out."""
    written = parsers.text_of(cell)
    return parsers.day(written.replace("T", " ").partition(" ")[0])


def _contact(cell: Any) -> str:
    """A number; one that an export has masked is left to the person's account."""
    return "" if "*" in parsers.text_of(cell) else parsers.phone()(cell)


class _Named(Import):
    """Rows that name colleagues and facilities."""

    def people(self) -> Callable[[Row, str], Any]:
        """Find the account that a cell means: by sign-in name, or by a name that one colleague alone has."""
        staff = accounts.colleagues(self.actor, self.today)
        by_sign_in = {a.username: a for a in staff}

        def find(row: Row, key: str):
            written = row.values[key]
            found = [by_sign_in[written]] if written in by_sign_in else [a for a in staff if a.name == written]
            if len(found) != 1:
                text = (
                    _("No colleague of your area has this name.")
                    if not found
                    else _("Several have this name. Write the sign-in name.")
                )
                row.refuse(key, text, "person")
                return None
            return found[0]

        return find

    def houses(self) -> dict[str, list[Any]]:
        made: dict[str, list[Any]] = {}
        for f in facilities.facilities_visible(self.actor).filter(path__startswith=self.actor.path):
            made.setdefault(f.name, []).append(f)
        return made


@register
class RosterImport(_Named):
    """One night and person a row. What is on the roster already stays; a night that somebody else has is refused."""

    kind, title, permission = "emergencies.roster", gettext_lazy("Roster of nights"), "emergencies.roster"

    def describe(self) -> Sequence[Field]:
        return (
            Field("night", _("Night of"), _night, ("日期", "值班日期", "夜班日期", "开始时间", "起始日期"), required=True, example="2026-12-01",
                  hint=_("The day on which the night begins.")),
            Field("person", _("Person on duty"), parsers.text(50), ("值班人", "姓名", "登录名", "账号"), required=True, example="王丽"),
            Field("rank", pgettext("duty", "Order"), parsers.choice(RANKS), ("顺序", "次序", "班次"), choices=("1", "2", "3")),
            Field("where", _("Where"), parsers.text(200), ("区域", "地点", "机构", "所属区域"),
                  hint=_("An area or a facility; empty is your own area.")),
            Field("contact", _("Reachable at"), _contact, ("联系电话", "电话", "手机"), mask=identity.mask_phone),
        )  # fmt: skip

    def row_name(self, row: Row) -> str:
        return f"{row.values.get('night', '')} {row.values.get('person', '')}".strip()

    def check(self, rows: list[Row]) -> None:
        who, houses, places = self.people(), self.houses(), Places(self.actor, self.today)
        own, seen = regions.at_path(self.actor.path), {}
        for row in rows:
            account, place = who(row, "person"), self._place(row, houses, places, own)
            if row.values["night"] < self.today:
                row.refuse("night", _("The night is over."), "date.past")
            if row.problems:
                continue
            rank = int(row.values.get("rank") or 1)
            region, facility = place
            if row.once(seen, night=(region.pk, facility and facility.pk, rank, row.values["night"])):
                row.known = (account, region, facility, rank)
        self._on_the_roster([r for r in rows if r.known])

    def _place(self, row: Row, houses: dict[str, list], places: Places, own: Any) -> tuple | None:
        written = row.values.get("where", "")
        if not written:
            if own is None:
                row.refuse("where", _("Write the area."), "missing")
            return own, None
        found = houses.get(written, [])
        if len(found) == 1:
            return regions.region(found[0].region_id, current=True), found[0]
        return places.settle(row, "where"), None

    def _on_the_roster(self, rows: list[Row]) -> None:
        """What of each night is free: all, nothing (the same person has it), or somebody else has it."""
        if not rows:
            return
        for row in rows:
            _account, region, _facility, _rank = row.known
            day = row.values["night"]
            (row.values["stretch"],) = nights_of(day, day, ladders.book_for(region.code).nights)
        first, last = min(r.values["stretch"][0] for r in rows), max(r.values["stretch"][1] for r in rows)
        kept: dict[tuple, list[Duty]] = {}
        for duty in Duty.objects.visible_to(self.actor).filter(starts_at__lt=last, ends_at__gt=first):
            kept.setdefault((None if duty.facility_id else duty.region_id, duty.facility_id, duty.rank), []).append(
                duty
            )
        for row in rows:
            account, region, facility, rank = row.known
            starts, ends = row.values["stretch"]
            known = kept.get((None if facility else region.pk, facility and facility.pk, rank), [])
            there = [d for d in known if d.starts_at < ends and d.ends_at > starts]
            others = sorted({d.account_name for d in there if d.account_id != account.pk})
            row.values["gaps"] = gaps_between([(starts, ends)], [(d.starts_at, d.ends_at) for d in there])
            if others:
                text = _("%(names)s has this night already. Change it on the roster.")
                row.refuse("person", text % {"names": "、".join(others)}, "roster")
            elif not row.values["gaps"]:
                row.fate = Fate.UNCHANGED

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        made = []
        for row in rows:
            account, region, facility, rank = row.known
            made += [
                Duty(
                    region=region, facility=facility, path=region.path, account=account, account_name=account.name[:50],
                    contact=row.values.get("contact") or account.mobile or "", rank=rank, starts_at=starts, ends_at=ends,
                )
                for starts, ends in row.values["gaps"]
            ]  # fmt: skip
        try:
            with transaction.atomic():
                Duty.objects.bulk_create(made, batch_size=1000)
        except IntegrityError:
            raise Refused(_("Somebody else has planned these nights just now."), code="emergencies.roster") from None
        advance(len(rows))
        return {}


@register
class StationImport(_Named):
    """One facility a row: whether it may be asked to go, when it is staffed, whom to ring. What is known is replaced."""

    kind, title, permission = "emergencies.stations", gettext_lazy("Stations for emergencies"), "emergencies.stations"

    def describe(self) -> Sequence[Field]:
        return (
            Field("facility", _("Facility"), parsers.text(100), ("机构", "设施", "站点", "机构名称", "站点名称"), required=True, example="阳光驿站"),
            Field("takes", _("May be asked to go"), parsers.choice(YES), ("能否出动", "是否接警"), choices=("是", "否")),
            Field("hours", pgettext("station", "Opening hours"), _hours, ("开放时间", "营业时间", "值守时间"), example="周一至周五 08:00-17:00；周六 09:00-12:00",
                  hint=_("Empty: as usual for its kind.")),
            Field("telephone", _("Emergency telephone"), parsers.text(30), ("应急电话", "电话", "联系电话")),
            Field("person", _("Account that is alerted"), parsers.text(50), ("提醒账号", "登录名", "负责人")),
            Field("note", _("Remark"), parsers.text(200), ("备注",)),
        )  # fmt: skip

    def row_name(self, row: Row) -> str:
        return str(row.values.get("facility") or "")

    def check(self, rows: list[Row]) -> None:
        who, houses, seen = self.people(), self.houses(), {}
        for row in rows:
            found = houses.get(row.values["facility"], [])
            if len(found) != 1:
                text = _("Your area has no such facility.") if not found else _("Several facilities have this name.")
                row.refuse("facility", text, "facility")
                continue
            account = who(row, "person") if row.values.get("person") else None
            if not row.problems and row.once(seen, facility=found[0].pk):
                row.known = (found[0], account)
        rows = [r for r in rows if r.known]
        ids = [r.known[0].pk for r in rows]
        kept = {s.facility_id: s for s in Station.objects.filter(facility_id__in=ids).prefetch_related("hours")}
        for row in rows:
            if station := kept.get(row.known[0].pk):
                same = _values(row) == _values_of(station) and (row.values.get("hours") or []) == _hours_of(station)
                row.fate = Fate.UNCHANGED if same else Fate.CHANGED

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        names = ["takes_alarms", "telephone", "account_id", "note"]
        made = [
            Station(facility=r.known[0], path=r.known[0].path, **dict(zip(names, _values(r), strict=True)))
            for r in rows
        ]
        Station.objects.bulk_create(
            made, batch_size=1000, update_conflicts=True, unique_fields=["facility"],
            update_fields=["takes_alarms", "telephone", "account", "note", "path"],
        )  # fmt: skip
        kept = dict(
            Station.objects.filter(facility_id__in=[r.known[0].pk for r in rows]).values_list("facility_id", "pk")
        )
        OpenHours.objects.filter(station_id__in=kept.values()).delete()
        OpenHours.objects.bulk_create(
            [
                OpenHours(station_id=kept[r.known[0].pk], weekday=d, opens=o, closes=c)
                for r in rows
                for d, o, c in r.values.get("hours") or []
            ],
            batch_size=1000,
        )
        advance(len(rows))
        return {}


def _hours(cell: Any) -> list[hours.Stretch]:
    written = parsers.text_of(cell)
    return [] if written == _("as usual for its kind") else hours.read(written)


def _values(row: Row) -> tuple:
    given, account = row.values, row.known[1]
    return given.get("takes", "yes") == "yes", given.get("telephone", ""), account and account.pk, given.get("note", "")


def _values_of(station: Station) -> tuple:
    return station.takes_alarms, station.telephone, station.account_id, station.note


def _hours_of(station: Station) -> list[hours.Stretch]:
    return sorted((h.weekday, h.opens, h.closes) for h in station.hours.all())
