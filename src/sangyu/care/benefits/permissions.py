from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "benefits.view": _("See benefit runs and their lines"),
    "benefits.prepare": _("Compute and cancel benefit runs"),
    "benefits.review_street": _("Review the lines of a street"),
    "benefits.review": _("Review the lines of a county"),
    "benefits.publish": _("Put runs on public notice"),
    "benefits.approve": _("Approve benefit runs"),
    "benefits.release": _("Release approved runs"),
    "benefits.pay": _("Make and send payment files"),
    "benefits.settle": _("Import return files and reconcile"),
    "benefits.recover": _("Agree and record recoveries"),
    "benefits.waive": _("Write off recoveries"),
    "benefits.fund": _("Keep fund sources"),
}
