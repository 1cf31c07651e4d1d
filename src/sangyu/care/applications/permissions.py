from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "applications.view": _("See applications, objections, holds and forms of delivery"),
    "applications.apply": _("Apply for a policy, object and appeal"),
    "applications.review": _("Review applications"),
    "applications.answer": _("Answer objections and appeals"),
    "applications.hold": _("Stop and resume what a person gets, and set its form"),
    "applications.payees": _("See accounts paid into, masked"),
    "applications.payee_propose": _("Propose the account that is paid into"),
    "applications.payee_approve": _("Approve accounts paid into"),
    "applications.payee_reveal": _("Read whole account numbers; each look is logged"),
}
