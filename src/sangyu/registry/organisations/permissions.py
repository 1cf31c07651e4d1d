from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "organisations.view": _("See organisations, licences and capability"),
    "organisations.register": _("Register and change organisations"),
    "organisations.approve": _("Approve, suspend, resume and end organisations"),
    "organisations.verify": _("Record licences, capability and operating mode"),
    "organisations.own": _("Change contacts, description and market prices of an organisation"),
    "organisations.contracts": _("See contracts and prices"),
    "organisations.contract": _("Draft, sign and end contracts and set their prices"),
    "organisations.rate": _("Publish ratings of organisations"),
}
