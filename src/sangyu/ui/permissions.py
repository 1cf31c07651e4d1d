from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "ui.share_view": _("Share saved views with a role"),
    "ui.calendar": _("Keep the working calendar"),
    "ui.exports": _("Read the log of exports"),
}
