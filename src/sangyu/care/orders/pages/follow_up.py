"""Call-backs and agreements."""

from django import forms
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.people import selectors as people
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Day,
    DetailPage,
    FormPage,
    Link,
    ListPage,
    Moment,
    Number,
    Status,
    Tab,
    Text,
)

from .. import services
from ..enums import AgreementState, ReturnVisitReason, ReturnVisitState
from ..models import Agreement, ReturnVisit

_DATE = forms.DateInput(attrs={"type": "date"})
_AGREEMENT_TONES = {"draft": "mute", "signed": "ok", "ended": "mute"}


class ReturnVisitList(ListPage):
    url, name, permission, title = "return-visits/", "return_visits", "orders.return_visit", gettext_lazy("Call-backs")
    model = ReturnVisit
    related = ("order",)
    filters = ["state", "reason"]
    sort = "due_by"
    personal = "orders.return_visits"
    columns = [
        Text(
            "order.number", gettext_lazy("Order number"), link=lambda row: reverse("orders:order", args=[row.order_id])
        ),
        Text("order.person_name", gettext_lazy("Elder")),
        Text("order.item_name", gettext_lazy("Service")),
        Choice("reason", gettext_lazy("Reason"), enum=ReturnVisitReason),
        Moment("due_by", gettext_lazy("Due by"), sort=True),
        Status("state", gettext_lazy("State"), enum=ReturnVisitState, tones={"due": "warn", "done": "ok"}),
        Number("satisfied", gettext_lazy("Satisfaction")),
        Text("result", gettext_lazy("Result")),
    ]
    row_actions = [
        Link(
            gettext_lazy("Record"),
            "orders:record_return_visit",
            "phone",
            "orders.return_visit",
            method="dialog",
            when=lambda v: v.state == "due",
        )
    ]
    presets = [(gettext_lazy("Due"), "state=due")]
    empty_title = gettext_lazy("Nothing to call back")


