"""Orders with their offers, evidence, trail, agreements, return visits, refunds and fee rules."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import PathField, PlaceRow, Published, Scope, ScopedQuerySet, Shared, Subject, Via, Within
from sangyu.kernel.workflow import TransitionLog, stamp_constraints

from .enums import (
    BOOKED_STATES,
    OPEN_STATES,
    AgreementState,
    Channel,
    EvidenceKind,
    OfferState,
    ReturnVisitReason,
    ReturnVisitState,
    State,
)


class TimeRange(Func):
    function = "tstzrange"
    output_field = DateTimeRangeField()


class OrderQuerySet(ScopedQuerySet):
    def open(self) -> "OrderQuerySet":
        """Orders in which somebody still has to do something."""
        return self.filter(state__in=OPEN_STATES)

    def booked(self) -> "OrderQuerySet":
        """Orders that take a worker's time."""
        return self.filter(state__in=BOOKED_STATES)

    def on_day(self, start, end) -> "OrderQuerySet":
        """Orders planned to start in ``[start, end)``."""
        return self.filter(planned_start__gte=start, planned_start__lt=end)


class Order(PlaceRow):
    """One need of one elder for one item at one time. Money in fen; market = concession + voucher + public pay + self
    pay.
    """

    number = models.CharField(max_length=30, unique=True, db_collation="C")
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=50, db_collation="C")
    item = models.ForeignKey("catalogue.ServiceItem", on_delete=models.PROTECT, related_name="+")
    item_name = models.CharField(max_length=60)
    quantity = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])
    planned_start = models.DateTimeField()
    planned_end = models.DateTimeField()
    address = models.CharField(max_length=200)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    wishes = models.CharField(max_length=300, blank=True)
    worker_sex = models.CharField(max_length=1, blank=True)
    preferred_worker = models.ForeignKey("workforce.Worker", null=True, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    requested_by = models.CharField(max_length=60)
    agreement = models.ForeignKey("orders.Agreement", null=True, on_delete=models.PROTECT, related_name="orders")
    #: The caller's own number of the request; ``key_account`` is whose number it is (0: no account, a job).
    key = models.CharField(max_length=80, null=True)
    key_account = models.BigIntegerField(default=0)

    fee_tier = models.CharField(max_length=12, blank=True)
    market_price = models.BigIntegerField(default=0)
    concession = models.BigIntegerField(default=0)
    voucher_amount = models.BigIntegerField(default=0)
    public_pay = models.BigIntegerField(default=0)
    self_pay = models.BigIntegerField(default=0)
    price_notes = models.JSONField(default=list)
    fee = models.BigIntegerField(default=0)
    hold_round = models.PositiveIntegerField(default=0)

    organisation = models.ForeignKey(
        "organisations.Organisation", null=True, on_delete=models.PROTECT, related_name="+"
    )
    contract = models.ForeignKey("organisations.Contract", null=True, on_delete=models.PROTECT, related_name="+")
    worker = models.ForeignKey("workforce.Worker", null=True, on_delete=models.PROTECT, related_name="+")
    second_worker = models.ForeignKey("workforce.Worker", null=True, on_delete=models.PROTECT, related_name="+")

    state = models.CharField(max_length=12, choices=State.choices, default=State.REQUESTED)
    requested_at = models.DateTimeField(default=timezone.now)
    dispatch_by = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    departed_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    confirm_by = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.CharField(max_length=60, blank=True)
    settled_at = models.DateTimeField(null=True)
    statement_id = models.BigIntegerField(null=True)
    closed_at = models.DateTimeField(null=True)
    warned_dispatch_at = models.DateTimeField(null=True)
    warned_accept_at = models.DateTimeField(null=True)
    warned_missed_at = models.DateTimeField(null=True)
    minutes = models.PositiveIntegerField(null=True)
    rating = models.PositiveSmallIntegerField(null=True, validators=[MinValueValidator(1), MaxValueValidator(5)])
    comment = models.CharField(max_length=500, blank=True)
    flagged = models.CharField(max_length=200, blank=True)

    scope = Scope(
        staff=Within(),
        provider=Subject("organisation_id"),
        worker=Shared("id", "order"),
        family=Shared("person_id", "visits"),
    )
    history = History()
    objects = OrderQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["path", "-id"], name="order_path_newest"),
            models.Index(fields=["person", "-id"], name="order_person_newest"),
            models.Index(fields=["organisation", "-id"], name="order_organisation_newest"),
            models.Index(fields=["person_name", "-id"], name="order_person_name"),
            models.Index(
                fields=["state", "planned_start"],
                name="order_state_start",
                condition=Q(state__in=[str(s) for s in OPEN_STATES]),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["key", "key_account"], name="order_key_once_per_caller"),
            models.CheckConstraint(
                name="order_price_adds_up",
                condition=Q(market_price=F("concession") + F("voucher_amount") + F("public_pay") + F("self_pay")),
            ),
            models.CheckConstraint(
                name="order_amounts_not_negative",
                condition=Q(
                    market_price__gte=0,
                    concession__gte=0,
                    voucher_amount__gte=0,
                    public_pay__gte=0,
                    self_pay__gte=0,
                    fee__gte=0,
                ),
            ),
            models.CheckConstraint(name="order_ends_after_start", condition=Q(planned_end__gt=F("planned_start"))),
            models.CheckConstraint(
                name="order_has_worker_once_accepted",
                condition=~Q(
                    state__in=["accepted", "on_the_way", "arrived", "done", "confirmed", "settled", "disputed"]
                )
                | Q(worker__isnull=False, organisation__isnull=False),
            ),
            ExclusionConstraint(
                name="order_worker_not_double_booked",
                expressions=[
                    ("worker", RangeOperators.EQUAL),
                    (TimeRange("planned_start", "planned_end"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=[str(s) for s in BOOKED_STATES]) & Q(worker__isnull=False),
            ),
            ExclusionConstraint(
                name="order_second_worker_not_double_booked",
                expressions=[
                    ("second_worker", RangeOperators.EQUAL),
                    (TimeRange("planned_start", "planned_end"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=[str(s) for s in BOOKED_STATES]) & Q(second_worker__isnull=False),
            ),
            *stamp_constraints(
                "order",
                {
                    "settled_at": [State.SETTLED],
                    "closed_at": [State.CANCELLED, State.NO_SHOW],
                },
            ),
            models.CheckConstraint(
                name="order_confirmed_is_dated",
                condition=~Q(state__in=["confirmed", "settled"])
                | Q(confirmed_at__isnull=False, done_at__isnull=False, arrived_at__isnull=False),
            ),
            models.CheckConstraint(
                name="order_early_states_have_no_visit",
                condition=~Q(state__in=["requested", "received", "offered"])
                | Q(arrived_at__isnull=True, done_at__isnull=True, confirmed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def state_tone(self) -> str:
        """Status colour of the state."""
        return State(self.state).tone


class OrderLog(TransitionLog):
    """Trail of an order: one row per applied transition (R-085)."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="log")
    scope = Scope(
        staff=Via("order_id", "orders.Order"),
        provider=Via("order_id", "orders.Order"),
        worker=Via("order_id", "orders.Order"),
        family=Via("order_id", "orders.Order"),
    )
    objects = ScopedQuerySet.as_manager()


class Offer(models.Model):
    """An order shown to a provider (and a worker) for an answer by a time. The ranking it came from is kept."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="offers")
    path = PathField(db_index=True)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    worker = models.ForeignKey("workforce.Worker", null=True, on_delete=models.PROTECT, related_name="+")
    second_worker = models.ForeignKey("workforce.Worker", null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=OfferState.choices, default=OfferState.OPEN)
    sent_at = models.DateTimeField()
    answer_by = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=300, blank=True)
    score = models.PositiveSmallIntegerField(null=True)
    rank = models.PositiveSmallIntegerField(null=True)
    reasons = models.JSONField(default=list)
    override_reason = models.CharField(max_length=300, blank=True)

    scope = Scope(staff=Within(), provider=Subject("organisation_id"), worker=Via("order_id", "orders.Order"))
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order"], condition=Q(state="open"), name="offer_one_open_per_order"),
            models.CheckConstraint(
                name="offer_answered_at_fits_state",
                condition=(Q(state="open") & Q(answered_at__isnull=True))
                | (~Q(state="open") & Q(answered_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} → {self.organisation_id}"


class Evidence(models.Model):
    """One proof of the visit: place, code, photo, signature, item, or the reason why there is none."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="evidence")
    kind = models.CharField(max_length=10, choices=EvidenceKind.choices)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    accuracy = models.FloatField(null=True)
    distance = models.FloatField(null=True)
    text = models.CharField(max_length=300, blank=True)
    file = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    client_id = models.UUIDField(null=True, unique=True)
    actor = models.CharField(max_length=100)

    scope = Scope(
        staff=Via("order_id", "orders.Order"),
        provider=Via("order_id", "orders.Order"),
        worker=Via("order_id", "orders.Order"),
        family=Via("order_id", "orders.Order"),
    )
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%H:%M}"


class Agreement(PlaceRow):
    """Service agreement of an elder with a provider: items, price, risk notice, signature, term (R-083)."""

    number = models.CharField(max_length=30, unique=True)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=50)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    items = models.JSONField(default=list)
    terms = models.TextField(blank=True)
    risk_notice = models.TextField()
    valid_from = models.DateField()
    valid_to = models.DateField()
    signed_on = models.DateField(null=True)
    signed_by = models.CharField(max_length=60, blank=True)
    signature = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=AgreementState.choices, default=AgreementState.DRAFT)
    ended_on = models.DateField(null=True)

    scope = Scope(staff=Within(), provider=Subject("organisation_id"), family=Shared("person_id", "visits"))
    history = History()

    class Meta:
        constraints = [
            models.CheckConstraint(name="agreement_ends_after_start", condition=Q(valid_to__gte=F("valid_from"))),
            models.CheckConstraint(
                name="agreement_signed_is_dated",
                condition=Q(state="draft") | (Q(signed_on__isnull=False) & ~Q(signed_by="")),
            ),
            models.CheckConstraint(
                name="agreement_ended_is_dated",
                condition=(Q(state="ended") & Q(ended_on__isnull=False))
                | (~Q(state="ended") & Q(ended_on__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class ReturnVisit(PlaceRow):
    """A call-back after a visit: forced for low ratings, disputes and arrivals without proof, sampled otherwise
    (R-084).
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="return_visits")
    reason = models.CharField(max_length=12, choices=ReturnVisitReason.choices)
    due_by = models.DateTimeField()
    state = models.CharField(max_length=4, choices=ReturnVisitState.choices, default=ReturnVisitState.DUE)
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=60, blank=True)
    reached = models.BooleanField(null=True)
    satisfied = models.PositiveSmallIntegerField(null=True)
    result = models.CharField(max_length=500, blank=True)

    history = History()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "reason"], name="return_visit_once_per_reason"),
            models.CheckConstraint(
                name="return_visit_done_is_dated",
                condition=(Q(state="done") & Q(done_at__isnull=False)) | (Q(state="due") & Q(done_at__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.reason}"


class Refund(PlaceRow):
    """Money given back after confirmation; the next statement carries it as a negative line."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds")
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    voucher_amount = models.BigIntegerField(default=0)
    public_pay = models.BigIntegerField(default=0)
    self_pay = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=100)
    statement_id = models.BigIntegerField(null=True)

    scope = Scope(staff=Within(), provider=Subject("organisation_id"), family=Via("order_id", "orders.Order"))
    history = History()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="refund_positive",
                condition=Q(voucher_amount__gte=0, public_pay__gte=0, self_pay__gte=0)
                & ~Q(voucher_amount=0, public_pay=0, self_pay=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} refund"


class FeeRule(models.Model):
    """Who pays what: one published, dated rule per region; the first that fits by ``rank`` gives the tier (R-051 …
    R-055, O-4).

    ``min_age`` and ``facts`` (kind → list of values, all kinds must match) say who; the rest says how much.
    """

    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    path = PathField(db_index=True)
    rank = models.PositiveSmallIntegerField()
    tier = models.CharField(max_length=12)
    title = models.CharField(max_length=100)
    basis = models.CharField(max_length=200)
    min_age = models.PositiveSmallIntegerField(null=True)
    facts = models.JSONField(default=dict)
    concession_percent = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(100)])
    vouchers_allowed = models.BooleanField(default=True)
    rest_paid_by = models.CharField(
        max_length=6, choices=[("self", _("The elder")), ("public", _("Public purchase"))], default="self"
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    scope = Scope(staff=Published(), provider=Published(), worker=Published(), family=Published())
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["rank"]
        constraints = [
            models.UniqueConstraint(fields=["path", "rank", "valid_from"], name="fee_rule_rank_once"),
            models.CheckConstraint(name="fee_rule_percentage", condition=Q(concession_percent__lte=100)),
        ]

    def __str__(self) -> str:
        return self.title


class ServiceRule(models.Model):
    """A region's times and tolerances for orders: published, dated; the deepest region's rule counts."""

    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    path = PathField(db_index=True)
    valid_from = models.DateField(_("In force from"))
    dispatch_minutes = models.PositiveIntegerField(_("Dispatch within (min)"), default=30)
    answer_minutes = models.PositiveIntegerField(_("Answer within (min)"), default=15)
    late_minutes = models.PositiveIntegerField(_("Missed after (min)"), default=15)
    place_tolerance = models.PositiveIntegerField(_("Distance allowed (m)"), default=200)
    confirm_hours = models.PositiveIntegerField(_("Confirms itself after (h)"), default=72)
    low_rating = models.PositiveSmallIntegerField(_("Low rating up to"), default=2, validators=[MaxValueValidator(5)])
    return_visit_working_days = models.PositiveSmallIntegerField(_("Call back within (working days)"), default=2)
    sample_percent = models.PositiveSmallIntegerField(
        _("Call-back sample (%)"), default=5, validators=[MaxValueValidator(100)]
    )
    free_cancel_hours = models.PositiveSmallIntegerField(_("Free cancellation until (h before)"), default=2)
    late_cancel_percent = models.PositiveSmallIntegerField(
        _("Late cancellation fee (%)"), default=20, validators=[MaxValueValidator(100)]
    )
    no_show_percent = models.PositiveSmallIntegerField(
        _("Nobody at home fee (%)"), default=30, validators=[MaxValueValidator(100)]
    )

    scope = Scope(staff=Published(), provider=Published(), worker=Published(), family=Published())
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["path", "valid_from"], name="service_rule_once"),
            models.CheckConstraint(
                name="service_rule_percentages",
                condition=Q(
                    sample_percent__lte=100, late_cancel_percent__lte=100, no_show_percent__lte=100, low_rating__lte=5
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.path} {self.valid_from}"
