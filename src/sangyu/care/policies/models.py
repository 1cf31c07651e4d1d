"""Versions of policies: the text is the truth (docs/adr/0020-policies.md), and the trials of the what-if page."""

from dataclasses import dataclass
from datetime import date

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import History
from sangyu.kernel.dated import DatedQuerySet, DatedRow, no_overlap, not_empty
from sangyu.kernel.scoping import PathField, PlaceRow, Published, Rule, Scope, Within, lineage

from .enums import PeriodKind, Standing, State, Subject


@dataclass(frozen=True)
class PublishedOnceApproved(Rule):
    """Approved versions of regions above, and all of one's own region and below: a draft is nobody's business further down."""

    def sql(self, table: str) -> str:
        above = '"path" = ANY ((SELECT sangyu.scope_lineage())::text[]) AND "state" = \'approved\''
        return f'({above} OR starts_with("path", (SELECT sangyu.scope_path())))'

    def q(self, actor: Actor) -> Q:
        return Q(path__in=lineage(actor.path), state=State.APPROVED.value) | Q(path__startswith=actor.path)


@dataclass(frozen=True)
class Approved(Rule):
    """Approved versions only, in any open scope: what is in force is public, what is being prepared is not."""

    def sql(self, table: str) -> str:
        return "(SELECT sangyu.scope_path()) IS NOT NULL AND \"state\" = 'approved'"

    def q(self, actor: Actor) -> Q:
        return Q(state=State.APPROVED.value)


class VersionQuerySet(DatedQuerySet):
    def approved(self) -> "VersionQuerySet":
        return self.filter(state=State.APPROVED)

    def in_force(self, day: date) -> "VersionQuerySet":
        """Approved versions that hold on ``day``."""
        return self.approved().on(day)


class PolicyVersion(DatedRow):
    """One version of one policy of a region: its YAML text and SHA-256, who wrote it, who approved it, which document allows it.

    Columns besides the text repeat what the text says, for lists and constraints. An approved text never changes (trigger in
    sql/functions.sql); approved versions of one code and region do not overlap. ``valid_to`` of an approved version is set by
    ending it or by the next version.
    """

    code = models.CharField(_("Policy code"), max_length=60)
    number = models.PositiveIntegerField(_("Version"))
    name = models.CharField(_("Policy"), max_length=100)
    subject = models.CharField(_("Paid to"), max_length=12, choices=Subject.choices)
    period = models.CharField(_("How often"), max_length=10, choices=PeriodKind.choices)
    text = models.TextField(_("Text"))
    digest = models.CharField(_("SHA-256"), max_length=64)
    document = models.ForeignKey(
        "documents.Document",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("Document"),
    )
    clause = models.CharField(_("Clause"), max_length=100, blank=True)
    state = models.CharField(_("State"), max_length=10, choices=State.choices, default=State.DRAFT)
    author = models.CharField(_("Written by"), max_length=100)
    author_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    approved_by = models.CharField(_("Approved by"), max_length=100, blank=True)
    approver_id = models.BigIntegerField(null=True)
    approved_at = models.DateTimeField(_("Approved at"), null=True)
    based_on = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Made from")
    )
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Region"))
    path = PathField(db_index=True)

    scope = Scope(
        staff=PublishedOnceApproved(), provider=Approved(), worker=Approved(), family=Approved(), job=Published()
    )
    history = History()
    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy version")
        ordering = ["code", "path", "-number"]
        constraints = [
            not_empty("policy_version"),
            no_overlap("policy_version", "code", "region", condition=Q(state=State.APPROVED.value)),
            models.UniqueConstraint(fields=["code", "region", "number"], name="policy_version_number"),
            models.CheckConstraint(
                name="policy_version_approved_whole",
                condition=~Q(state=State.APPROVED.value)
                | (Q(approved_at__isnull=False, document__isnull=False) & ~Q(approved_by="")),
            ),
            models.CheckConstraint(
                name="policy_version_four_eyes",
                condition=Q(approver_id__isnull=True)
                | Q(author_id__isnull=True)
                | ~Q(approver_id=models.F("author_id")),
            ),
            models.CheckConstraint(name="policy_version_state", condition=Q(state__in=State.values)),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"

    def standing_on(self, day: date) -> Standing:
        """How the version stands on ``day``."""
        if self.state != State.APPROVED:
            return Standing(self.state)
        if day < self.valid_from:
            return Standing.FUTURE
        return Standing.IN_FORCE if self.holds_on(day) else Standing.ENDED

    @property
    def standing(self) -> Standing:
        return self.standing_on(timezone.localdate())


class Trial(PlaceRow):
    """One what-if: the text tried instead of ``version``, for whom, and the figures that came out. Pays nobody anything."""

    version = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="trials")
    against = models.ForeignKey(PolicyVersion, null=True, on_delete=models.CASCADE, related_name="+")
    text = models.TextField()
    month = models.DateField()
    figures = models.JSONField(null=True)
    operation_id = models.BigIntegerField(null=True)
    account_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now)

    scope = Scope(staff=Within())

    class Meta:
        verbose_name = _("trial")
        indexes = [models.Index(fields=["version", "-id"], name="policy_trial_version")]

    def __str__(self) -> str:
        return f"{self.version} {self.month:%Y-%m}"
