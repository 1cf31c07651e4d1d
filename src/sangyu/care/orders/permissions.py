from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "orders.view": _("See orders"),
    "orders.request": _("Register a need"),
    "orders.receive": _("Receive and price a need"),
    "orders.dispatch": _("Dispatch orders"),
    "orders.override": _("Dispatch against the ranking"),
    "orders.answer": _("Accept or decline an offer"),
    "orders.visit": _("Carry out a visit"),
    "orders.record_visit": _("Record a visit from paper"),
    "orders.confirm": _("Confirm a visit"),
    "orders.confirm_for": _("Confirm a visit on the elder's behalf"),
    "orders.dispute": _("Dispute a visit"),
    "orders.resolve": _("Settle a dispute"),
    "orders.refund": _("Refund a visit"),
    "orders.cancel": _("Cancel an order"),
    "orders.return_visit": _("Call back after a visit"),
    "orders.agree": _("Keep service agreements"),
    "orders.rules": _("Set fee and service rules"),
    "orders.settle": _("Settle orders"),
    "orders.sweep": _("Watch deadlines"),
}
