from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "emergencies.view": _("See emergencies"),
    "emergencies.handle": _("Take and work on emergencies"),
    "emergencies.raise": _("Call for help by hand"),
    "emergencies.answer": _("Answer a call for help and go there"),
    "emergencies.receive": _("Take in alarms and run the escalation"),
    "emergencies.review": _("Review closed emergencies"),
    "emergencies.roster": _("Keep the roster of nights"),
    "emergencies.stations": _("Keep opening hours and notice channels"),
    "emergencies.drill": _("Plan and run drills"),
    "emergencies.report": _("See the response report"),
    "emergencies.export": _("Export emergencies"),
    "emergencies.exchanges": _("Enter telephone exchanges and renew their secrets"),
    "emergencies.telephony": _("Report telephone calls from the exchange"),
}
