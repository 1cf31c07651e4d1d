"""Acts on one device: receive, issue, exchange, take back, repair, lost and found, settings."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.registry.people.fields import ForPerson
from sangyu.ui.fields import ReasonForm
from sangyu.ui.pages import ActionPage, FormPage
from sangyu.ui.pages.base import Page

from . import forms, services
from .models import Command, Device
from .pages import LIST, holder

DETAIL = "devices:detail"


class Receive(FormPage):
    url, name, permission, title = "receive/", "receive", "devices.stock", _("Receive a device")
    form_class, parent, service, detail = forms.ReceiveForm, LIST, services.receive, DETAIL

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def get_initial(self) -> dict:
        return {"received_on": timezone.localdate(), "product": self.request.GET.get("product", "")}


class _Form(FormPage):
    """A form about one device."""

    model, parent, argument, detail = Device, LIST, "device_id", DETAIL

    def get_title(self) -> str:
        return f"{self.title}：{self.object}"

    def breadcrumbs(self) -> list:
        return [*super().breadcrumbs(), (str(self.object), reverse(DETAIL, args=[self.object.pk]))]


class Edit(_Form):
    url, name, permission, title = "<int:pk>/edit/", "edit", "devices.stock", _("Edit device")
    form_class, service = forms.EntryForm, services.change

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def get_initial(self) -> dict:
        return {f: getattr(self.object, f) for f in forms.EntryForm.base_fields}


class Issue(_Form):
    url, name, permission, title = "<int:pk>/issue/", "issue", "devices.issue", _("Issue to an elder")
    form_class, service, tab, success = forms.IssueForm, services.issue, "bindings", _("Issued.")
    submit_label = pgettext_lazy("device", "Issue")

    def form_kwargs(self) -> dict:
        return {"actor": self.actor, "device": self.object}

    def arguments(self, form) -> dict:
        return form.cleaned_data  # the form gathers the answers


class IssueTo(ForPerson):
    """From the elder's file: which device."""

    url, name, permission, title = "people/<int:pk>/issue/", "issue-to", "devices.issue", _("Issue a device")
    form_class, service = forms.IssueToForm, services.issue
    submit_label, success, back = pgettext_lazy("device", "Issue"), _("Issued."), "casefile:devices"

    def form_kwargs(self) -> dict:
        return {"actor": self.actor, "person_id": self.person.pk}


class Place(_Form):
    url, name, permission, title = "<int:pk>/place/", "place", "devices.issue", _("Put at a bed")
    form_class, service, tab, success = forms.PlaceForm, services.bind_place, "bindings", _("Bound.")

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}


class Exchange(_Form):
    url, name, permission, title = "<int:pk>/exchange/", "exchange", "devices.issue", _("Exchange")
    form_class, service, success, submit_label = forms.ExchangeForm, services.exchange, _("Exchanged."), _("Exchange")

    def form_kwargs(self) -> dict:
        return {"actor": self.actor, "device": self.object}

    def arguments(self, form) -> dict:
        return form.cleaned_data  # the form gathers the answers

    def success_url(self, result) -> str:
        return reverse(DETAIL, args=[result.device_id])


class Settings(_Form):
    url, name, permission, title = "<int:pk>/settings/", "settings", "devices.settings", _("Settings")
    form_class, service = forms.SettingForm, services.configure

    def form_kwargs(self) -> dict:
        return {"device": self.object}

    def arguments(self, form) -> dict:
        return form.cleaned_data  # the form gathers the numbers

    def get_initial(self) -> dict:
        found = getattr(self.object, "setting", None)
        if found is None:
            return {"commands": [c for c, _label in self.form_class(device=self.object).fields["commands"].choices]}
        numbers = dict(zip(("first", "second", "third"), found.sos_contacts, strict=False))
        every = [c for c, _label in self.form_class(device=self.object).fields["commands"].choices]
        names = ("interval", "quiet_from", "quiet_to", "local_clock")
        return {
            **numbers, **{n: getattr(found, n) for n in names}, "commands": every if found.commands is None else found.commands,
        }  # fmt: skip


class _Act(ActionPage):
    """An act on one device, in a dialog."""

    model, related, parent, argument, detail = Device, ("person", "facility"), LIST, "device_id", DETAIL
    leaves = True

    def get_title(self) -> str:
        who = holder(self.object)
        return f"{self.title}：{self.object}" + (f"（{who}）" if who else "")


class TakeBack(_Act):
    url, name, permission, title = (
        "<int:pk>/take-back/",
        "take-back",
        "devices.issue",
        pgettext_lazy("device", "Take back"),
    )
    form_class, service, success, submit_label = (
        forms.TakeBackForm,
        services.take_back,
        pgettext_lazy("device", "Taken back."),
        title,
    )


