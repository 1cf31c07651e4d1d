"""Screens: the register of devices, one device, the two imports. Acts and fees are in files of their own."""

import django_filters
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.importing.importer import Importer
from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.regions import selectors as regions
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    Area,
    Bulk,
    Choice,
    Custom,
    Day,
    DetailPage,
    ImportPage,
    Link,
    ListPage,
    Masked,
    Moment,
    Money,
    Number,
    Status,
    Text,
    rows_tab,
)

from . import credentials, forms, selectors, services
from .enums import CommandState, EndReason, Kind, Outcome, Payer, State
from .models import Command, Device

NAV = [Nav(_("Devices"), "watch", "devices:list", "devices.view", Group.REGISTERS, 57, audiences=("staff", "provider"))]
LIST = ("devices:list", _("Devices"))


class DeviceFilters(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(label=pgettext_lazy("device", "Kind"), choices=Kind.choices)
    state = django_filters.ChoiceFilter(label=pgettext_lazy("device", "State"), choices=State.choices)
    attention = django_filters.ChoiceFilter(
        label=_("Needs a look"),
        method="by_attention",
        choices=[
            ("silent", _("Silent")), ("battery", _("Battery low")), ("dead", _("Wearer has died")),
            ("warranty", _("Warranty ended")),
        ],
    )  # fmt: skip
    product = django_filters.ChoiceFilter(label=_("Product"))
    path = django_filters.ChoiceFilter(label=_("Area"), method="by_path")

    class Meta:
        model = Device
        fields: list[str] = []

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.filters["product"].extra["choices"] = [(p.code, p.name) for p in selectors.products().values()]
        below = regions.below(self.request.actor.path).filter(level__gte=3)[:400]
        self.filters["path"].extra["choices"] = [(r.path, "\u3000" * max(0, r.level - 3) + r.name) for r in below]

    def by_attention(self, rows, name, value):
        return selectors.needing(rows, value, timezone.now())

    def by_path(self, rows, name, value):
        return rows.filter(path__startswith=value)


def _find(rows, text: str):
    return rows.filter(Q(identity__startswith=text) | Q(serial__startswith=text) | Q(person__name__startswith=text))


_find.do_not_call_in_templates = True


def product_name(device: Device) -> str:
    found = selectors.product(device.product)
    return found.name if found else device.product


def holder(device: Device) -> str:
    """Who or what has it, in words."""
    if device.person_id:
        return device.person.name if device.person else gettext("an elder")  # its owner does not see who
    return device.facility.name if device.facility_id else ""


def holder_url(device: Device) -> str:
    if device.person_id:
        return reverse("casefile:devices", args=[device.person_id]) if device.person else ""
    return reverse("facilities:detail", args=[device.facility_id]) if device.facility_id else ""


def area(device: Device) -> str:
    """Where it is: the wearer's community, the facility's, or the stock's."""
    if device.person_id:
        return device.person.region.full_name if device.person else ""
    return (device.facility if device.facility_id else device).region.full_name


#: Everything a row of the list shows; sealed numbers are read where they are shown only.
RELATED = ("region", "person__region", "facility__region", "owner")


class DeviceList(ListPage):
    url, name, permission, title = "", "list", "devices.view", _("Devices")
    model, related, unit, personal = Device, RELATED, _("devices"), "devices.list"
    filters, search, sort = DeviceFilters, staticmethod(_find), "identity"
    search_label = _("Number, label or wearer")
    columns = [
        Text("identity", _("Device number"), link="devices:detail", sort=True),
        Choice("kind", pgettext_lazy("device", "Kind"), enum=Kind),
        Text("product", _("Product"), value=product_name),
        Status("state", pgettext_lazy("device", "State"), enum=State, sort=True),
        Text("holder", _("Who has it"), value=holder, link=holder_url),
        Area("area", _("Area"), value=area),
        Moment("last_seen_at", _("Last heard")),
        Number("battery", _("Battery %")),
        Text("serial", _("Label"), hidden=True),
        Text("owner.name", _("Owner"), hidden=True),
        Text("region.full_name", _("Stock of"), hidden=True),
        Money("service_fee", _("Service fee a month"), hidden=True),
        Money("sim_fee", _("SIM fee a month"), hidden=True),
        Choice("payer", _("Who pays"), enum=Payer, hidden=True),
        Day("received_on", _("Received on"), sort=True, hidden=True),
        Day("warranty_until", _("Warranty until"), hidden=True),
        Masked(
            "sim_masked", _("SIM telephone number"), reveal="devices:reveal-sim", reveal_permission="devices.reveal",
            full=lambda d: d.sim_phone, hidden=True,
        ),
    ]  # fmt: skip
    head = [
        Link(_("Receive a device"), "devices:receive", "plus", "devices.stock", "pri"),
        Link(_("Import devices"), "devices:import", "ul", "devices.stock"),
        Link(_("Import bindings"), "devices:import-bindings", "ul", "devices.issue"),
        Link(_("Fees"), "devices:fees", "wallet", "devices.fees"),
        Link(_("Deposits"), "devices:deposits", "wallet", "devices.fees"),
    ]
    presets = [
        (_("Unbound"), "state=stock"), (_("Silent"), "attention=silent"), (_("Battery low"), "attention=battery"),
        (_("In repair"), "state=repair"), (_("To be fetched"), "attention=dead"), (_("To be checked"), "state=returned"),
        (_("Lost"), "state=lost"),
    ]  # fmt: skip
    bulk = [
        Bulk(
            "allot", _("Allot to an area"), "devices.stock", form=forms.AllotBulkForm,
            each=lambda actor, row, region_id: services.allot(actor=actor, device_id=row.pk, region_id=region_id) and None,
            confirm=_("Allot {count} devices?"),
        ),
        Bulk(
            "restock", _("Put into stock"), "devices.stock",
            each=lambda actor, row: services.restock(actor=actor, device_id=row.pk) and None,
            confirm=_("Put {count} checked devices into stock?"),
        ),
        Bulk(
            "retire", pgettext_lazy("device", "Retire"), "devices.stock", form=forms.ReasonBulkForm,
            each=lambda actor, row, reason: services.retire(actor=actor, device_id=row.pk, reason=reason) and None,
            confirm=_("Retire {count} devices for good?"),
        ),
    ]  # fmt: skip
    empty_text = _("Receive the first device, or import a list.")


class StockUpload(ImportPage):
    url, name, permission, title = "import/", "import", "devices.stock", _("Import devices")
    parent, back_url, importer = LIST, "devices:list", Importer("devices.stock")
    help_text = _("One device a row: product and number; SIM card, fees and warranty as you have them.")


class BindingUpload(ImportPage):
    url, name, permission, title = "import-bindings/", "import-bindings", "devices.issue", _("Import bindings")
    parent, back_url, importer = LIST, "devices:list", Importer("devices.bindings")
    help_text = _("One binding a row: the elder's ID number and the number of a device in stock.")


def _in(*states: State):
    return lambda device: device.state in states


def _stays(device: Device) -> bool:
    return device.state == State.STOCK and Kind(device.kind).placed


def _spoken_to(device: Device) -> bool:
    return device.state != State.RETIRED and bool(selectors.commands_of(device))


def _has_secret(device: Device) -> bool:
    return credentials.has_secret(device.protocol) and device.state != State.RETIRED


def _worn(device: Device) -> bool:
    return device.held


def _whose(binding) -> str:
    if binding.person_id:
        return binding.person.name
    return f"{binding.facility.name} {binding.place}".strip()


def _whose_url(binding) -> str:
    if binding.person_id:
        return reverse("casefile:devices", args=[binding.person_id])
    return reverse("facilities:detail", args=[binding.facility_id])


def _setting(device: Device):
    return getattr(device, "setting", None)


def _numbers(device: Device) -> str:
    found = selectors.sos_numbers(device)
    return "、".join(f"{c.name} {c.phone_masked}" for c in found)


def _quiet(device: Device) -> str:
    s = _setting(device)
    return f"{s.quiet_from:%H:%M}–{s.quiet_to:%H:%M}" if s and s.quiet_from else ""


def _commands(device: Device) -> str:
    s, known = _setting(device), selectors.product(device.product)
    allowed = s.commands if s and s.commands is not None else (known.commands if known else ())
    return "、".join(selectors.command_label(c) for c in allowed)


def _interval(device: Device) -> str:
    s, known = _setting(device), selectors.product(device.product)
    if s and s.interval:
        return gettext("%(n)s seconds") % {"n": s.interval}
    return gettext("as the product: %(n)s minutes") % {"n": known.supervision_minutes} if known else ""


def _given_by(command: Command) -> str:
    """Who gave it; of listening in also in which role."""
    return f"{command.given_by}（{accounts.role_label(command.role)}）" if command.role else command.given_by


class DeviceDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "devices.view"
    model, related, parent = Device, (*RELATED, "setting"), LIST
    facts = [
        Status("state", pgettext_lazy("device", "State"), enum=State),
        Choice("kind", pgettext_lazy("device", "Kind"), enum=Kind),
        Text("holder", _("Who has it"), value=holder, link=holder_url),
        Moment("last_seen_at", _("Last heard")),
        Number("battery", _("Battery %")),
    ]
    summary = [
        (
            _("Device"),
            [
                Text("product", _("Product"), value=product_name), Text("identity", _("Device number")),
                Text("protocol", _("Protocol")), Text("serial", _("Label")), Text("owner.name", _("Owner")),
                Text("area", _("Area"), value=area), Text("region.full_name", _("Stock of")), Text("note", _("Note")),
            ],
        ),
        (
            _("SIM and fees"),
            [
                Masked(
                    "iccid_masked", _("SIM card number"), reveal="devices:reveal-card", reveal_permission="devices.reveal"
                ),
                Masked(
                    "sim_masked", _("SIM telephone number"), reveal="devices:reveal-sim", reveal_permission="devices.reveal"
                ),
                Money("service_fee", _("Service fee a month")), Money("sim_fee", _("SIM fee a month")),
                Choice("payer", _("Who pays"), enum=Payer), Day("received_on", _("Received on")),
                Day("warranty_until", _("Warranty until")),
            ],
        ),
        (
            _("What the gateway reads"),
            [
                Text("sos", _("SOS numbers"), value=_numbers), Text("interval", _("Reports every"), value=_interval),
                Masked("secret_masked", _("Password or key"), reveal="devices:reveal-secret", reveal_permission="devices.reveal"),
                Text("quiet", _("Quiet hours"), value=_quiet), Text("commands", _("Commands allowed"), value=_commands),
            ],
        ),
    ]  # fmt: skip
    tabs = [
        rows_tab(
            "bindings", _("Bindings"),
            [
                Text("whose", _("Who had it"), value=_whose, link=_whose_url), Moment("issued_at", _("Issued at")),
                Text("issued_by", pgettext_lazy("device", "Issued by")), Moment("returned_at", _("Returned at")),
                Text("returned_by", _("Taken back by")), Choice("end_reason", pgettext_lazy("device", "Why it ended"), enum=EndReason),
                Money("deposit", _("Deposit")), Day("deposit_back_on", _("Paid back on")), Text("note", _("Note")),
            ],
            lambda page: selectors.bindings_of(page.actor, page.object.pk),
        ),
        rows_tab(
            "commands", _("Commands"),
            [
                Text("name", _("Command"), value=lambda c: selectors.command_label(c.name)), Moment("given_at", _("Given at")),
                Text("by", pgettext_lazy("command", "Given by"), value=_given_by), Status("state", pgettext_lazy("command", "State"), enum=CommandState),
                Moment("sent_at", _("Sent at")), Moment("ended_at", _("Ended at")), Number("tries", _("Tries")),
                Text("reason", _("Reason")), Text("note", _("Note")),
            ],
            lambda page: selectors.commands_visible(page.actor, page.object.pk)[:100],
            row_actions=[
                Link(_("Withdraw"), "devices:cancel-command", permission="devices.command", kind="text", method="dialog", when=lambda c: c.state == CommandState.QUEUED)
            ],
        ),
        rows_tab(
            "repairs", _("Repairs"),
            [
                Day("sent_on", _("Sent on")), Text("vendor", _("Workshop")), Text("fault", _("Fault")),
                Day("back_on", _("Back on")), Choice("outcome", _("Outcome"), enum=Outcome), Money("cost", _("Cost")),
                Text("keeper.name", _("Who asks after it")), Text("note", _("Note")),
            ],
            lambda page: page.object.repairs.select_related("keeper"),
        ),
        rows_tab(
            "fees", _("Fees"),
            [
                Custom("month", _("Month"), draw=lambda f: f"{f.month:%Y-%m}"), Text("kind", _("Kind of fee"), value=lambda f: f.get_kind_display()),
                Money("amount", _("Amount")), Choice("payer", _("Who pays"), enum=Payer), Day("paid_on", _("Paid on")),
                Text("reference", _("Voucher or invoice number")),
            ],
            lambda page: page.object.fees.all(),
            row_actions=[
                Link(pgettext_lazy("fee", "Paid"), "devices:paid", permission="devices.fees", kind="text", method="dialog", when=lambda f: f.paid_on is None)
            ],
        ),
        rows_tab(
            "trail", _("Trail"),
            [
                Moment("at", _("When")), Text("action", _("What"), value=lambda e: selectors.action_label(e.action)),
                Text("target", pgettext_lazy("device", "Then"), value=lambda e: State(e.target).label), Text("actor", _("Who")), Text("reason", _("Why")),
            ],
            lambda page: page.object.log.order_by("-id"),
        ),
    ]  # fmt: skip
    actions = [
        Link(_("Issue to an elder"), "devices:issue", "user", "devices.issue", "pri", when=_in(State.STOCK)),
        Link(_("Put at a bed"), "devices:place", "home", "devices.issue", when=_stays),
        Link(_("Exchange"), "devices:exchange", "swap", "devices.issue", when=_worn),
        Link(pgettext_lazy("device", "Take back"), "devices:take-back", "undo", "devices.issue", method="dialog", when=_in(State.ISSUED, State.LOST)),
        Link(_("Put into stock"), "devices:restock", "check", "devices.stock", method="dialog", when=_in(State.RETURNED)),
        Link(_("Send to repair"), "devices:repair", "gear", "devices.repair", method="dialog", when=_in(State.STOCK, State.ISSUED, State.RETURNED)),
        Link(_("Back from repair"), "devices:repair-end", "gear", "devices.repair", method="dialog", when=_in(State.REPAIR)),
        Link(_("Report found"), "devices:found", "search", "devices.issue", method="dialog", when=_in(State.LOST)),
        Link(_("Report lost"), "devices:lost", "off", "devices.issue", method="dialog", when=_in(State.STOCK, State.ISSUED, State.RETURNED, State.REPAIR)),
        Link(_("Send a command"), "devices:command", "out", "devices.command", method="dialog", when=_spoken_to),
        Link(_("Silent listening-in"), "devices:listen-in", "phone", "devices.listen_in", "badline", "dialog", when=selectors.can_listen),
        Link(_("Measurements"), "signals:device", "chart", "signals.view"),
        Link(_("Settings"), "devices:settings", "gear", "devices.settings", when=_worn),
        Link(_("New password or key"), "devices:renew-secret", "key", "devices.settings", method="dialog", when=_has_secret),
        Link(pgettext_lazy("device", "Allot"), "devices:allot", "xfer", "devices.stock", method="dialog", when=_in(State.STOCK, State.RETURNED)),
        Link(_("Edit"), "devices:edit", "edit", "devices.stock"),
        Link(pgettext_lazy("device", "Retire"), "devices:retire", permission="devices.stock", kind="badline", method="dialog",
             when=_in(State.STOCK, State.RETURNED, State.REPAIR, State.LOST)),
    ]  # fmt: skip

    def get_title(self) -> str:
        return f"{self.object.get_kind_display()} {self.object.identity}"

    def history_of(self) -> tuple:
        bindings = tuple(selectors.bindings_of(self.actor, self.object.pk)[:50])
        return (*bindings, *((_setting(self.object),) if _setting(self.object) else ()))
