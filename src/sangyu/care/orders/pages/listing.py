"""The order list: one for staff and providers, each in its scope."""

import django_filters
from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import Refused
from sangyu.registry.catalogue.enums import FeeTier
from sangyu.registry.organisations import selectors as organisations
from sangyu.ui.pages import Bulk, BulkForm, Choice, ListPage, Moment, Money, Status, Text

from .. import services
from ..enums import OPEN_STATES, Channel, State
from ..models import Order


def by_state(rows, name, value):
    """``open`` stands for all states in which somebody has to act."""
    return rows.filter(state__in=OPEN_STATES) if value == "open" else rows.filter(state=value)


class OrderFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(
        label=_("State"), method=by_state, choices=[("open", _("All open")), *State.choices]
    )
    day = django_filters.DateFilter(
        label=_("Day of the visit"),
        field_name="planned_start",
        lookup_expr="date",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    tier = django_filters.ChoiceFilter(label=_("Fee tier"), field_name="fee_tier", choices=FeeTier.choices)
    channel = django_filters.ChoiceFilter(label=_("Channel"), choices=Channel.choices)
    flagged = django_filters.BooleanFilter(
        label=_("Flagged"), method=lambda rows, name, value: rows.exclude(flagged="") if value else rows
    )

    class Meta:
        model = Order
        fields: list[str] = []


class OfferForm(BulkForm):
    """Whom to offer to: a provider, or for each order the first of the ranking."""

    organisation_id = forms.TypedChoiceField(
        label=_("Provider"), required=False, coerce=int, empty_value=None,
        help_text=_("Empty: each order goes to the first of its ranking."),
    )  # fmt: skip

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        named = organisations.choices(self.actor)
        self.fields["organisation_id"].choices = [("", _("The best for each order")), *named]


def _offer(*, actor, row, organisation_id) -> None:
    """Offer one order to the first of its ranking who is not blocked, of the provider if one was chosen."""
    ranked = services.proposals(actor=actor, order_id=row.pk)
    free = [p for p in ranked if not p.blocked and organisation_id in (None, p.option.organisation_id)]
    if not free:
        raise Refused(_now("Nobody is free for this visit."), code="orders.nobody_free")
    option = free[0].option
    services.offer(actor=actor, order_id=row.pk, organisation_id=option.organisation_id, worker_id=option.worker_id)


def _withdraw(*, actor, row, kept) -> None:
    services.withdraw(actor=actor, order_id=row.pk, reason=_now("Taken back"))


BULK = [
    Bulk("offer", _("Offer"), "orders.dispatch", each=_offer, undo=_withdraw, form=OfferForm, icon="hand"),
]


class OrderList(ListPage):
    url, name, permission, title = "", "list", "orders.view", _("Orders")
    model = Order
    unit = _("orders")
    search = ("number", "person_name")
    search_label = _("Number or name")
    filters = OrderFilter
    sort = "-pk"
    related = ("region", "organisation", "worker")
    personal, bulk = "orders.list", BULK
    live = ("orders",)
    columns = [
        Text("number", _("Number"), link="orders:order"),
        Text("person_name", _("Elder")),
        Text("item_name", _("Service")),
        Moment("planned_start", _("Planned"), sort=True),
        Text("region.name", _("Area")),
        Text("organisation.name", _("Provider")),
        Text("worker.name", _("Worker")),
        Status("state", _("State"), enum=State),
        Choice("fee_tier", _("Fee tier"), enum=FeeTier),
        Money("market_price", _("Price"), hidden=True),
        Money("voucher_amount", _("Vouchers"), hidden=True),
        Money("self_pay", _("Self pay")),
        Choice("channel", _("Channel"), enum=Channel, hidden=True),
        Text("flagged", _("Remark"), hidden=True),
        Moment("requested_at", _("Requested"), hidden=True),
    ]
    presets = [
        (_("Waiting for dispatch"), "state=received"),
        (_("Waiting for acceptance"), "state=offered"),
        (_("Waiting for confirmation"), "state=done"),
        (_("Disputed"), "state=disputed"),
        (_("Flagged"), "flagged=true"),
    ]
    empty_title = _("No orders here")
    empty_text = _("Change the filters, or register a need at the desk.")
