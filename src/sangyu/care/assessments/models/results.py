"""What follows from a decision, and results of earlier scales."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import PlaceRow, Scope, Via, Within

from ..enums import NeedKind, Setting
from .process import Assessment, of_person
from .registers import InstrumentVersion


class SettingChoice(PlaceRow):
    """The recommended setting of care, by which rule, and what a person made of it (R-032)."""

    assessment = models.OneToOneField(Assessment, on_delete=models.PROTECT, related_name="setting")
    recommended = models.CharField(_("Recommended"), max_length=20, choices=Setting.choices)
    rule = models.CharField(max_length=40)
    rule_text = models.CharField(_("Rule"), max_length=200)
    chosen = models.CharField(_("Chosen"), max_length=20, choices=Setting.choices, blank=True)
    reason = models.CharField(_("Reason"), max_length=300, blank=True)
    chosen_at = models.DateTimeField(_("Chosen at"), null=True)
    chosen_by = models.CharField(_("Chosen by"), max_length=100, blank=True)

    scope = Scope(staff=Within(), family=Via("assessment_id", "assessments.Assessment"))
    history = History()

    class Meta:
        verbose_name = _("setting of care")
        constraints = [
            models.CheckConstraint(
                name="setting_override_has_reason",
                condition=Q(chosen="") | Q(chosen=F("recommended")) | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="setting_chosen_whole",
                condition=Q(chosen="", chosen_at__isnull=True) | (~Q(chosen="") & Q(chosen_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.recommended

    @property
    def overridden(self) -> bool:
        return bool(self.chosen) and self.chosen != self.recommended


class Need(PlaceRow):
    """What a person needs, first things first; replaced as a whole by the next assessment (R-037).

    Without ``assessment`` it was named at the door: ``source`` says by which screening.
    """

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    assessment = models.ForeignKey(Assessment, null=True, on_delete=models.PROTECT, related_name="need_rows")
    source = models.CharField(_("Source"), max_length=100, blank=True)
    kind = models.CharField(_("Need"), max_length=20, choices=NeedKind.choices)
    rank = models.PositiveSmallIntegerField(_("Rank"))
    noted_on = models.DateField(_("Noted on"))
    ended_on = models.DateField(pgettext_lazy("assessments", "Ended on"), null=True)

    follows = "person"
    scope = of_person()
    history = History()

    class Meta:
        verbose_name = pgettext_lazy("thing", "need")
        constraints = [
            models.UniqueConstraint(fields=["assessment", "kind"], name="need_once"),
            models.UniqueConstraint(fields=["assessment", "rank"], name="need_rank_once"),
            models.CheckConstraint(name="need_has_source", condition=Q(assessment__isnull=False) | ~Q(source="")),
        ]
        indexes = [models.Index(fields=["path", "kind"], name="need_live", condition=Q(ended_on__isnull=True))]

    def __str__(self) -> str:
        return f"{self.rank} {self.get_kind_display()}"


class PastResult(PlaceRow):
    """A result of an earlier scale, imported: beside the present one, never merged with it (standards §3)."""

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(InstrumentVersion, on_delete=models.PROTECT, related_name="+", verbose_name=_("Scale"))
    assessed_on = models.DateField(_("Assessed on"))
    parts = models.JSONField(_("Parts"), default=dict)
    level = models.SmallIntegerField(_("Level"))
    computed = models.SmallIntegerField(_("Level by the rule"), null=True)
    body_name = models.CharField(_("Assessment body"), max_length=100, blank=True)
    source = models.CharField(_("Source"), max_length=100)
    recorded_at = models.DateTimeField(default=timezone.now)

    follows = "person"
    scope = of_person()
    history = History()

    class Meta:
        verbose_name = _("imported result")
        constraints = [
            models.UniqueConstraint(fields=["person", "version", "assessed_on"], name="past_result_once"),
        ]

    def __str__(self) -> str:
        return f"{self.assessed_on} {self.level}"
