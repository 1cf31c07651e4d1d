"""Screens: alarms of devices, charts of a person or device, the map of devices."""

import django_filters
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import log_read
from sangyu.registry.devices import selectors as devices
from sangyu.registry.people import selectors as people
from sangyu.registry.regions import selectors as regions
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import ListPage, Moment, Number, PlainPage, Status, Text

from . import charts, selectors
from .enums import LEVEL_TONES, AlarmState, alarm_label
from .models import Alarm
from .rulebooks import rules_at, sheet

NAV = [
    Nav(_("Device alarms"), "bell", "signals:alarms", "signals.view", Group.REGISTERS, 58),
    Nav(_("Map of devices"), "pin", "signals:map", "signals.position", Group.REGISTERS, 59),
]
#: Places on the map at once; more are asked for by area.
MOST_PLACES = 5_000


# ---------------------------------------------------------------- alarms
class AlarmFilters(django_filters.FilterSet):
    level = django_filters.ChoiceFilter(label=_("Level"), choices=[(n, str(n)) for n in (1, 2, 3, 4)])
    state = django_filters.ChoiceFilter(label=pgettext_lazy("alarm", "State"), choices=AlarmState.choices)
    kind = django_filters.ChoiceFilter(label=_("Alarm"), choices=[])

    class Meta:
        model = Alarm
        fields: list[str] = []

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        from .enums import ALARM_WORDS

        self.filters["kind"].extra["choices"] = [(k.value, str(w)) for k, w in ALARM_WORDS.items()]


def _whose(alarm: Alarm) -> str:
    if alarm.person_id:
        return alarm.person.name if alarm.person else ""
    if alarm.facility_id:
        return " ".join(p for p in (alarm.facility.name, alarm.room, alarm.bed) if p)
    return alarm.network


def _whose_url(alarm: Alarm) -> str:
    return reverse("signals:person", args=[alarm.person_id]) if alarm.person_id and alarm.person else ""


def _device_url(alarm: Alarm) -> str:
    return reverse("signals:device", args=[alarm.device_id]) if alarm.device_id else ""


def _find(rows, text: str):
    return rows.filter(person__name__startswith=text) | rows.filter(device__identity__startswith=text)


_find.do_not_call_in_templates = True


class AlarmList(ListPage):
    url, name, permission, title = "", "alarms", "signals.view", _("Device alarms")
    model, related, unit, personal = Alarm, ("person", "facility", "device"), _("alarms"), "signals.alarms"
    filters, search, sort = AlarmFilters, staticmethod(_find), "-raised_at"
    search_label = _("Device number or elder")
    columns = [
        Moment("raised_at", _("Since"), sort=True),
        Status("level", _("Level"), value=lambda a: a.level, tones=LEVEL_TONES),
        Text("kind", _("Alarm"), value=lambda a: alarm_label(a.kind)),
        Text("whose", pgettext_lazy("signals", "Who"), value=_whose, link=_whose_url),
        Text("device.identity", _("Device"), link=_device_url),
        Text("text", _("What it says")),
        Number("count", _("Times")),
        Status("state", pgettext_lazy("alarm", "State"), enum=AlarmState),
        Moment("ended_at", _("Over since")),
        Text("acknowledged_by", _("Dealt with by"), hidden=True),
        Moment("received_at", _("Received at"), hidden=True),
    ]
    presets = [(pgettext_lazy("alarm", "Open"), "state=open"), (_("Life alarms"), "level=1")]
    empty_text = _("No device has raised an alarm.")


# ---------------------------------------------------------------- charts
class Measured(PlainPage):
    """Base: charts of ``whose`` by day, night or week."""

    permission, template = "signals.view", "signals/charts.html"
    whose: dict[str, int]

    def shown(self) -> charts.Window:
        given = self.request.GET
        day = parse_date(given.get("day", "")) if given.get("day") else None
        return charts.window(given.get("span", "day"), min(day or timezone.localdate(), timezone.localdate()))

    def drawn(self, path: str, person_id: int | None, health: bool, product: str = "") -> dict:
        shown = self.shown()
        return {
            "panels": charts.panels(self.whose, shown, health=health, limits=limits_of(self.actor, path, person_id, product)),
            "nights": [_slept(at, said) for at, said in selectors.nights(self.whose, shown.begins, shown.ends)] if health else [],
            "shown": shown, "spans": [(k, w, k == shown.span) for k, w in charts.SPANS.items()],
            "is_today": shown.day >= timezone.localdate(), "health": health,
        }  # fmt: skip


