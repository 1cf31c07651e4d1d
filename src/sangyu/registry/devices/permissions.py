from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "devices.view": _("See devices, who has them, repairs and fees"),
    "devices.stock": _("Receive, allot and retire devices"),
    "devices.issue": _("Issue devices, take them back, report them lost and found"),
    "devices.repair": _("Send devices to repair and take them back from it"),
    "devices.settings": _("Set SOS numbers, reporting and commands of devices"),
    "devices.command": _("Send commands to devices"),
    "devices.listen_in": _("Listen in silently through a device, where the elder has agreed"),
    "devices.fees": _("Register monthly fees of devices and that they were paid"),
    "devices.reveal": _("See SIM numbers of devices in full"),
}
