from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "screening.view": _("See screening campaigns and their results"),
    "screening.manage": _("Start and close screening campaigns"),
    "screening.fill": _("Fill in screening sheets at the door"),
    "screening.import": _("Import filled screening sheets"),
    "screening.review": _("Confirm screening sheets"),
    "screening.follow_up": _("Work on what a screening found"),
    "screening.export": _("Export screening results"),
}