def limits_of(
    actor, path: str, person_id: int | None, product: str = ""
) -> dict[str, tuple[float | None, float | None]]:
    """Rule → limits that hold, the person's own before the region's."""
    found = {
        code: (rule.low, rule.high)
        for code, rule in (sheet(path, product).rules if product else rules_at(path)).items()
    }
    for limit in selectors.limits_of(actor, person_id)[0] if person_id else ():
        low, high = found.get(limit.rule, (None, None))
        found[limit.rule] = (
            (None, None)
            if limit.off
            else (low if limit.low is None else limit.low, high if limit.high is None else limit.high)
        )
    return found


def _slept(at, said: dict) -> dict:
    parts = [(k, said.get(f"sleep_{k}", 0)) for k in ("deep", "light", "rem", "awake")]
    whole, x, bars = sum(v for _k, v in parts) or 1, 0.0, []
    for key, minutes in parts:
        width = 600 * minutes / whole
        bars.append({"css": f"chart__s-{key}", "x": x, "width": width, "minutes": round(minutes)})
        x += width
    return {"at": at, "bars": bars, "hours": f"{(whole - parts[3][1]) / 60:.1f}", "score": said.get("sleep_score")}


class OfPerson(Measured):
    """What was measured of one person, alarms and, on demand, where the person was (R-090, R-091)."""

    url, name = "person/<int:pk>/", "person"

    def get_title(self) -> str:
        return gettext("Measurements of %(name)s") % {"name": self.person.name}

    def breadcrumbs(self):
        return [(self.person.name, reverse("casefile:devices", args=[self.person.pk]))]

    def check(self, request) -> None:
        super().check(request)
        self.person = people.get_person(self.actor, self.kwargs["pk"])
        self.whose = {"person_id": self.person.pk}

    def get_context(self) -> dict:
        held = selectors.agreed([self.person.pk]).get(self.person.pk, frozenset())
        health, position = selectors.HEALTH in held, selectors.POSITION in held
        made = self.drawn(self.person.path, self.person.pk, health)
        if health and made["panels"]:
            selectors.log_look(
                self.actor, self.person.pk, "signals", gettext("charts of %(day)s") % {"day": made["shown"].day}
            )
        return made | selectors.limit_lines(self.actor, self.person.pk) | {
            "person": self.person, "position": position, "may_place": position and self.actor.may("signals.position"),
            "alarms": list(selectors.alarms_of(self.actor, self.person.pk)[:20]),
        }  # fmt: skip


class Track(PlainPage):
    """Where the person was on one day; the look is logged (R-090)."""

    url, name, permission, template = "person/<int:pk>/track/", "track", "signals.position", "signals/track.html"

    def get_title(self) -> str:
        return gettext("Where %(name)s was") % {"name": self.person.name}

    def breadcrumbs(self):
        return [(self.person.name, reverse("signals:person", args=[self.person.pk]))]

    def check(self, request) -> None:
        super().check(request)
        self.person = people.get_person(self.actor, self.kwargs["pk"])

    def get_context(self) -> dict:
        pk = self.person.pk
        day = min(parse_date(self.request.GET.get("day", "")) or timezone.localdate(), timezone.localdate())
        shown, agreed = charts.window("day", day), selectors.POSITION in selectors.agreed([pk]).get(pk, ())
        rows = selectors.track(pk, shown.begins, shown.ends) if agreed else []
        if agreed:
            selectors.log_look(self.actor, pk, "position", gettext("places of %(day)s") % {"day": day})
        last = selectors.place_of(self.actor, pk)
        fences = selectors.limits_of(self.actor, pk)[1]
        data = map_data(
            line=[[lat, lon] for _at, lat, lon in rows],
            points=[{"lat": last.latitude, "lon": last.longitude, "words": timezone.localtime(last.at).strftime("%m-%d %H:%M"), "tone": "ok"}] if last else [],
            circles=[{"lat": f.latitude, "lon": f.longitude, "radius": f.radius, "words": f.name} for f in fences],
        )  # fmt: skip
        return {"person": self.person, "shown": shown, "agreed": agreed, "rows": rows[-200:], "last": last, "data": data, "count": len(rows),
                "is_today": day >= timezone.localdate()}  # fmt: skip


