"""Screens: stations with their opening hours, channels of notice."""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.importing.importer import Importer
from sangyu.ui.pages import Area, Choice, ImportPage, Link, ListPage, Number, Text, YesNo

from .. import forms, hours, services
from ..enums import ChannelKind
from ..models import Channel, Station
from .cases import LIST
from .common import PlaceForm


def hours_in_words(station: Station) -> str:
    return hours.in_words((h.weekday, h.opens, h.closes) for h in station.hours.all()) or gettext(
        "as usual for its kind"
    )


class StationList(ListPage):
    url, name, permission, title = "stations/", "stations", "emergencies.stations", _("Stations for emergencies")
    model, related, unit, parent = Station, ("facility", "account"), _("stations"), LIST
    search, sort = ("facility__name",), "pk"
    columns = [
        Text("facility.name", _("Facility"), link="emergencies:station"),
        YesNo("takes_alarms", _("May be asked to go")),
        Text("hours", pgettext_lazy("station", "Opening hours"), value=hours_in_words),
        Text("telephone", _("Emergency telephone")),
        Text("account.name", _("Account that is alerted")),
        Text("note", _("Remark")),
    ]
    head = [
        Link(_("Set opening hours"), "emergencies:station-new", "plus", "emergencies.stations", "pri"),
        Link(_("Notice channels"), "emergencies:channels", "gear", "emergencies.stations"),
        Link(_("Import opening hours"), "emergencies:stations-import", "ul", "emergencies.stations"),
    ]
    empty_text = _("Without an entry, institutions are asked round the clock and stations in their kind's usual hours.")


class ImportStations(ImportPage):
    url, name, permission = "stations/import/", "stations-import", "emergencies.stations"
    title, importer, back_url = _("Import opening hours"), Importer("emergencies.stations"), "emergencies:stations"
    parent = ("emergencies:stations", _("Stations for emergencies"))
    help_text = _("One facility a row. An exported list can be changed and imported again.")


class NewStation(PlaceForm):
    url, name, permission, title = "stations/new/", "station-new", "emergencies.stations", _("Set opening hours")
    form_class, parent = forms.StationForm, ("emergencies:stations", _("Stations for emergencies"))

    def save(self, form):
        given = {k: v for k, v in form.cleaned_data.items() if k not in ("opens", "closes", "days", "other")}
        return services.save_station(actor=self.actor, hours=form.hours(), now=timezone.now(), **given)

    def success_url(self, result) -> str:
        return reverse("emergencies:stations")


class EditStation(NewStation):
    url, name, title, model = "stations/<int:pk>/", "station", _("Set opening hours"), Station

    def get_initial(self) -> dict:
        row = self.object
        found = [(h.weekday, h.opens, h.closes) for h in row.hours.all()]
        given = {
            "facility_id": row.facility_id, "takes_alarms": row.takes_alarms, "telephone": row.telephone, "account_id": row.account_id,
            "note": row.note,
        }  # fmt: skip
        if len({(opens, closes) for _day, opens, closes in found}) > 1:
            return given | {"other": hours.in_words(found)}
        days = [day for day, _opens, _closes in found]
        return given | {"days": days} | ({"opens": found[0][1], "closes": found[0][2]} if found else {})


class ChannelList(ListPage):
    url, name, permission, title = "channels/", "channels", "emergencies.stations", _("Notice channels")
    model, related, unit, parent = Channel, ("region",), _("channels"), LIST
    search, sort = ("name",), "rank"
    columns = [
        Text("name", pgettext_lazy("thing", "Name"), link="emergencies:channel"),
        Choice("kind", pgettext_lazy("channel", "Kind"), enum=ChannelKind),
        Area("region.full_name", _("Area")),
        Number("rank", _("Order")),
        YesNo("active", _("In use")),
    ]
    head = [Link(_("New channel"), "emergencies:channel-new", "plus", "emergencies.stations", "pri")]
    empty_text = _("Without a channel notices go by the house's own text messages.")


class NewChannel(PlaceForm):
    url, name, permission, title = "channels/new/", "channel-new", "emergencies.stations", _("New channel")
    form_class, parent = forms.ChannelForm, ("emergencies:channels", _("Notice channels"))

    def save(self, form):
        given = dict(form.cleaned_data)
        if self.object is not None:  # the address is not shown; empty keeps it
            given |= {"channel_id": self.object.pk, "url": given["url"] or None}
        return services.save_channel(actor=self.actor, now=timezone.now(), **given)

    def success_url(self, result) -> str:
        return reverse("emergencies:channels")


class EditChannel(NewChannel):
    url, name, title, model = "channels/<int:pk>/", "channel", _("Notice channel"), Channel

    def get_initial(self) -> dict:
        row = self.object
        return {"region_id": row.region_id, "name": row.name, "kind": row.kind, "rank": row.rank, "active": row.active}


PAGES = (StationList, ImportStations, NewStation, EditStation, ChannelList, NewChannel, EditChannel)
