"""The order page: steps, need, price, ranked people, proof and trail on one screen (mock-up order.html)."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel.errors import NotVisible
from sangyu.registry.catalogue.enums import FeeTier
from sangyu.registry.people import selectors as people
from sangyu.ui.pages import Link, PlainPage
from sangyu.ui.pages.base import ObjectMixin

from .. import selectors
from ..enums import EvidenceKind, State
from ..models import Order
from ..selectors import shown


class OrderPage(ObjectMixin, PlainPage):
    url, name, permission = "<int:pk>/", "order", "orders.view"
    model = Order
    template = "orders/order.html"
    parent = ("orders:list", gettext_lazy("Orders"))

    def get(self, request, *args: Any, **kwargs: Any) -> HttpResponse:
        self.object = selectors.get_order(self.actor, kwargs["pk"])
        return super().get(request, *args, **kwargs)

    def get_title(self) -> str:
        return f"{self.object.item_name}·{self.object.person_name}"

    def links(self) -> list[Link]:
        allowed = set(selectors.actions_from(self.object))

        def act(key: str, label: str, icon: str, permission: str, kind: str = "") -> list[Link]:
            return [Link(label, f"orders:{key}", icon, permission, kind, method="dialog")] if key in allowed else []

        order = self.object
        confirmable = "confirm_for" if "confirm" in allowed else ""
        return [
            Link(_("Print work slip"), "orders:slip", "print", "orders.view"),
            *act("reschedule", _("Change the time"), "edit", "orders.receive"),
            *act("withdraw", _("Withdraw the offer"), "swap", "orders.dispatch"),
            *act("decline", _("Decline"), "close", "orders.answer"),
            *act("hand_back", _("Hand back"), "swap", "orders.answer"),
            *act("substitute", _("Send a substitute"), "user", "orders.answer"),
            *act("accept", _("Accept"), "check", "orders.answer", "pri"),
            *(
                [Link(_("Enter paper form"), "orders:paper", "doc", "orders.record_visit", method="dialog")]
                if order.state == State.ACCEPTED
                else []
            ),
            *(
                [
                    Link(
                        _("Confirm for the elder"),
                        "orders:confirm_for",
                        "check",
                        "orders.confirm_for",
                        "pri",
                        method="dialog",
                    )
                ]
                if confirmable
                else []
            ),
            *act("dispute", _("Dispute"), "flag", "orders.dispute"),
            *act("resolve", _("Decide the dispute"), "shield", "orders.resolve", "pri"),
            *act("refund", _("Refund"), "wallet", "orders.refund"),
            *act("receive", _("Receive"), "check", "orders.receive", "pri"),
            *(
                act("cancel", _("Cancel order"), "close", "orders.cancel", "badline")
                if order.state != State.DISPUTED
                else []
            ),
        ]

    def get_context(self) -> dict:
        order = self.object
        return {
            "order": order,
            "tier": FeeTier(order.fee_tier).label if order.fee_tier else "",
            "steps": shown.steps(order),
            "elapsed": shown.waiting_text(order),
            "person": self.person(),
            "price_lines": shown.price_lines(order),
            "ranked": shown.ranked(self.actor, order),
            "trail": shown.trail(order),
            "proofs": [e for e in order.evidence.all() if e.kind in (EvidenceKind.PHOTO, EvidenceKind.SIGNATURE)],
            "done_items": [e.text for e in order.evidence.all() if e.kind == EvidenceKind.ITEM],
            "offer": next((o for o in order.offers.all() if o.state == "open"), None),
            "hours": [(f"g{1 + 8 * n}", f"{shown.DAY_STARTS + 2 * n:02}") for n in range(7)],
        }

    def person(self):
        try:
            return people.person_card(
                self.actor, self.object.person_id, day=localtime(self.object.planned_start).date()
            )
        except NotVisible:  # a worker or provider whose view of the elder has ended
            return None


class WorkSlip(OrderPage):
    """One A4 for a worker without a phone: address, items, lines to sign (R-087)."""

    url, name = "<int:pk>/slip/", "slip"
    template = "orders/slip.html"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*super().breadcrumbs(), (self.object.number, reverse("orders:order", args=[self.object.pk]))]
