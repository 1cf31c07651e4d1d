from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "signals.view": _("See alarms of devices, charts of measurements"),
    "signals.position": _("See where elders are and were (each look is logged)"),
    "signals.limits": _("Set personal limits and fences"),
}