class OfDevice(Measured):
    """What one device measured, whoever has it now. Vital signs are shown with who has it, if that person agreed."""

    url, name = "device/<int:pk>/", "device"

    def get_title(self) -> str:
        return f"{self.device.get_kind_display()} {self.device.identity}"

    def breadcrumbs(self):
        return [(self.device.identity, reverse("devices:detail", args=[self.device.pk]))]

    def check(self, request) -> None:
        super().check(request)
        self.device = devices.get_device(self.actor, self.kwargs["pk"])
        self.whose = {"device_id": self.device.pk}

    def get_context(self) -> dict:
        wearer = devices.wearers([self.device.pk]).get(self.device.pk)
        person = wearer.person_id if wearer else None
        # a device shows its present wearer's values only: those of an earlier one are in that person's file
        health = person is None or selectors.HEALTH in wearer.consents
        if person:
            self.whose = {"person_id": person} if health else self.whose
        made = self.drawn(self.device.path, person, health, self.device.product)
        if person and health and made["panels"]:
            selectors.log_look(self.actor, person, "signals", gettext("charts of %(day)s") % {"day": made["shown"].day})
        last = selectors.last_of(self.actor, [self.device.pk]).get(self.device.pk)
        alarms = selectors.alarms_visible(self.actor).filter(device_id=self.device.pk).select_related("person")[:20]
        about = {"device": self.device, "last": last, "alarms": list(alarms), "person": None, "wearer": person}
        return made | about | (selectors.limit_lines(self.actor, person) if person else {})


# ---------------------------------------------------------------- map
class DeviceMap(PlainPage):
    """Devices with a known place: who is where, who is silent, who has an open alarm. Each look is logged (R-090)."""

    url, name, permission, title, template = "map/", "map", "signals.position", _("Map of devices"), "signals/map.html"

    def get_context(self) -> dict:
        path = self.request.GET.get("path", "")
        path = path if path.startswith(self.actor.path) else self.actor.path
        rows = selectors.lasts_visible(self.actor).filter(latitude__isnull=False, path__startswith=path)
        rows = list(rows.select_related("person", "device").order_by("-seen_at")[:MOST_PLACES])
        agreed = selectors.agreed({r.person_id for r in rows if r.person_id})
        rows = [r for r in rows if r.person_id is None or selectors.POSITION in agreed.get(r.person_id, ())]
        open_ = dict(
            selectors.alarms_visible(self.actor).filter(state=AlarmState.OPEN, device_id__in=[r.device_id for r in rows])
            .order_by("-level").values_list("device_id", "level")
        )  # fmt: skip
        region = regions.at_path(path)
        if rows and region:
            log_read(
                actor=self.actor,
                what="position",
                objects=[region],
                purpose=gettext("map of %(n)s devices") % {"n": len(rows)},
            )
        points = [self._point(r, open_.get(r.device_id)) for r in rows]
        counts = {tone: sum(p["tone"] == tone for p in points) for tone in ("bad", "warn", "mute", "ok")}
        areas = [
            (r.path, "\u3000" * max(0, r.level - 3) + r.name, r.path == path)
            for r in regions.below(self.actor.path).filter(level__gte=3)[:400]
        ]
        urgent = sorted((r for r in rows if r.device_id in open_), key=lambda r: open_[r.device_id])[:30]
        return {
            "data": map_data(points=points), "count": len(points), "counts": counts, "areas": areas, "most": MOST_PLACES,
            "urgent": [(r, open_[r.device_id]) for r in urgent],
        }  # fmt: skip

    def _point(self, row, level: int | None) -> dict:
        tone = "bad" if level == 1 else "warn" if level == 2 else "mute" if row.silent else "ok"
        name = row.person.name if row.person_id and row.person else row.device.identity
        url = (
            reverse("signals:person", args=[row.person_id])
            if row.person_id and row.person
            else reverse("signals:device", args=[row.device_id])
        )
        age = timezone.localtime(row.placed_at).strftime("%m-%d %H:%M")
        return {"lat": row.latitude, "lon": row.longitude, "words": f"{name} {age}", "tone": tone, "url": url}


def map_data(*, points=(), line=(), circles=(), view=None) -> dict:
    """Data of a map: own drawings always, tiles where the deployment has some (SANGYU_MAP_TILES). ``view``: where to look without drawings."""
    return {
        "points": list(points), "line": list(line), "circles": list(circles), "view": view, "tiles": settings.SANGYU_MAP_TILES,
        "source": settings.SANGYU_MAP_SOURCE,
    }  # fmt: skip
