"""Screens of emergencies: cases and acts, what stands ready, the report, those who are asked to go."""

from django.utils.translation import gettext_lazy as _

from sangyu.ui.nav import Group, Nav

from .. import selectors

NAV = [
    Nav(_("Emergencies"), "bell", "emergencies:list", "emergencies.view", Group.INTAKE, 5, badge=selectors.nobodys),
    Nav(_("Calls for help"), "bell", "emergencies:asked", "emergencies.answer", Group.INTAKE, 6,
        audiences=("provider", "worker"), phone=True),
    Nav(_("Response report"), "chart", "emergencies:report", "emergencies.report", Group.OVERSIGHT, 40),
    Nav(_("Telephone exchanges"), "phone", "emergencies:exchanges", "emergencies.exchanges", Group.ADMIN, 60),
]  # fmt: skip
