"""Screens of assessments: lists and queues, one assessment and its steps, the form in the home, assessors and samples."""

from django.utils.translation import gettext_lazy as _

from sangyu.ui.nav import Group, Nav

from .. import selectors

NAV = [
    Nav(
        _("Assessments"), "clip", "assessments:list", "assessments.view", Group.REGISTERS, 20, badge=selectors.waiting,
        audiences=("staff", "provider"),
    ),
    Nav(_("My assessment visits"), "tasks", "assessments:mine", "assessments.assess", Group.REGISTERS, 21),
]  # fmt: skip
