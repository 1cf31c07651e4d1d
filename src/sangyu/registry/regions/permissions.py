from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "regions.view": _("See the tree of regions"),
    "regions.change": _("Merge, split, rename and move regions"),
}
