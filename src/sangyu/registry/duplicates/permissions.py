from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "duplicates.review": _("Review files that may be of one person"),
    "duplicates.search": _("Search the register for duplicates"),
}
