"""What can be done to an order from its page: each act asks for what it needs and calls one service."""

from uuid import uuid4

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from sangyu.registry.workforce import selectors as workforce
from sangyu.ui.format import money
from sangyu.ui.pages import ActionPage

from .. import services
from ..models import Order


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class OrderAct(ActionPage):
    """Base: one order, back to its page."""

    model = Order
    leaves = True
    form_class = ReasonForm
    argument, detail = "order_id", "orders:order"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [
            (_("Orders"), reverse("orders:list")),
            (self.object.number, reverse("orders:order", args=[self.object.pk])),
        ]


class Receive(OrderAct):
    url, name, permission, title = "<int:pk>/receive/", "receive", "orders.receive", gettext_lazy("Receive")
    form_class = forms.Form
    service, success = services.receive, gettext_lazy("Priced. Choose who goes.")


class OfferForm(forms.Form):
    organisation_id = forms.IntegerField(widget=forms.HiddenInput)
    worker_id = forms.IntegerField(widget=forms.HiddenInput, required=False)
    second_worker_id = forms.IntegerField(widget=forms.HiddenInput, required=False)
    override_reason = forms.CharField(
        required=False, max_length=300, label=gettext_lazy("Reason for going against the ranking")
    )


class MakeOffer(OrderAct):
    url, name, permission, title = "<int:pk>/offer/", "offer", "orders.dispatch", gettext_lazy("Dispatch")
    form_class = OfferForm

    def get_initial(self):
        return {k: v for k, v in self.request.GET.items() if k in OfferForm.base_fields}

    def act(self, form):
        order = services.offer(actor=self.actor, order_id=self.object.pk, **form.cleaned_data)
        names = workforce.names([order.worker_id]) if order.worker_id else {}
        return _("Offered to %(name)s.") % {"name": names.get(order.worker_id, _("the provider"))}


class Withdraw(OrderAct):
    url, name, permission, title = (
        "<int:pk>/withdraw/",
        "withdraw",
        "orders.dispatch",
        gettext_lazy("Withdraw the offer"),
    )
    service, success = services.withdraw, gettext_lazy("Withdrawn. The order waits for dispatch again.")


