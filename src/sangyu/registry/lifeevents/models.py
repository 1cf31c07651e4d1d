"""Life events, their check lists and whom they were told to (docs/rooms/lifeevents.md)."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import PlaceRow, Scope, ScopedQuerySet, Subject, Via, Within

from .enums import Item, ItemState, Kind, ReportedBy


class LifeEvent(PlaceRow):
    """Something that happened to a person on a day, who said so, and the proof. Taking back keeps the row."""

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="life_events")
    kind = models.CharField(_("Kind"), max_length=12, choices=Kind.choices)
    on = models.DateField(_("On"))
    reported_by = models.CharField(_("Reported by"), max_length=12, choices=ReportedBy.choices)
    source = models.CharField(_("Source"), max_length=100)
    place = models.CharField(_("Institution or hospital"), max_length=200, blank=True)
    evidence = models.ForeignKey(
        "kernel.StoredFile",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("Evidence"),
    )
    recorded_at = models.DateTimeField(_("Recorded"), default=timezone.now)
    account_id = models.BigIntegerField(null=True)
    actor = models.CharField(_("Recorded by"), max_length=100)
    assigned = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("In the hands of")
    )
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=100, blank=True)
    withdrawn_reason = models.CharField(max_length=300, blank=True)
    closed_at = models.DateTimeField(_("All done"), null=True)
    #: [audience, subject, kind] of each share that the event ended, to give back after a mistake.
    ended_shares = models.JSONField(default=list)

    follows = "person"
    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("life event")
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                name="life_event_one_death",
                condition=Q(kind=Kind.DEATH.value, withdrawn_at__isnull=True),
            ),
            models.CheckConstraint(name="life_event_kind", condition=Q(kind__in=Kind.values)),
            models.CheckConstraint(
                name="life_event_withdrawn_whole",
                condition=Q(withdrawn_at__isnull=True, withdrawn_reason="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_reason="")),
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-on"], name="life_event_person"),
            models.Index(fields=["path", "-id"], name="life_event_newest"),
            models.Index(fields=["path"], name="life_event_open", condition=Q(closed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on}"


class LifeEventItem(models.Model):
    """One line of a check list: open, done (by a room or by a person), or not needed and why."""

    event = models.ForeignKey(LifeEvent, on_delete=models.PROTECT, related_name="items")
    item = models.CharField(max_length=20, choices=Item.choices)
    state = models.CharField(max_length=10, choices=ItemState.choices, default=ItemState.OPEN)
    note = models.CharField(_("Note"), max_length=300, blank=True)
    automatic = models.BooleanField(default=False)
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=100, blank=True)

    scope = Scope(staff=Via("event_id", "lifeevents.LifeEvent"))
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("item of a check list")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["event", "item"], name="life_event_item_once"),
            models.CheckConstraint(
                name="life_event_item_dated",
                condition=Q(state=ItemState.OPEN.value, done_at__isnull=True)
                | (~Q(state=ItemState.OPEN.value) & Q(done_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_item_display())


class Notice(PlaceRow):
    """What a party was told of a life event: a provider, a worker or a relative, by subject, without personal data."""

    event = models.ForeignKey(LifeEvent, on_delete=models.PROTECT, related_name="notices")
    audience = models.CharField(max_length=10)
    subject_id = models.BigIntegerField()
    text = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    scope = Scope(
        staff=Within(),
        provider=Subject("subject_id", "audience"),
        worker=Subject("subject_id", "audience"),
        family=Subject("subject_id", "audience"),
    )

    class Meta:
        verbose_name = _("notice")
        constraints = [
            models.UniqueConstraint(fields=["event", "audience", "subject_id"], name="life_event_notice_once"),
        ]

    def __str__(self) -> str:
        return self.text
