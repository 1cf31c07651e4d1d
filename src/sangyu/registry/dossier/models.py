"""Papers, checks, who checks next, and card codes (docs/rooms/dossier.md)."""

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import PlaceRow, Scope, Within

from .enums import PaperKind, Way


class Paper(PlaceRow):
    """A paper of a person's file: the stored file with its kind. Withdrawing hides it; row, bytes and reason stay."""

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="papers")
    kind = models.CharField(_("Kind"), max_length=12, choices=PaperKind.choices)
    title = models.CharField(_("Title"), max_length=100)
    note = models.CharField(_("Note"), max_length=200, blank=True)
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=100)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=100, blank=True)
    withdrawn_reason = models.CharField(max_length=200, blank=True)

    follows = "person"
    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("paper")
        constraints = [
            models.CheckConstraint(
                name="paper_withdrawn_whole",
                condition=Q(withdrawn_at__isnull=True, withdrawn_reason="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Check(PlaceRow):
    """Somebody looked through a person's file: who, when, how (R-015). Never changed."""

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="checks")
    on = models.DateField(_("Checked on"))
    way = models.CharField(_("How"), max_length=8, choices=Way.choices)
    note = models.CharField(_("Note"), max_length=300, blank=True)
    recorded_at = models.DateTimeField(default=timezone.now)
    account_id = models.BigIntegerField(null=True)
    actor = models.CharField(_("By"), max_length=100)

    follows = "person"
    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("check of the file")
        constraints = [models.CheckConstraint(name="dossier_check_way", condition=Q(way__in=Way.values))]
        indexes = [models.Index(fields=["person", "-on"], name="dossier_check_person")]

    def __str__(self) -> str:
        return f"{self.on} {self.get_way_display()}"


class Assignment(PlaceRow):
    """Whose turn it is to check a file; gone once it was checked. At most one a person."""

    person = models.OneToOneField("people.Person", on_delete=models.PROTECT, related_name="check_assignment")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    assigned_at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=100)

    follows = "person"
    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("assigned check")
        indexes = [models.Index(fields=["account"], name="dossier_assignment_account")]

    def __str__(self) -> str:
        return f"{self.person_id} → {self.account_id}"


def new_token() -> str:
    """120 random bits in 20 letters and digits: short enough for a small QR code."""
    return secrets.token_urlsafe(15)


class CardCode(PlaceRow):
    """The random text of the QR code on an elder's card; at most one is live, the others open nothing any more."""

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="card_codes")
    token = models.CharField(max_length=20, unique=True, default=new_token, db_collation="C")
    issued_at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=100)
    replaced_at = models.DateTimeField(null=True)
    replaced_reason = models.CharField(max_length=200, blank=True)

    follows = "person"
    scope = Scope(staff=Within())
    history = History(hidden=("token",))

    class Meta:
        verbose_name = _("code on the card")
        constraints = [
            models.UniqueConstraint(fields=["person"], name="card_code_once", condition=Q(replaced_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.issued_at:%Y-%m-%d}"