class ReturnVisitForm(forms.Form):
    reached = forms.TypedChoiceField(
        label=gettext_lazy("Reached"),
        coerce=lambda v: v == "yes",
        choices=[("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No"))],
        widget=forms.RadioSelect,
    )
    satisfied = forms.TypedChoiceField(
        label=gettext_lazy("Satisfaction"),
        coerce=int,
        required=False,
        empty_value=None,
        choices=[("", "—"), *((n, "★" * n) for n in (5, 4, 3, 2, 1))],
    )
    result = forms.CharField(
        label=pgettext_lazy("order", "What was said"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


class RecordReturnVisit(ActionPage):
    url, name, permission, title = (
        "return-visits/<int:pk>/",
        "record_return_visit",
        "orders.return_visit",
        gettext_lazy("Record the call-back"),
    )
    model, related = ReturnVisit, ("order",)
    form_class = ReturnVisitForm
    parent = ("orders:return_visits", gettext_lazy("Call-backs"))
    service, argument, success = services.record_return_visit, "return_visit_id", gettext_lazy("Recorded.")


class AgreementList(ListPage):
    url, name, permission, title = "agreements/", "agreements", "orders.agree", gettext_lazy("Service agreements")
    model = Agreement
    related = ("organisation", "region")
    search = ("number", "person_name")
    search_label = gettext_lazy("Number or name")
    filters = ["state"]
    personal = "orders.agreements"
    columns = [
        Text("number", gettext_lazy("Number"), link="orders:agreement"),
        Text("person_name", gettext_lazy("Elder")),
        Text("organisation.name", gettext_lazy("Provider")),
        Day("valid_from", gettext_lazy("From"), sort=True),
        Day("valid_to", gettext_lazy("To"), sort=True),
        Status("state", gettext_lazy("State"), enum=AgreementState, tones=_AGREEMENT_TONES),
        Day("signed_on", gettext_lazy("Signed on")),
        Text("region.name", gettext_lazy("Area")),
    ]
    head = [Link(gettext_lazy("New agreement"), "orders:agreement_new", "plus", "orders.agree", "pri")]
    empty_title = gettext_lazy("No agreements yet")
    empty_text = gettext_lazy("Recurring visits need a signed agreement. Draft one from here.")


class AgreementPage(DetailPage):
    url, name, permission = "agreements/<int:pk>/", "agreement", "orders.agree"
    model, related = Agreement, ("organisation", "region")
    parent = ("orders:agreements", gettext_lazy("Service agreements"))
    facts = [Status("state", gettext_lazy("State"), enum=AgreementState, tones=_AGREEMENT_TONES)]
    summary = [
        (
            gettext_lazy("Agreement"),
            [
                Text("person_name", gettext_lazy("Elder")),
                Text("organisation.name", gettext_lazy("Provider")),
                Text("items", gettext_lazy("Services"), value=lambda row: "、".join(row.items)),
                Day("valid_from", gettext_lazy("From")),
                Day("valid_to", gettext_lazy("To")),
                Text("risk_notice", gettext_lazy("Risk notice")),
                Text("terms", gettext_lazy("Terms")),
                Text("signed_by", gettext_lazy("Signed by")),
                Day("signed_on", gettext_lazy("Signed on")),
            ],
        )
    ]
    tabs = [
        Tab(
            "orders",
            gettext_lazy("Visits"),
            "orders/agreement_orders.html",
            lambda page: {"orders": page.object.orders.order_by("planned_start")[:100]},
            count=lambda a: a.orders.count(),
        )
    ]
    actions = [
        Link(
            gettext_lazy("Plan visits"), "orders:plan", "cal", "orders.agree", "pri", when=lambda a: a.state == "signed"
        ),
        Link(
            gettext_lazy("Sign"),
            "orders:agreement_sign",
            "check",
            "orders.agree",
            "pri",
            method="dialog",
            when=lambda a: a.state == "draft",
        ),
        Link(
            gettext_lazy("End"),
            "orders:agreement_end",
            "close",
            "orders.agree",
            method="dialog",
            when=lambda a: a.state == "signed",
        ),
    ]


class AgreementForm(forms.Form):
    person_id = forms.IntegerField(
        label=gettext_lazy("Elder's file number"),
        help_text=gettext_lazy("The number in the address of the elder's page."),
    )
    organisation_id = forms.TypedChoiceField(label=gettext_lazy("Provider"), coerce=int)
    items = forms.MultipleChoiceField(label=gettext_lazy("Services"), widget=forms.CheckboxSelectMultiple)
    valid_from = forms.DateField(label=gettext_lazy("From"), widget=_DATE)
    valid_to = forms.DateField(label=gettext_lazy("To"), widget=_DATE)
    risk_notice = forms.CharField(label=gettext_lazy("Risk notice"), widget=forms.Textarea(attrs={"rows": 3}))
    terms = forms.CharField(label=gettext_lazy("Terms"), required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        today = localtime().date()
        offered = catalogue.items_for(actor.path, today)
        self.fields["items"].choices = [(i.code, i.name) for i in offered]
        self.fields["organisation_id"].choices = organisations.choices(actor)


class AgreementNew(FormPage):
    url, name, permission, title = "agreements/new/", "agreement_new", "orders.agree", gettext_lazy("New agreement")
    form_class, detail = AgreementForm, "orders:agreement"
    parent = ("orders:agreements", gettext_lazy("Service agreements"))

    def form_kwargs(self):
        return {"actor": self.actor}

    def get_initial(self):
        return {k: v for k, v in self.request.GET.items() if k in ("person_id", "organisation_id")}

    def save(self, form):
        people.get_person(self.actor, form.cleaned_data["person_id"])
        return services.draft_agreement(actor=self.actor, **form.cleaned_data)


class AgreementAct(ActionPage):
    model = Agreement
    leaves = True
    permission = "orders.agree"
    parent = ("orders:agreements", gettext_lazy("Service agreements"))
    argument, detail = "agreement_id", "orders:agreement"


class SignForm(forms.Form):
    signed_by = forms.CharField(label=gettext_lazy("Signed by"), max_length=60)
    signed_on = forms.DateField(label=gettext_lazy("Signed on"), widget=_DATE)


class AgreementSign(AgreementAct):
    url, name, title = "agreements/<int:pk>/sign/", "agreement_sign", gettext_lazy("Record the signature")
    form_class = SignForm
    service, success = services.sign_agreement, gettext_lazy("Signed.")

    def get_initial(self):
        return {"signed_by": self.object.person_name, "signed_on": localtime().date()}


class EndForm(forms.Form):
    ended_on = forms.DateField(label=gettext_lazy("Ends on"), widget=_DATE)


class AgreementEnd(AgreementAct):
    url, name, title = "agreements/<int:pk>/end/", "agreement_end", gettext_lazy("End the agreement")
    form_class = EndForm
    irreversible = True
    service, success = services.end_agreement, gettext_lazy("Ended.")

    def confirm_text(self):
        return _("%(number)s of %(name)s ends. Planned visits stay and are listed on its page.") % {
            "number": self.object.number,
            "name": self.object.person_name,
        }


class PlanForm(forms.Form):
    item_code = forms.ChoiceField(label=gettext_lazy("Service"))
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Days of the week"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        choices=list(
            enumerate(
                [
                    gettext_lazy("Monday"),
                    gettext_lazy("Tuesday"),
                    gettext_lazy("Wednesday"),
                    gettext_lazy("Thursday"),
                    gettext_lazy("Friday"),
                    gettext_lazy("Saturday"),
                    gettext_lazy("Sunday"),
                ]
            )
        ),
    )
    at = forms.TimeField(label=gettext_lazy("At"), widget=forms.TimeInput(attrs={"type": "time", "step": 900}))
    first = forms.DateField(label=gettext_lazy("First day"), widget=_DATE)
    last = forms.DateField(label=gettext_lazy("Last day"), widget=_DATE)

    def __init__(self, *args, agreement, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        names = catalogue.items_by_code(agreement.items, agreement.path, localtime().date())
        self.fields["item_code"].choices = [
            (code, names[code].name if code in names else code) for code in agreement.items
        ]


class Plan(AgreementAct):
    url, name, title = "agreements/<int:pk>/plan/", "plan", gettext_lazy("Plan visits")
    form_class = PlanForm
    submit_label = gettext_lazy("Plan visits")

    def form_kwargs(self):
        return {"agreement": self.object}

    def act(self, form):
        made = services.plan_recurring(actor=self.actor, agreement_id=self.object.pk, **form.cleaned_data)
        return _("%(n)s visits planned.") % {"n": len(made)}
