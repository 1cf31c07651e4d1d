from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "vouchers.view": _("See vouchers and programmes"),
    "vouchers.programme": _("Publish voucher programmes"),
    "vouchers.issue": _("Issue vouchers"),
    "vouchers.cancel": _("Cancel vouchers"),
    "vouchers.replace": _("Report loss and reissue vouchers"),
    "vouchers.expire": _("Expire vouchers"),
}
