"""Screens of screening: campaigns with progress and results, tasks and follow-ups, the phone at the door."""

from django.utils.translation import gettext_lazy as _

from sangyu.ui.nav import Group, Nav

from .. import selectors

NAV = [
    Nav(_("Screening"), "search", "screening:list", "screening.view", Group.REGISTERS, 22, badge=selectors.to_confirm),
    Nav(_("My screening visits"), "tasks", "screening:mine", "screening.fill", Group.REGISTERS, 23),
]
