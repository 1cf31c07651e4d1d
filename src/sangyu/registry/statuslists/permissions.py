from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "statuslists.view": _("See status lists and their comparison with the register"),
    "statuslists.import": _("Enter status lists of authorities"),
    "statuslists.settle": _("Begin and end statuses by a list"),
}
