"""Words of the service catalogue. Values are stored and travel in files and the API: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Category(models.TextChoices):
    """Field of service: S1 (daily life, medical, legal, sport, culture), S4 (the assist family), S2 (TCM), S0 (comfort)."""

    DAILY_LIFE = "daily_life", _("Daily life")
    MEDICAL = "medical", _("Medical care")
    LEGAL = "legal", _("Legal help")
    SPORT = "sport", _("Sport and fitness")
    CULTURE = "culture", _("Culture and leisure")
    MEALS = "meals", _("Meal assistance")
    BATHING = "bathing", _("Bathing assistance")
    CLEANING = "cleaning", _("Cleaning assistance")
    MEDICAL_ESCORT = "medical_escort", _("Medical assistance")
    MOBILITY = "mobility", _("Mobility assistance")
    DAY_CARE = "day_care", _("Day care")
    REHABILITATION = "rehabilitation", _("Rehabilitation")
    COMFORT = "comfort", _("Emotional support")
    TCM = "tcm", _("Chinese medicine and prevention")
    END_OF_LIFE = "end_of_life", _("End-of-life care")
    ASSESSMENT = "assessment", _("Assessment and evaluation")


class Unit(models.TextChoices):
    """What one counted unit of a service is."""

    TIME = "time", _("time")
    HOUR = "hour", _("hour")
    DAY = "day", _("day")
    MEAL = "meal", _("meal")
    MONTH = "month", _("month")


class Skill(models.TextChoices):
    """What the worker must hold a valid certificate for; NONE asks for entry training only."""

    NONE = "none", _("No certificate")
    CARE = "care", _("Elder care worker")
    NURSING = "nursing", _("Nurse")
    MEDICAL = "medical", _("Physician")
    REHABILITATION = "rehabilitation", _("Rehabilitation therapist")
    PSYCHOLOGY = "psychology", _("Psychological counsellor")
    SOCIAL_WORK = "social_work", _("Social worker")
    LEGAL = "legal", _("Lawyer or legal worker")
    TCM = "tcm", _("Chinese medicine practitioner")
    COOK = "cook", _("Food handler")
    ELECTRICIAN = "electrician", _("Electrician or gas fitter")
    SPORT = "sport", _("Sports instructor")
    ASSESSOR = "assessor", _("Ability assessor")


class LicenceKind(models.TextChoices):
    """What the organisation must hold a valid licence for; NONE asks for its registration only."""

    NONE = "none", _("No special licence")
    BUSINESS = "business", _("Business licence")
    REGISTRATION = "registration", _("Legal entity registration certificate")
    MEDICAL = "medical", _("Medical institution licence")
    FOOD = "food", _("Food business licence")
    LEGAL = "legal", _("Legal practice licence")
    CARE_FILING = "care_filing", _("Care institution filing")
    HOUSEKEEPING = "housekeeping", _("Housekeeping service filing")


class FeeTier(models.TextChoices):
    """How a service is paid: R-051 … R-055."""

    FREE = "free", _("Free")
    LOW = "low", _("Low fee")
    PAID = "paid", _("Paid")
    VOLUNTARY = "voluntary", _("Voluntary")
    SPONSORED = "sponsored", _("Sponsored")


class Audience(models.TextChoices):
    """Whom a package is fitted to (R-076)."""

    EVERYONE = "everyone", _("Everyone")
    PARTLY_DISABLED = "partly_disabled", _("Partly disabled")
    DISABLED = "disabled", pgettext_lazy("ability", "Disabled")
    DEMENTIA = "dementia", _("With dementia")
    ALONE = "alone", _("Living alone")
    POOR = "poor", _("In hardship")
