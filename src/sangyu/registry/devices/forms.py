"""Forms of the devices room."""

from collections.abc import Iterable

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.actor import Actor
from sangyu.registry.facilities import selectors as facilities
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import Purpose
from sangyu.registry.people.fields import PersonField
from sangyu.registry.regions.fields import RegionField
from sangyu.ui.fields import YuanField
from sangyu.ui.pages import BulkForm

from . import selectors, store
from .enums import Answer, EndReason, Outcome, Payer
from .fields import StockField
from .models import Device

ASKED = (Purpose.LOCATION, Purpose.HEALTH_DATA)


class EntryForm(forms.Form):
    """What may be corrected of a device."""

    serial = forms.CharField(label=_("Label"), max_length=40, required=False)
    iccid = forms.CharField(label=_("SIM card number"), max_length=24, required=False)
    sim_phone = forms.CharField(label=_("SIM telephone number"), max_length=24, required=False)
    owner_id = forms.TypedChoiceField(label=_("Owner"), coerce=int, empty_value=None, required=False)
    service_fee = YuanField(label=_("Service fee a month (yuan)"), required=False)
    sim_fee = YuanField(label=_("SIM fee a month (yuan)"), required=False)
    payer = forms.ChoiceField(label=_("Who pays"), choices=Payer.choices)
    received_on = forms.DateField(label=_("Received on"))
    warranty_until = forms.DateField(label=_("Warranty until"), required=False)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner_id"].choices = [("", "—"), *organisations.choices(actor)]


class ReceiveForm(EntryForm):
    product = forms.ChoiceField(label=_("Product"))
    identity = forms.CharField(
        label=_("Device number"),
        max_length=64,
        help_text=_("As the device sends it: IMEI or part of it, or the device name."),
    )
    region_id = RegionField(
        label=_("Stock of"), required=False, help_text=_("Part of the name, or the code; empty = your area")
    )
    field_order = ["product", "identity", "serial", "region_id"]

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        self.fields["product"].choices = [(p.code, p.name) for p in selectors.products().values()]
        self.fields["region_id"].for_actor(actor)


class ConsentsForm(forms.Form):
    """The answers about position and health data: only those that are not known yet, and only what the product tells. ``asked``: what was
    asked for another device that this one replaces."""

    location = forms.ChoiceField(label=_("Position data: what does the elder say?"), required=False)
    health_data = forms.ChoiceField(label=_("Health data: what does the elder say?"), required=False)
    witness = forms.CharField(label=_("Witness of a spoken consent"), max_length=50, required=False)

    def ask(
        self, actor: Actor, *, product: str = "", person_id: int | None = None, asked: Iterable[Purpose] = ()
    ) -> None:
        told = store.purposes_of(selectors.product(product)) if product else list(ASKED)
        known = [p for p in told if p not in asked]
        held = selectors.consents_of([person_id]).get(person_id, frozenset()) if person_id else frozenset()
        answers = [c for c in Answer.choices if c[0] == Answer.REFUSED or actor.may("people.consent")]
        for purpose in ASKED:
            if purpose not in known or purpose in held:
                del self.fields[purpose.value]
            else:
                self.fields[purpose.value].choices = [("", "—"), *answers]
        if not any(p.value in self.fields for p in ASKED):
            del self.fields["witness"]

    def clean(self) -> dict:
        cleaned = super().clean()
        cleaned["answers"] = {p.value: v for p in ASKED if (v := cleaned.pop(p.value, ""))}
        return cleaned


