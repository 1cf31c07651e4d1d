"""Holds, forms of delivery and accounts paid into."""

import django_filters
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel import files
from sangyu.ui.fields import OptionalReasonForm, ReasonForm
from sangyu.ui.pages import ActionPage, Choice, Day, DetailPage, Link, ListPage, Masked, Moment, Status, Text

from . import forms, selectors, services
from .enums import BodyKind, HoldReason, PayeeState
from .models import Hold, PayeeAccount
from .pages import AboutBody, AboutElder

PAYEES = ("applications:payees", _("Accounts paid into"))


# ---------------------------------------------------------------- holds
class HoldFilters(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(label=_("Reason"), choices=HoldReason.choices)
    open = django_filters.BooleanFilter(label=_("Not resumed yet"), field_name="valid_to", lookup_expr="isnull")

    class Meta:
        model = Hold
        fields: list[str] = []


def _running(row: Hold) -> bool:
    return row.valid_to is None


class HoldList(ListPage):
    url, name, permission, title = "holds/", "holds", "applications.view", _("Holds")
    model, related, unit = Hold, ("person", "person__region"), _("holds")
    filters, search, sort, personal = (
        HoldFilters,
        ("person__name", "body_name", "policy_name"),
        "-valid_from",
        "applications.holds",
    )
    columns = [
        Text(
            "subject_name",
            _("About whom"),
            link=lambda h: reverse("casefile:subsidies", args=[h.person_id]) if h.person_id else "",
        ),
        Choice("body_kind", _("Kind of applicant"), enum=BodyKind, hidden=True),
        Text("person.region.name", _("Area")),
        Text("policy_name", _("Policy"), value=lambda h: h.policy_name or gettext("All policies")),
        Choice("kind", _("Reason"), enum=HoldReason),
        Text("reason", _("Why")),
        Day("valid_from", _("From"), sort=True),
        Day("valid_to", _("Goes on from"), sort=True),
        Text("actor", _("By")),
        Text("resumed_because", _("Resumed because"), hidden=True),
    ]
    row_actions = [
        Link(_("Resume"), "applications:resume", permission="applications.hold", method="dialog", when=_running)
    ]
    head = [Link(_("Stop payments to a body"), "applications:body-hold", "plus", "applications.hold")]
    presets = [(_("Not resumed yet"), "open=true")]


class HoldNew(AboutElder):
    url, name, permission, title = "people/<int:pk>/hold/", "hold", "applications.hold", _("Stop payments")
    form_class, service, submit_label = forms.HoldForm, services.hold, _("Stop")
    wide = ("reason",)


class BodyHoldNew(AboutBody):
    """What a facility, an organisation or a worker is given stops until it is resumed."""

    url, name, permission, title = (
        "holds/bodies/new/",
        "body-hold",
        "applications.hold",
        _("Stop payments to a body"),
    )
    form_class, service, submit_label, wide = forms.BodyHoldForm, services.hold_body, _("Stop"), ("reason",)
    parent = ("applications:holds", _("Holds"))

    def success_url(self, result=None) -> str:
        return reverse("applications:holds")


class Resume(ActionPage):
    url, name, permission, title = "holds/<int:pk>/resume/", "resume", "applications.hold", _("Resume")
    model, related, form_class, leaves = Hold, ("person",), forms.ResumeForm, True
    service, argument, submit_label, success = services.resume, "hold_id", _("Resume"), _("Goes on.")
    parent = ("applications:holds", _("Holds"))

    def success_url(self, result=None) -> str:
        row = self.object
        return reverse("casefile:subsidies", args=[row.person_id]) if row.person_id else reverse("applications:holds")


class DeliveryNew(AboutElder):
    url, name, permission, title = "people/<int:pk>/form/", "delivery", "applications.hold", _("Change the form")
    form_class, service = forms.DeliveryForm, services.set_delivery

    def get_initial(self) -> dict:
        return {"valid_from": selectors.first_of_next_month()}


# ---------------------------------------------------------------- accounts
class PayeeFilters(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label=_("State"), choices=PayeeState.choices)
    is_proxy = django_filters.BooleanFilter(label=_("Somebody else's account"))

    class Meta:
        model = PayeeAccount
        fields: list[str] = []


class PayeeList(ListPage):
    url, name, permission, title = "accounts/", "payees", "applications.payees", _("Accounts paid into")
    model, related, unit = PayeeAccount, ("person", "person__region"), _("accounts")
    filters, search, sort = PayeeFilters, ("person__name", "body_name", "holder"), "-proposed_at"
    personal = "applications.payees"
    columns = [
        Text("subject_name", _("Who is paid"), link="applications:payee"),
        Text("person.region.name", _("Area")),
        Text("holder", _("Account holder")),
        Text("masked", _("Account number")),
        Text("bank", _("Bank")),
        Text("relation", _("Relation to the elder")),
        Status("state", _("State"), enum=PayeeState),
        Text("proposed_by", _("Proposed by")),
        Moment("proposed_at", _("Proposed at"), sort=True),
        Text("rejected_by_bank", _("What the bank said"), hidden=True),
        Text("decided_by", _("Decided by"), hidden=True),
    ]
    head = [Link(_("Account of a body"), "applications:body-payee", "plus", "applications.payee_propose")]
    presets = [(PayeeState.PROPOSED.label, "state=proposed")]


def _proposed(row: PayeeAccount) -> bool:
    return row.state == PayeeState.PROPOSED


class PayeeDetail(DetailPage):
    url, name, permission = "accounts/<int:pk>/", "payee", "applications.payees"
    model, related, parent = PayeeAccount, ("person", "person__region"), PAYEES
    facts = [Status("state", _("State"), enum=PayeeState)]
    summary = [
        (
            pgettext_lazy("bank", "Account"),
            [
                Text("subject_name", _("Who is paid"), link=lambda p: reverse("casefile:subsidies", args=[p.person_id]) if p.person_id else ""),
                Text("holder", _("Account holder")),
                Masked("masked", _("Account number"), reveal="applications:reveal", reveal_permission="applications.payee_reveal"),
                Text("bank", _("Bank")), Text("relation", _("Relation to the elder")),
                Text("evidence", _("Power of attorney"), value=lambda p: p.evidence.title if p.evidence_id else "",
                     link=lambda p: f"{reverse('ui:file', args=[p.evidence_id])}?inline" if p.evidence_id else ""),
            ],
        ),
        (
            _("Decision"),
            [
                Text("proposed_by", _("Proposed by")), Moment("proposed_at", _("Proposed at")),
                Text("decided_by", _("Decided by")), Moment("decided_at", _("Decided at")), Text("reason", _("Why")),
                Text("rejected_by_bank", _("What the bank said")), Moment("ended_at", _("Replaced at")),
            ],
        ),
    ]  # fmt: skip
    actions = [
        Link(pgettext_lazy("applications", "Approve"), "applications:payee-approve", "check", "applications.payee_approve", "pri", "dialog", when=_proposed),
        Link(pgettext_lazy("applications", "Refuse"), "applications:payee-refuse", "close", "applications.payee_approve", "badline", "dialog", when=_proposed),
    ]  # fmt: skip


class PayeeNew(AboutElder):
    url, name, permission, title = (
        "people/<int:pk>/account/",
        "payee-new",
        "applications.payee_propose",
        _("Propose an account"),
    )
    form_class, service, multipart = forms.PayeeForm, services.propose_payee, True
    intro = _("Payments go to the new account when somebody of the bureau has approved it.")

    def form_kwargs(self) -> dict:
        return {}

    def get_initial(self) -> dict:
        return {"holder": self.person.name}

    def arguments(self, form) -> dict:
        given = dict(form.cleaned_data)
        upload = given.pop("evidence")
        kept = upload and files.save(
            self.actor, title=upload.name, content_type=upload.content_type, stream=upload, owner=self.person
        )
        return {**given, "evidence_id": kept.pk if kept else None, "person_id": self.person.pk}


class BodyPayeeNew(AboutBody):
    """The account of a facility, an organisation or a worker."""

    url, name, permission, title = (
        "accounts/bodies/new/",
        "body-payee",
        "applications.payee_propose",
        _("Account of a body"),
    )
    form_class, service, parent, detail = forms.BodyPayeeForm, services.propose_body_payee, PAYEES, "applications:payee"
    intro = _("Payments go to the new account when somebody of the bureau has approved it.")


class _OfPayee(ActionPage):
    model, related, permission, parent, leaves = PayeeAccount, ("person",), "applications.payee_approve", PAYEES, True
    argument, detail = "payee_id", "applications:payee"

    def get_title(self) -> str:
        return f"{self.title}：{self.object.subject_name}"


class PayeeApprove(_OfPayee):
    url, name = "accounts/<int:pk>/approve/", "payee-approve"
    title = submit_label = pgettext_lazy("applications", "Approve")
    form_class, service, success = OptionalReasonForm, services.approve_payee, _("In use from now on.")


class PayeeRefuse(_OfPayee):
    url, name = "accounts/<int:pk>/refuse/", "payee-refuse"
    title = submit_label = pgettext_lazy("applications", "Refuse")
    form_class, service, success = ReasonForm, services.refuse_payee, pgettext_lazy("decision", "Refused.")


class Reveal(ActionPage):
    """The whole account number as bare text; the look is logged."""

    url, name, permission, title = (
        "accounts/<int:pk>/number/",
        "reveal",
        "applications.payee_reveal",
        _("Account number"),
    )
    model = PayeeAccount

    def post(self, request, *args, **kwargs) -> HttpResponse:
        number = services.reveal_payee(actor=self.actor, payee_id=kwargs["pk"], purpose=gettext("shown on screen"))
        return HttpResponse(number, content_type="text/plain; charset=utf-8")
