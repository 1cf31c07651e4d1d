from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "settlement.view": _("See statements"),
    "settlement.close": _("Close a period and answer objections"),
    "settlement.confirm": _("Confirm statements or object to them"),
    "settlement.approve": _("Approve statements"),
    "settlement.pay": _("Pay statements"),
}