class IssueForm(ConsentsForm):
    """From the device: to whom."""

    person_id = PersonField(label=_("Elder"), help_text=_("ID number, telephone or name"))
    deposit = YuanField(label=_("Deposit (yuan)"), required=False)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)
    field_order = ["person_id"]

    def __init__(self, *args, actor: Actor, device: Device, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person_id"].actor = actor
        self.ask(actor, product=device.product)


class IssueToForm(ConsentsForm):
    """From the elder: which device."""

    device_id = StockField()
    deposit = YuanField(label=_("Deposit (yuan)"), required=False)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)
    field_order = ["device_id"]

    def __init__(self, *args, actor: Actor, person_id: int, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["device_id"].for_actor(actor)
        self.ask(actor, person_id=person_id)


class PlaceForm(forms.Form):
    facility_id = forms.TypedChoiceField(label=_("Facility"), coerce=int)
    room = forms.CharField(label=pgettext_lazy("facility", "Room"), max_length=20, required=False)
    bed = forms.CharField(
        label=_("Bed"),
        max_length=20,
        required=False,
        help_text=_("As in the list of residents: so the signals find the resident."),
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        rows = facilities.facilities_visible(actor).filter(path__startswith=actor.path).order_by("name")
        self.fields["facility_id"].choices = [(f.pk, f.name) for f in rows[:1000]]


class TakeBackForm(forms.Form):
    reason = forms.ChoiceField(label=pgettext_lazy("device", "Why it ended"), choices=EndReason.choices)
    note = forms.CharField(label=_("Condition, accessories"), max_length=200, required=False)


class ExchangeForm(ConsentsForm):
    new_device_id = StockField(label=_("New device"))
    reason = forms.ChoiceField(
        label=_("Why"), choices=[c for c in EndReason.choices if c[0] in ("exchanged", "defect", "lost")]
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False)
    field_order = ["new_device_id", "reason"]

    def __init__(self, *args, actor: Actor, device: Device, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_device_id"].for_actor(actor, device.kind)
        done = store.purposes_of(selectors.product(device.product)) if device.person_id else ASKED
        self.ask(actor, person_id=device.person_id, asked=done)


class RepairForm(forms.Form):
    vendor = forms.CharField(label=_("Workshop"), max_length=100)
    fault = forms.CharField(label=_("Fault"), max_length=300, widget=forms.Textarea({"rows": 2}))
    on = forms.DateField(label=_("Sent on"), initial=timezone.localdate)


class RepairEndForm(forms.Form):
    outcome = forms.ChoiceField(label=_("Outcome"), choices=Outcome.choices)
    on = forms.DateField(label=_("Back on"), initial=timezone.localdate)
    cost = YuanField(label=_("Cost (yuan)"), required=False)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class NoteForm(forms.Form):
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class PaidForm(forms.Form):
    paid_on = forms.DateField(label=_("Paid on"), initial=timezone.localdate)
    reference = forms.CharField(label=_("Voucher or invoice number"), max_length=60, required=False)


class PaidBulkForm(PaidForm, BulkForm):
    """The same for many fees at once."""


class DayForm(forms.Form):
    on = forms.DateField(label=_("Paid back on"), initial=timezone.localdate)


class MonthForm(forms.Form):
    month = forms.DateField(label=_("Month"), help_text=_("Any day of the month"), initial=timezone.localdate)


class AllotForm(forms.Form):
    region_id = RegionField(label=_("To the stock of"))

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region_id"].for_actor(actor)


class AllotBulkForm(BulkForm):
    region_id = RegionField(label=_("To the stock of"))

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        self.fields["region_id"].for_actor(actor)


class ReasonBulkForm(BulkForm):
    reason = forms.CharField(label=_("Reason"), max_length=300)


class SettingForm(forms.Form):
    """SOS numbers are contacts of the wearer; the product says which commands there are."""

    first = forms.TypedChoiceField(label=_("SOS number 1"), coerce=int, empty_value=None, required=False)
    second = forms.TypedChoiceField(label=_("SOS number 2"), coerce=int, empty_value=None, required=False)
    third = forms.TypedChoiceField(label=_("SOS number 3"), coerce=int, empty_value=None, required=False)
    interval = forms.IntegerField(
        label=_("Reports every … seconds"),
        required=False,
        min_value=60,
        max_value=65_535,
        help_text=_("Empty = as the product says"),
    )
    quiet_from = forms.TimeField(label=_("Quiet from"), required=False)
    quiet_to = forms.TimeField(label=_("Quiet until"), required=False)
    commands = forms.MultipleChoiceField(
        label=_("Commands allowed"), required=False, widget=forms.CheckboxSelectMultiple
    )
    local_clock = forms.BooleanField(label=_("The device writes local time"), required=False)

    def __init__(self, *args, device: Device, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        contacts = people.contacts(device.person) if device.person_id else []
        offered = [
            ("", "—"),
            *((c.pk, f"{c.name}（{c.get_relation_display()}）{c.phone_masked}") for c in contacts if c.phone),
        ]
        for name in ("first", "second", "third"):
            self.fields[name].choices = offered
        known = selectors.product(device.product)
        self.fields["commands"].choices = [(c, selectors.command_label(c)) for c in (known.commands if known else ())]

    def clean(self) -> dict:
        cleaned = super().clean()
        cleaned["sos_contacts"] = [v for name in ("first", "second", "third") if (v := cleaned.pop(name, None))]
        if set(cleaned.get("commands") or []) == {code for code, _label in self.fields["commands"].choices}:
            cleaned["commands"] = None
        return cleaned


class CommandForm(forms.Form):
    """One of the device's commands with its value; the fields that it does not have are left out of what is sent."""

    NEEDS = {
        "report_interval": "seconds", "call": "number", "show_message": "text", "reminder": "at", "locate_now": "",
        "measure_heart_rate": "", "ring": "", "restart": "", "sos_numbers": "", "set_time_zone": "",
    }  # fmt: skip

    name = forms.ChoiceField(label=_("Command"))
    text = forms.CharField(label=_("Message"), required=False, max_length=200, help_text=_("For a message"))
    number = forms.CharField(
        label=_("Number that it calls"), required=False, max_length=21, help_text=_("For “Calls out”")
    )
    at = forms.TimeField(label=_("Time of the reminder"), required=False, help_text=_("For a daily reminder"))
    seconds = forms.IntegerField(
        label=_("Seconds"), required=False, min_value=60, max_value=65_535, help_text=_("For the reporting interval")
    )
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=300,
        help_text=_("Needed to locate somebody who has not agreed to it; it is kept"),
    )  # fmt: skip

    def __init__(self, *args, device: Device, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        offered = [c for c in selectors.commands_of(device) if c in self.NEEDS]
        self.fields["name"].choices = [(c, selectors.command_label(c)) for c in offered]
        self.fields["name"].widget.choices = self.fields["name"].choices
        needed = {self.NEEDS[c] for c in offered}
        for field in ("text", "number", "at", "seconds"):
            if field not in needed:
                del self.fields[field]

    def clean(self) -> dict:
        cleaned = super().clean()
        field = self.NEEDS.get(cleaned.get("name", ""), "")
        if field and not cleaned.get(field) and field not in self.errors:
            self.add_error(field, _("This command needs it."))
        return cleaned

    @property
    def arguments(self) -> dict:
        field = self.NEEDS[self.cleaned_data["name"]]
        if field == "at":
            return {"at": f"{self.cleaned_data['at']:%H:%M}", "days": list(range(7))}
        return {field: self.cleaned_data[field]} if field else {}


class ListenForm(forms.Form):
    """Whom the device calls without being heard, and why."""

    number = forms.CharField(label=_("Number that it calls"), max_length=21, help_text=_("Your own line at the desk"))
    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("It is kept, and shown to the elder and the family."),
    )  # fmt: skip
