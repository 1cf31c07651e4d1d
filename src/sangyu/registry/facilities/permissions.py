from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "facilities.view": _("See facilities, their ratings and inspections"),
    "facilities.edit": _("Register and change facilities"),
    "facilities.inspect": _("Record ratings, inspections and operation of facilities"),
    "facilities.stays": _("See who lives in a facility"),
    "facilities.admit": _("Record admissions to and discharges from facilities"),
}
