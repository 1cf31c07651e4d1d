from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "assessments.view": _("See assessments and their results"),
    "assessments.apply": _("Apply for an assessment"),
    "assessments.assign": _("Assign assessments, or refuse them"),
    "assessments.assess": _("Fill in the assessment form at the home"),
    "assessments.review": _("Take the second look, and publish"),
    "assessments.decide": _("Decide the level, and the setting of care"),
    "assessments.commission": _("Buy assessments: assessors, quota, samples"),
    "assessments.own": _("See one's own results, and object to them"),
    "assessments.import": _("Import results of earlier scales"),
}
