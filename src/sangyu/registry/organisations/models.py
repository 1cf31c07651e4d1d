"""Who may be sent: providers with licences, capability, operating mode (models here), contracts and prices (contract_models)."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.dated import DatedQuerySet, DatedRow, no_overlap, not_empty
from sangyu.kernel.geo import point_constraint
from sangyu.kernel.scoping import PathField, Published, Scope, ScopedQuerySet, Shared, Subject, Via
from sangyu.kernel.workflow import TransitionLog, stamp_constraints
from sangyu.registry.catalogue.enums import Category, LicenceKind

from .enums import LegalForm, OperatingMode, State


class Organisation(models.Model):
    """A body that gives services: one site, or the operator of several (R-006, R-007).

    ``region`` answers for it; a body that serves several counties is registered with the city. Staff of the region, of those
    above and of those below see it; a provider sees itself, a worker its employer, a family the directory of its region.
    """

    name = models.CharField(max_length=100, verbose_name=pgettext_lazy("thing", "Name"))
    short_name = models.CharField(max_length=30, blank=True, verbose_name=_("Short name"))
    pinyin = models.CharField(max_length=100, blank=True, db_collation="C", editable=False)
    initials = models.CharField(max_length=50, blank=True, db_collation="C", editable=False)
    legal_form = models.CharField(max_length=30, choices=LegalForm.choices, verbose_name=_("Legal form"))
    credit_code = models.CharField(max_length=18, blank=True, db_collation="C", verbose_name=_("Credit code"))
    operator = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="sites", verbose_name=_("Operator")
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT, verbose_name=_("State"))
    approved_at = models.DateTimeField(null=True, editable=False, verbose_name=_("Approved at"))
    ended_at = models.DateTimeField(null=True, editable=False, verbose_name=_("Ended at"))
    address = models.CharField(max_length=200, blank=True, verbose_name=_("Address"))
    latitude = models.FloatField(null=True, blank=True, verbose_name=_("Latitude"))
    longitude = models.FloatField(null=True, blank=True, verbose_name=_("Longitude"))
    phone = models.CharField(max_length=30, blank=True, verbose_name=_("Phone"))
    opening_hours = models.CharField(max_length=100, blank=True, verbose_name=_("Opening hours"))
    introduction = models.CharField(max_length=1000, blank=True, verbose_name=_("Introduction"))
    rating = models.DecimalField(max_digits=3, decimal_places=2, null=True, editable=False, verbose_name=_("Rating"))
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("Created at"))
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Region"))
    path = PathField(db_index=True)

    scope = Scope(staff=Published(), provider=Subject("id"), worker=Shared("id", "organisation"), family=Published())
    history = History(hidden=("pinyin", "initials", "rating"))
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Organisation")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["credit_code"],
                name="organisation_credit_code_once",
                condition=~Q(credit_code="") & ~Q(state=State.ENDED),
            ),
            models.CheckConstraint(
                name="organisation_credit_code_length",
                condition=Q(credit_code="") | Q(credit_code__regex=r"^[0-9A-Z]{18}$"),
            ),
            models.CheckConstraint(
                name="organisation_not_its_own_operator", condition=Q(operator__isnull=True) | ~Q(operator=F("id"))
            ),
            models.CheckConstraint(
                name="organisation_rating_range", condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=5)
            ),
            point_constraint("organisation"),
            *stamp_constraints(
                "organisation",
                {"approved_at": [State.APPROVED, State.SUSPENDED, State.ENDED], "ended_at": [State.ENDED]},
            ),
        ]

    def __str__(self) -> str:
        return self.name


OWN = Scope(staff=Published(), provider=Subject("organisation_id"))
#: Licences and capability are what the public directory shows (R-180).
DIRECTORY = Scope(staff=Published(), provider=Subject("organisation_id"), family=Published())


class OrganisationLog(TransitionLog):
    """Trail of a registration."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="trail", verbose_name=_("Organisation")
    )

    scope = Scope(staff=Via("organisation_id", "organisations.Organisation"), provider=Subject("organisation_id"))
    objects = ScopedQuerySet.as_manager()


class Part(models.Model):
    """Base of an organisation's child rows: seen like the organisation, with its path copied."""

    path = PathField(db_index=True)
    scope = OWN
    history = History()

    class Meta:
        abstract = True


class Contact(Part):
    """A person to call at an organisation. Kept apart: the register is public, its people are not."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="contacts", verbose_name=_("Organisation")
    )
    name = models.CharField(max_length=50, verbose_name=_("Name"))
    post = models.CharField(max_length=50, blank=True, verbose_name=_("Post"))
    phone = models.CharField(max_length=30, verbose_name=_("Phone"))
    is_main = models.BooleanField(default=False, verbose_name=_("Main contact"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Contact")
        ordering = ["-is_main", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organisation"], name="contact_one_main", condition=Q(is_main=True)),
        ]

    def __str__(self) -> str:
        return self.name


class Licence(Part, DatedRow):
    """A licence with its validity. Without one that holds, the organisation cannot take services that ask for its kind."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="licences", verbose_name=_("Organisation")
    )
    kind = models.CharField(
        max_length=20, choices=[c for c in LicenceKind.choices if c[0] != LicenceKind.NONE], verbose_name=_("Kind")
    )
    number = models.CharField(max_length=60, verbose_name=_("Number"))
    issuer = models.CharField(max_length=100, blank=True, verbose_name=_("Issuer"))
    file = models.ForeignKey(
        "kernel.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("File")
    )

    scope = DIRECTORY
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Licence")
        ordering = ["kind", "-valid_from"]
        constraints = [
            not_empty("licence"),
            no_overlap("licence", "organisation", "kind", "number"),
            models.CheckConstraint(name="licence_has_kind", condition=~Q(kind=LicenceKind.NONE)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"


class Capability(Part, DatedRow):
    """The organisation gives services of ``category`` in ``area`` and below (R-008)."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="capabilities", verbose_name=_("Organisation")
    )
    category = models.CharField(max_length=20, choices=Category.choices, verbose_name=_("Category"))
    area = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Area"))
    area_path = PathField(db_index=True)

    scope = DIRECTORY
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Capability")
        ordering = ["category", "area_path"]
        constraints = [not_empty("capability"), no_overlap("capability", "organisation", "category", "area")]

    def __str__(self) -> str:
        return f"{self.get_category_display()} · {self.area}"


class Mode(Part, DatedRow):
    """How the site is run, dated (R-179)."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="modes", verbose_name=_("Organisation")
    )
    mode = models.CharField(max_length=20, choices=OperatingMode.choices, verbose_name=_("Mode"))
    note = models.CharField(max_length=200, blank=True, verbose_name=_("Note"))

    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Operating mode")
        ordering = ["-valid_from"]
        constraints = [not_empty("mode"), no_overlap("mode", "organisation")]

    def __str__(self) -> str:
        return self.get_mode_display()


from .contract_models import Contract, ContractLog, Price  # noqa: E402

__all__ = [
    "Capability",
    "Contact",
    "Contract",
    "ContractLog",
    "Licence",
    "Mode",
    "Organisation",
    "OrganisationLog",
    "Price",
]
