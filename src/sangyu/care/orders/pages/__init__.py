"""Screens of orders: list, order page, acts, agreements, call-backs, rules."""

from django.utils.translation import gettext_lazy as _

from sangyu.ui.nav import Group, Nav

from ..enums import State
from ..selectors import due_return_visits, orders_visible


def _waiting(actor):
    return orders_visible(actor).filter(state__in=(State.REQUESTED, State.RECEIVED))


NAV = [
    Nav(
        _("Orders"),
        "clip",
        "orders:list",
        "orders.view",
        Group.INTAKE,
        30,
        badge=_waiting,
        audiences=("staff", "provider"),
        phone=True,
    ),
    Nav(
        _("Call-backs"),
        "phone",
        "orders:return_visits",
        "orders.return_visit",
        Group.INTAKE,
        40,
        badge=due_return_visits,
    ),
    Nav(
        _("Service agreements"),
        "doc",
        "orders:agreements",
        "orders.agree",
        Group.INTAKE,
        50,
        audiences=("staff", "provider"),
    ),
    Nav(_("Fee rules"), "wallet", "orders:fee_rules", "orders.rules", Group.MONEY, 60),
]
