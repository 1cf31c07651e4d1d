from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "documents.view": _("Read the policy library"),
    "documents.edit": _("Keep the policy library: enter, replace and end documents"),
}
