"""Facilities, their dated facts, and stays (docs/rooms/facilities.md)."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.dated import DatedQuerySet, DatedRow, no_overlap, not_empty
from sangyu.kernel.facts import DatedFact, fact_constraints
from sangyu.kernel.geo import point_constraint
from sangyu.kernel.scoping import PathField, PlaceRow, Published, Scope, ScopedQuerySet, Shared, Subject, Via, Within

from .enums import FACT_VALUES, EndReason, FactKind, Kind, UrbanRural


class Facility(models.Model):
    """One place. ``organisation`` runs it; a public place without an operator has none.

    What changes with time (operation, rating, inspection) is a dated fact, so that a policy reads the right day.
    """

    name = models.CharField(pgettext_lazy("thing", "Name"), max_length=100)
    kind = models.CharField(_("Kind"), max_length=20, choices=Kind.choices)
    number = models.CharField(_("Register number"), max_length=40, blank=True, db_collation="C")
    organisation = models.ForeignKey(
        "organisations.Organisation", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=pgettext_lazy("facility", "Operator"),
    )  # fmt: skip
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Area"))
    path = PathField(db_index=True)
    address = models.CharField(_("Address"), max_length=200, blank=True)
    latitude = models.FloatField(_("Latitude"), null=True, blank=True)
    longitude = models.FloatField(_("Longitude"), null=True, blank=True)
    telephone = models.CharField(_("Telephone"), max_length=30, blank=True)
    beds = models.PositiveIntegerField(_("Beds"), default=0)
    opened_on = models.DateField(_("Opened on"))
    urban_rural = models.CharField(_("Urban or rural"), max_length=10, choices=UrbanRural.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    scope = Scope(staff=Published(), provider=Subject("organisation_id"), family=Published())
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("facility")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="facility_number_once", condition=~Q(number="")),
            point_constraint("facility"),
        ]

    def __str__(self) -> str:
        return self.name


class FacilityFact(DatedFact):
    """A dated fact of a facility: rating, inspection, operation."""

    subject = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="facts")

    follows = "subject"
    about = ""
    seen = Via("subject_id", "facilities.Facility")
    scope = Scope(staff=Published(), provider=seen, family=Published())
    history = History()

    class Meta:
        verbose_name = _("fact of a facility")
        constraints = [
            *fact_constraints("facility_fact"),
            models.CheckConstraint(
                name="facility_fact_value",
                condition=models.Q(
                    *(Q(kind=str(kind), value__in=[str(v) for v in values]) for kind, values in FACT_VALUES.items()),
                    _connector=Q.OR,
                ),
            ),
        ]

    @property
    def kind_label(self) -> str:
        return str(FactKind(self.kind).label)

    @property
    def value_label(self) -> str:
        return str(FACT_VALUES[self.kind][self.value])


class Stay(PlaceRow, DatedRow):
    """A person lives in a facility in ``[valid_from, valid_to)``. ``path`` is the person's: the file brings it along."""

    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="stays", verbose_name=_("Facility"))
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder"))
    bed = models.CharField(_("Bed"), max_length=20, blank=True)
    end_reason = models.CharField(_("Why it ended"), max_length=20, choices=EndReason.choices, blank=True)
    source = models.CharField(_("Source"), max_length=100)
    recorded_at = models.DateTimeField(_("Recorded at"), default=timezone.now, editable=False)

    follows = "person"
    scope = Scope(staff=Within(), family=Shared("person_id", "person"))
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("stay")
        ordering = ["-valid_from", "-id"]
        constraints = [
            not_empty("stay"),
            no_overlap("stay", "person"),
            no_overlap("stay_bed", "facility", "bed", condition=~Q(bed="")),
            models.CheckConstraint(name="stay_end_reason", condition=Q(valid_to__isnull=False) | Q(end_reason="")),
        ]
        indexes = [models.Index(fields=["facility", "valid_from"], name="stay_facility")]

    def __str__(self) -> str:
        return f"{self.facility} {self.valid_from}"
