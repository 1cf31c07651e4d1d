from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "policies.view": _("Read policies"),
    "policies.edit": _("Draft policies and try out what they would cost"),
    "policies.approve": _("Approve and end policies"),
}
