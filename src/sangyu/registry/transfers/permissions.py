from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "transfers.view": _("See requests for files that move"),
    "transfers.request": _("Ask another county for a file"),
    "transfers.decide": _("Hand a file over to another county, or refuse"),
}