class RescheduleForm(ReasonForm):
    planned_start = forms.DateTimeField(
        label=gettext_lazy("New time"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": 900}, format="%Y-%m-%dT%H:%M"),
    )
    field_order = ["planned_start", "reason"]


class Reschedule(OrderAct):
    url, name, permission, title = (
        "<int:pk>/reschedule/",
        "reschedule",
        "orders.receive",
        gettext_lazy("Change the time"),
    )
    form_class = RescheduleForm
    service, success = services.reschedule, gettext_lazy("The time is changed. The order waits for dispatch.")

    def get_initial(self):
        return {"planned_start": timezone.localtime(self.object.planned_start)}


class CancelForm(ReasonForm):
    waive_fee = forms.BooleanField(label=gettext_lazy("Waive the cancellation fee"), required=False)


class Cancel(OrderAct):
    url, name, permission, title = "<int:pk>/cancel/", "cancel", "orders.cancel", gettext_lazy("Cancel order")
    irreversible = True
    form_class = CancelForm
    submit_label = gettext_lazy("Cancel order")

    def confirm_text(self):
        return _("%(number)s, %(item)s for %(name)s will not take place. Held vouchers go back: %(amount)s.") % {
            "number": self.object.number,
            "item": self.object.item_name,
            "name": self.object.person_name,
            "amount": money(self.object.voucher_amount),
        }

    def act(self, form):
        order = services.cancel(actor=self.actor, order_id=self.object.pk, **form.cleaned_data)
        return _("Cancelled. Fee: %(fee)s.") % {"fee": money(order.fee)}


class WorkerForm(forms.Form):
    worker_id = forms.TypedChoiceField(label=gettext_lazy("Worker"), coerce=int)
    second_worker_id = forms.TypedChoiceField(
        label=gettext_lazy("Second worker"), coerce=int, required=False, empty_value=None
    )

    def __init__(self, *args, order: Order, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        found = workforce.candidates([order.organisation_id], order.item_id, order.planned_start, order.planned_end)
        able = [(c.worker_id, c.name) for c in found if c.able]
        self.fields["worker_id"].choices = able
        self.fields["second_worker_id"].choices = [("", "—"), *able]


class AcceptForm(WorkerForm):
    risk_check = forms.CharField(
        label=gettext_lazy("Risk check"),
        help_text=gettext_lazy("Only when one worker goes for a service of two: result of the check."),
        required=False,
        max_length=300,
    )


class WithWorkers(OrderAct):
    """An act that names workers of the order's provider."""

    form_class = WorkerForm

    def form_kwargs(self):
        return {"order": self.object}

    def get_initial(self):
        return {"worker_id": self.object.worker_id, "second_worker_id": self.object.second_worker_id}


class Accept(WithWorkers):
    url, name, permission, title = "<int:pk>/accept/", "accept", "orders.answer", gettext_lazy("Accept order")
    form_class = AcceptForm
    submit_label = gettext_lazy("Accept")
    service, success = services.accept, gettext_lazy("Accepted.")


class Decline(OrderAct):
    url, name, permission, title = "<int:pk>/decline/", "decline", "orders.answer", gettext_lazy("Decline")
    service, success = services.decline, gettext_lazy("Declined.")

    def success_url(self):
        return reverse("orders:list")  # the order has left the provider's sight


class HandBack(Decline):
    url, name, title = "<int:pk>/hand-back/", "hand_back", gettext_lazy("Hand back")
    service, success = services.hand_back, gettext_lazy("Handed back. The dispatcher sends somebody else.")


class SubstituteForm(WorkerForm):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300)


class Substitute(WithWorkers):
    url, name, permission, title = (
        "<int:pk>/substitute/",
        "substitute",
        "orders.answer",
        gettext_lazy("Send a substitute"),
    )
    form_class = SubstituteForm
    service, success = services.substitute, gettext_lazy("The substitute goes.")


class PaperForm(forms.Form):
    paper_number = forms.CharField(label=gettext_lazy("Number of the paper form"), max_length=40)
    arrived_at = forms.DateTimeField(
        label=gettext_lazy("Arrived"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    finished_at = forms.DateTimeField(
        label=gettext_lazy("Finished"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    items = forms.CharField(
        label=gettext_lazy("What was done"),
        help_text=gettext_lazy("One item a line."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_items(self):
        return [line.strip() for line in self.cleaned_data["items"].splitlines() if line.strip()]


class PaperVisit(OrderAct):
    url, name, permission, title = "<int:pk>/paper/", "paper", "orders.record_visit", gettext_lazy("Enter paper form")
    form_class = PaperForm
    service, success = services.record_paper_visit, gettext_lazy("The visit is entered and waits for confirmation.")


class ConfirmForm(forms.Form):
    on_behalf_of = forms.CharField(
        label=gettext_lazy("Who confirmed"),
        max_length=60,
        help_text=gettext_lazy("Name, and how: by telephone, in person."),
    )
    rating = forms.TypedChoiceField(
        label=gettext_lazy("Rating"), coerce=int, choices=[(n, "★" * n) for n in (5, 4, 3, 2, 1)]
    )
    comment = forms.CharField(
        label=gettext_lazy("Comment"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


class ConfirmFor(OrderAct):
    url, name, permission, title = (
        "<int:pk>/confirm/",
        "confirm_for",
        "orders.confirm_for",
        gettext_lazy("Confirm for the elder"),
    )
    form_class = ConfirmForm
    service, success = services.confirm, gettext_lazy("Confirmed.")

    def confirm_text(self):
        return _("Vouchers of %(voucher)s are spent; %(self)s is left for the elder.") % {
            "voucher": money(self.object.voucher_amount),
            "self": money(self.object.self_pay),
        }


class Dispute(OrderAct):
    url, name, permission, title = "<int:pk>/dispute/", "dispute", "orders.dispute", gettext_lazy("Dispute")
    service = services.dispute
    success = gettext_lazy("The visit is disputed and will not be settled until it is decided.")


class ResolveForm(ReasonForm):
    upheld = forms.TypedChoiceField(
        label=pgettext_lazy("order", "Decision"),
        coerce=lambda v: v == "yes",
        choices=[
            ("yes", gettext_lazy("Upheld: the visit is not paid")),
            ("no", gettext_lazy("Rejected: the visit counts")),
        ],
        widget=forms.RadioSelect,
    )
    field_order = ["upheld", "reason"]


class Resolve(OrderAct):
    url, name, permission, title = "<int:pk>/resolve/", "resolve", "orders.resolve", gettext_lazy("Decide the dispute")
    form_class = ResolveForm
    service, success = services.resolve, gettext_lazy("Decided.")


class Yuan(forms.DecimalField):
    """Money typed in yuan, handed on in fen."""

    def __init__(self, **kwargs) -> None:
        super().__init__(max_digits=10, decimal_places=2, min_value=0, required=False, initial=0, **kwargs)

    def clean(self, value) -> int:
        return int((super().clean(value) or 0) * 100)


class RefundForm(ReasonForm):
    voucher_amount = Yuan(label=gettext_lazy("Back to vouchers (yuan)"))
    public_pay = Yuan(label=gettext_lazy("Back to public funds (yuan)"))
    self_pay = Yuan(label=gettext_lazy("Back to the elder (yuan)"))
    key = forms.CharField(widget=forms.HiddenInput)
    field_order = ["voucher_amount", "public_pay", "self_pay", "reason", "key"]


class Refund(OrderAct):
    url, name, permission, title = "<int:pk>/refund/", "refund", "orders.refund", gettext_lazy("Refund")
    form_class = RefundForm
    irreversible = True
    service, success = services.refund, gettext_lazy("Refunded. The provider's next statement carries it.")

    def get_initial(self):
        return {"key": f"refund:{self.object.number}:{uuid4()}"}

    def confirm_text(self):
        return _("%(number)s was paid with vouchers %(voucher)s, public funds %(public)s, by the elder %(self)s.") % {
            "number": self.object.number,
            "voucher": money(self.object.voucher_amount),
            "public": money(self.object.public_pay),
            "self": money(self.object.self_pay),
        }
