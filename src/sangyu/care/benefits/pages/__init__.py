"""Screens of benefit runs: runs and lines, reviews, payments and files, recoveries, funds and totals, the public notice."""

from django.utils.translation import pgettext_lazy

from sangyu.ui.nav import Group, Nav

from .. import selectors

NAV = [
    Nav(pgettext_lazy("navigation", "Benefit runs"), "tasks", "benefits:list", "benefits.view", Group.MONEY, 20, selectors.waiting),
    Nav(pgettext_lazy("navigation", "Payment files"), "xfer", "benefits:files", "benefits.pay", Group.MONEY, 21),
    Nav(
        pgettext_lazy("navigation", "Recoveries"), "undo", "benefits:recoveries", "benefits.recover", Group.MONEY, 22,
        selectors.recoveries_waiting,
    ),
    Nav(pgettext_lazy("navigation", "Fund sources"), "wallet", "benefits:funds", "benefits.view", Group.MONEY, 23),
]  # fmt: skip
