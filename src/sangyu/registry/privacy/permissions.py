from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "privacy.ask": _("Ask about the own data or those of the elder one looks after"),
    "privacy.view": _("See requests about personal data and the consent ledger"),
    "privacy.handle": _("Answer requests about personal data"),
    "privacy.erase": _("Delete data on request"),
    "privacy.registers": _("Keep the registers of incidents and impact assessments"),
}
