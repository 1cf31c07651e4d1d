from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "workforce.view": _("See workers and whether they may be sent"),
    "workforce.manage": _("Hire, change, suspend and release workers; certificates, clearances, leave and hours"),
    "workforce.reveal": _("Reveal a worker's whole ID or phone number"),
    "workforce.duties": _("Publish the duties of posts"),
    "workforce.acknowledge": _("Acknowledge the duties of one's post"),
    "workforce.rate": _("Publish ratings of workers"),
}
