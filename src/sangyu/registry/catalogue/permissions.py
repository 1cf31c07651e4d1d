from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "catalogue.view": _("See the service catalogue"),
    "catalogue.publish": _("Publish, change and withdraw services and packages"),
}
