"""Screens of orders: list, order page, acts, agreements, call-backs, rules."""

from django.utils.translation import gettext_lazy as _

from sangyu.ui.nav import Group, Nav

from ..selectors import count_by_state, due_return_visits


def _waiting(actor) -> int:
    counts = count_by_state(actor)
    return counts.get("requested", 0) + counts.get("received", 0)


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
        badge=lambda a: due_return_visits(a).count(),
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
