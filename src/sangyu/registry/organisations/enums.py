"""Words of the provider register. Values are stored and travel in files and the API: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LegalForm(models.TextChoices):
    """Every form that S0, S1 and S2 name (R-006)."""

    ENTERPRISE = "enterprise", _("Enterprise")
    SOLE_TRADER = "sole_trader", _("Sole trader")
    PRIVATE_NON_ENTERPRISE = "private_non_enterprise", _("Private non-enterprise unit")
    SOCIAL_GROUP = "social_group", _("Social group")
    FOUNDATION = "foundation", _("Foundation")
    PUBLIC_INSTITUTION = "public_institution", _("Public institution")
    COMMUNITY_BODY = "community_body", _("Village or residents' committee")
    COOPERATIVE = "cooperative", _("Cooperative")
    VOLUNTEER_TEAM = "volunteer_team", _("Volunteer team")
    INDIVIDUAL = "individual", _("Individual")

    @property
    def has_credit_code(self) -> bool:
        """Whether the form carries a unified social credit code."""
        return self not in (LegalForm.INDIVIDUAL, LegalForm.VOLUNTEER_TEAM)


class State(models.TextChoices):
    """State of a registration."""

    DRAFT = "draft", _("Draft")
    APPROVED = "approved", _("Approved")
    SUSPENDED = "suspended", _("Suspended")
    ENDED = "ended", _("Ended")

    @property
    def tone(self) -> str:
        """Colour of the state on screen."""
        return {"draft": "mute", "approved": "ok", "suspended": "warn", "ended": "mute"}[self.value]


class Action(models.TextChoices):
    APPROVE = "approve", _("Approve")
    SUSPEND = "suspend", _("Suspend")
    RESUME = "resume", _("Resume")
    END = "end", _("End")


class OperatingMode(models.TextChoices):
    """How a site is run (R-179)."""

    OWN = "own", _("Run by the owner")
    DELEGATED = "delegated", _("Delegated operation")
    EXTENSION = "extension", _("Extension of an institution")
    SHARED = "shared", _("Shared resource")
    PUBLIC_BUILT = "public_built", _("Publicly built, privately run")


class ContractState(models.TextChoices):
    """State of a purchase contract."""

    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("In force")
    ENDED = "ended", _("Ended")

    @property
    def tone(self) -> str:
        """Colour of the state on screen."""
        return {"draft": "mute", "active": "ok", "ended": "mute"}[self.value]


class ContractAction(models.TextChoices):
    SIGN = "sign", _("Sign")
    END = "end", _("End")


class Settlement(models.TextChoices):
    """How often a contract is settled."""

    MONTHLY = "monthly", _("Monthly")
    QUARTERLY = "quarterly", _("Quarterly")
    ON_COMPLETION = "on_completion", _("On completion")
