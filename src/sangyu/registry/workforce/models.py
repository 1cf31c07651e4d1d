"""Who goes to the elder: workers with what gates their dispatch (R-151, R-152, R-157) and when they are free."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField, tail, whole
from sangyu.kernel.dated import DatedQuerySet, DatedRow, no_overlap, not_empty
from sangyu.kernel.geo import point_constraint
from sangyu.kernel.identity import phone_digits
from sangyu.kernel.scoping import Everyone, PathField, Published, Scope, ScopedQuerySet, Shared, Subject, Via
from sangyu.kernel.workflow import TransitionLog
from sangyu.registry.catalogue.enums import Skill

from .enums import ClearanceKind, Graduate, LeaveKind, Post, Sex, State, Weekday


class Worker(models.Model):
    """One engagement of a person with an organisation. ID and phone are encrypted; families see the workers of their visits."""

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="workers", verbose_name=_("Organisation")
    )
    name = models.CharField(max_length=50, verbose_name=_("Name"))
    pinyin = models.CharField(max_length=100, blank=True, db_collation="C", editable=False)
    initials = models.CharField(max_length=50, blank=True, db_collation="C", editable=False)
    sex = models.CharField(max_length=1, choices=Sex.choices, verbose_name=_("Sex"))
    birth_date = models.DateField(null=True, blank=True, verbose_name=_("Birth date"))
    id_number = EncryptedTextField(
        purpose="workforce.worker.id_number",
        verbose_name=_("ID number"),
        indexes={"id_index": whole("workforce.worker.id_number"), "id_tail": tail("workforce.worker.id_number")},
    )
    id_index = models.BinaryField(max_length=16, null=True, editable=False)
    id_tail = models.BinaryField(max_length=8, null=True, editable=False)
    phone = EncryptedTextField(
        purpose="workforce.worker.phone",
        verbose_name=_("Phone"),
        indexes={
            "phone_index": whole("workforce.worker.phone", phone_digits),
            "phone_tail": tail("workforce.worker.phone", phone_digits),
        },
    )
    phone_index = models.BinaryField(max_length=16, null=True, editable=False)
    phone_tail = models.BinaryField(max_length=8, null=True, editable=False)
    post = models.CharField(max_length=20, choices=Post.choices, default=Post.CARER, verbose_name=_("Post"))
    graduate_of = models.CharField(
        max_length=20, choices=Graduate.choices, blank=True, default="", verbose_name=_("Elder-care diploma")
    )
    languages = ArrayField(models.CharField(max_length=20), default=list, blank=True, verbose_name=_("Languages"))
    introduction = models.CharField(max_length=500, blank=True, verbose_name=_("Introduction"))
    latitude = models.FloatField(null=True, blank=True, verbose_name=_("Latitude"))
    longitude = models.FloatField(null=True, blank=True, verbose_name=_("Longitude"))
    rating = models.DecimalField(max_digits=3, decimal_places=2, null=True, editable=False, verbose_name=_("Rating"))
    state = models.CharField(max_length=10, choices=State.choices, default=State.CANDIDATE, verbose_name=_("State"))
    admitted_at = models.DateTimeField(null=True, editable=False, verbose_name=_("Admitted at"))
    left_at = models.DateTimeField(null=True, editable=False, verbose_name=_("Left at"))
    account_id = models.BigIntegerField(null=True, editable=False, verbose_name=_("Account"))
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("Created at"))
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Region"))
    path = PathField(db_index=True)

    scope = Scope(
        staff=Published(), provider=Subject("organisation_id"), worker=Subject("id"), family=Shared("id", "worker")
    )
    history = History(hidden=("pinyin", "initials", "rating", "id_index", "id_tail", "phone_index", "phone_tail"))
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Worker")
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["organisation", "state"], name="worker_organisation"),
            models.Index(fields=["pinyin", "id"], name="worker_pinyin"),
            models.Index(fields=["initials", "id"], name="worker_initials"),
            models.Index(fields=["id_tail"], name="worker_id_tail", condition=Q(id_tail__isnull=False)),
            models.Index(fields=["phone_tail"], name="worker_phone_tail", condition=Q(phone_tail__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "id_index"],
                name="worker_once",
                condition=~Q(state=State.LEFT),
            ),
            models.CheckConstraint(
                name="worker_rating_range", condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=5)
            ),
            point_constraint("worker"),
            models.CheckConstraint(
                name="worker_left_fits_state", condition=Q(state=State.LEFT) ^ Q(left_at__isnull=True)
            ),
            models.CheckConstraint(
                name="worker_admitted_fits_state",
                condition=Q(state=State.LEFT) | (Q(state=State.CANDIDATE) ^ Q(admitted_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.name


OWN = Scope(
    staff=Via("worker_id", "workforce.Worker"),
    provider=Via("worker_id", "workforce.Worker"),
    worker=Subject("worker_id"),
)


class WorkerLog(TransitionLog):
    """Trail of an engagement."""

    worker = models.ForeignKey(Worker, on_delete=models.CASCADE, related_name="trail", verbose_name=_("Worker"))

    scope = OWN
    objects = ScopedQuerySet.as_manager()


class Certificate(DatedRow):
    """A professional certificate for one skill (R-151). Families see those of the workers they see."""

    worker = models.ForeignKey(Worker, on_delete=models.CASCADE, related_name="certificates", verbose_name=_("Worker"))
    skill = models.CharField(
        max_length=20, choices=[c for c in Skill.choices if c[0] != Skill.NONE], verbose_name=_("Skill")
    )
    level = models.CharField(max_length=20, blank=True, verbose_name=_("Level"))
    number = models.CharField(max_length=60, verbose_name=_("Number"))
    issuer = models.CharField(max_length=100, blank=True, verbose_name=_("Issuer"))
    file = models.ForeignKey(
        "kernel.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("File")
    )

    scope = Scope(
        staff=Via("worker_id", "workforce.Worker"),
        provider=Via("worker_id", "workforce.Worker"),
        worker=Subject("worker_id"),
        family=Via("worker_id", "workforce.Worker"),
    )
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Certificate")
        ordering = ["skill", "-valid_from"]
        constraints = [
            not_empty("certificate"),
            no_overlap("certificate", "worker", "skill", "number"),
            models.CheckConstraint(name="certificate_has_skill", condition=~Q(skill=Skill.NONE)),
        ]

    def __str__(self) -> str:
        return f"{self.get_skill_display()} {self.number}"


class Clearance(DatedRow):
    """Entry training, health check or background check with validity; each gates dispatch (R-152, R-157)."""

    worker = models.ForeignKey(Worker, on_delete=models.CASCADE, related_name="clearances", verbose_name=_("Worker"))
    kind = models.CharField(max_length=20, choices=ClearanceKind.choices, verbose_name=_("Kind"))
    note = models.CharField(max_length=200, blank=True, verbose_name=_("Note"))
    file = models.ForeignKey(
        "kernel.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("File")
    )

    scope = OWN
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Clearance")
        ordering = ["kind", "-valid_from"]
        constraints = [not_empty("clearance"), no_overlap("clearance", "worker", "kind")]

    def __str__(self) -> str:
        return self.get_kind_display()


class DateTimeRange(Func):
    function = "tstzrange"
    output_field = DateTimeRangeField()


class Leave(models.Model):
    """Time away, ``[starts, ends)``. Leaves of one worker do not overlap."""

    worker = models.ForeignKey(Worker, on_delete=models.CASCADE, related_name="leaves", verbose_name=_("Worker"))
    kind = models.CharField(max_length=10, choices=LeaveKind.choices, verbose_name=_("Kind"))
    starts = models.DateTimeField(_("Starts"))
    ends = models.DateTimeField(_("Ends"))
    note = models.CharField(max_length=200, blank=True, verbose_name=_("Note"))

    scope = OWN
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Leave")
        ordering = ["-starts"]
        constraints = [
            models.CheckConstraint(name="leave_not_empty", condition=Q(ends__gt=F("starts"))),
            ExclusionConstraint(
                name="leave_no_overlap",
                expressions=[
                    ("worker", RangeOperators.EQUAL),
                    (DateTimeRange("starts", "ends"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.starts:%Y-%m-%d}"


class Shift(DatedRow):
    """Weekly working hours. A worker without any is taken to be free at all times."""

    worker = models.ForeignKey(Worker, on_delete=models.CASCADE, related_name="shifts", verbose_name=_("Worker"))
    weekday = models.PositiveSmallIntegerField(choices=Weekday.choices, verbose_name=_("Weekday"))
    starts = models.TimeField(_("Starts"))
    ends = models.TimeField(_("Ends"))

    scope = OWN
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Weekly hours")
        ordering = ["weekday", "starts"]
        constraints = [
            not_empty("shift"),
            models.CheckConstraint(name="shift_hours", condition=Q(ends__gt=F("starts"))),
            no_overlap("shift", "worker", "weekday", "starts"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.starts:%H:%M}–{self.ends:%H:%M}"


class Duty(DatedRow):
    """One version of the duties of a post, published by a region (R-158)."""

    post = models.CharField(max_length=20, choices=Post.choices, verbose_name=_("Post"))
    title = models.CharField(max_length=100, verbose_name=_("Title"))
    text = models.TextField(_("Text"))
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Region"))
    path = PathField(db_index=True)

    scope = Scope(
        staff=Published(),
        provider=Everyone("published duties without personal data"),
        worker=Everyone("published duties without personal data"),
    )
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Duties")
        ordering = ["post", "-valid_from"]
        constraints = [not_empty("duty"), no_overlap("duty", "path", "post")]

    def __str__(self) -> str:
        return self.title


class Acknowledgement(models.Model):
    """The worker has read one version of the duties of its post."""

    worker = models.ForeignKey(
        Worker, on_delete=models.CASCADE, related_name="acknowledgements", verbose_name=_("Worker")
    )
    duty = models.ForeignKey(Duty, on_delete=models.PROTECT, related_name="acknowledgements", verbose_name=_("Duty"))
    at = models.DateTimeField(default=timezone.now, verbose_name=_("At"))

    scope = OWN
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Acknowledgement")
        constraints = [models.UniqueConstraint(fields=["worker", "duty"], name="acknowledgement_once")]

    def __str__(self) -> str:
        return f"{self.worker_id} {self.duty_id}"


class Honour(models.Model):
    """A competition result or award on the worker's file (R-156)."""

    worker = models.ForeignKey(Worker, on_delete=models.CASCADE, related_name="honours", verbose_name=_("Worker"))
    title = models.CharField(max_length=100, verbose_name=_("Title"))
    issuer = models.CharField(max_length=100, blank=True, verbose_name=_("Issuer"))
    awarded_on = models.DateField(_("Awarded on"))

    scope = Certificate.scope
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Honour")
        ordering = ["-awarded_on"]

    def __str__(self) -> str:
        return self.title