class Lost(_Act):
    url, name, permission, title = "<int:pk>/lost/", "lost", "devices.issue", _("Report lost")
    form_class, service, success, submit_label = ReasonForm, services.report_lost, _("Reported lost."), title


class Found(_Act):
    url, name, permission, title = "<int:pk>/found/", "found", "devices.issue", _("Report found")
    form_class, service, success, submit_label = forms.NoteForm, services.report_found, _("Reported found."), title


class Restock(_Act):
    url, name, permission, title = "<int:pk>/restock/", "restock", "devices.stock", _("Put into stock")
    form_class, service, success, submit_label = forms.NoteForm, services.restock, _("In stock again."), title


class Retire(_Act):
    url, name, permission, title = "<int:pk>/retire/", "retire", "devices.stock", pgettext_lazy("device", "Retire")
    form_class, service, success, submit_label, irreversible = ReasonForm, services.retire, _("Retired."), title, True

    def confirm_text(self) -> str:
        return gettext("%(number)s is used no more; its number stays taken.") % {"number": self.object}


class Allot(_Act):
    url, name, permission, title = "<int:pk>/allot/", "allot", "devices.stock", pgettext_lazy("device", "Allot")
    form_class, service, success, submit_label = forms.AllotForm, services.allot, _("Allotted."), title

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}


class Repair(_Act):
    url, name, permission, title = "<int:pk>/repair/", "repair", "devices.repair", _("Send to repair")
    form_class, service, success, submit_label = forms.RepairForm, services.send_to_repair, _("Sent to repair."), title


class RepairEnd(_Act):
    url, name, permission, title = "<int:pk>/repair-end/", "repair-end", "devices.repair", _("Back from repair")
    form_class, service, success, submit_label = (
        forms.RepairEndForm,
        services.repair_ended,
        _("Back from repair."),
        title,
    )


class GiveCommand(_Act):
    """The command waits until the device is heard; the tab shows what became of it."""

    url, name, permission, title = "<int:pk>/command/", "command", "devices.command", _("Send a command")
    form_class, success, submit_label, tab = forms.CommandForm, _("The command is on its way."), _("Send"), "commands"

    def form_kwargs(self) -> dict:
        return {"device": self.object}

    def act(self, form) -> str:
        services.command(
            actor=self.actor, device_id=self.object.pk, name=form.cleaned_data["name"], arguments=form.arguments,
            reason=form.cleaned_data["reason"],
        )  # fmt: skip
        return str(self.success)


class ListenIn(_Act):
    """Silent listening-in: refused in words unless the elder has agreed to it; each time is shown to the elder (R-090)."""

    url, name, permission, title = "<int:pk>/listen-in/", "listen-in", "devices.listen_in", _("Silent listening-in")
    form_class, service, tab, submit_label = forms.ListenForm, services.listen_in, "commands", _("Listen in")
    success, irreversible = _("The device calls you within five minutes, or not at all."), True

    def confirm_text(self) -> str:
        return gettext(
            "Nobody there hears that the device calls you. Only when somebody is in danger and does not answer."
        )


class CancelCommand(ActionPage):
    url, name, permission, title = (
        "commands/<int:pk>/cancel/",
        "cancel-command",
        "devices.command",
        _("Withdraw the command"),
    )
    model, parent, service, argument = Command, LIST, services.cancel_command, "command_id"
    success, submit_label = _("Withdrawn."), title

    def success_url(self) -> str:
        return f"{reverse(DETAIL, args=[self.object.device_id])}?tab=commands"


class RevealSim(Page):
    """POST answers the whole number and logs the look."""

    url, name, permission = "<int:pk>/reveal-sim/", "reveal-sim", "devices.reveal"
    field = "sim_phone"

    def post(self, request, pk):
        purpose = request.POST.get("purpose") or f"page {request.headers.get('Referer', '')[-100:]}"
        value = services.reveal(actor=self.actor, device_id=pk, field=self.field, purpose=purpose)
        return HttpResponse(value, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


class RevealCard(RevealSim):
    url, name, field = "<int:pk>/reveal-card/", "reveal-card", "iccid"


class RevealSecret(Page):
    """POST answers what is typed into the device at its set-up, and logs the look."""

    url, name, permission = "<int:pk>/reveal-secret/", "reveal-secret", "devices.reveal"

    def post(self, request, pk):
        purpose = request.POST.get("purpose") or f"page {request.headers.get('Referer', '')[-100:]}"
        value = services.reveal_secret(actor=self.actor, device_id=pk, purpose=purpose)
        return HttpResponse(value, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


class RenewSecret(_Act):
    url, name, permission, title = (
        "<int:pk>/renew-secret/",
        "renew-secret",
        "devices.settings",
        _("New password or key"),
    )
    service, success, submit_label, irreversible = (
        services.renew_secret,
        _("The old one is refused from now on."),
        title,
        True,
    )

    def confirm_text(self) -> str:
        return gettext("The device must be set up anew with it.")
