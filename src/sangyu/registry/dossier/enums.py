"""Code lists of the dossier. Values are stored: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class PaperKind(models.TextChoices):
    """What a paper of the file is."""

    IDENTITY = "identity", _("Identity document")
    HOUSEHOLD = "household", _("Household register")
    STATUS = "status", _("Proof of a status")
    HEALTH = "health", _("Health record")
    CONSENT = "consent", _("Signed consent")
    AGREEMENT = "agreement", pgettext_lazy("paper", "Agreement")
    HOME = "home", _("Photograph of the home")
    OTHER = "other", pgettext_lazy("paper", "Other")


class Way(models.TextChoices):
    """How a file was checked (R-015)."""

    VISIT = "visit", _("Home visit")
    PHONE = "phone", _("By telephone")
    OFFICE = "office", _("In the office")
    LIST = "list", _("Against a list")
