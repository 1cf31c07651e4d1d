"""Requests for the file of a person who moved, and their trail (docs/rooms/transfers.md)."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField
from sangyu.kernel.identity import mask_id_number
from sangyu.kernel.scoping import PathField, Scope, ScopedQuerySet, Via
from sangyu.kernel.workflow import TransitionLog, stamp_constraints

from .enums import State
from .rules import EitherPath


class Transfer(models.Model):
    """One request. ``path`` and ``region`` are where the person moved to, ``held_path`` where the file is; both sides see it.

    The asking side never sees the file itself: ``person`` is a number to it until the file is handed over.
    """

    number = models.CharField(_("Number"), max_length=30, unique=True)
    path = PathField(db_index=True)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Moves to"))
    held_path = PathField(db_index=True)
    held_region = models.ForeignKey(
        "regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Registered in")
    )
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("Name"), max_length=50)
    id_number = EncryptedTextField(_("ID number"), purpose="transfers.transfer.id_number")
    name_agrees = models.BooleanField(default=True)
    moved_on = models.DateField(_("Moved on"))
    address = models.CharField(_("New address"), max_length=200, blank=True)
    reason = models.CharField(_("Reason"), max_length=300)
    evidence = models.CharField(_("What was shown"), max_length=200)
    paper = models.ForeignKey(
        "kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Picture or scan")
    )
    state = models.CharField(_("State"), max_length=10, choices=State.choices, default=State.REQUESTED)
    requested_at = models.DateTimeField(_("Requested at"), default=timezone.now)
    requested_by = models.CharField(_("Requested by"), max_length=100)
    account_id = models.BigIntegerField(null=True)
    #: Who of the asking side follows it; the holding side answers as an office.
    assigned = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("In the hands of")
    )
    answer_by = models.DateTimeField(_("Answer by"))
    closed_at = models.DateTimeField(_("Closed at"), null=True)
    closed_by = models.CharField(_("Closed by"), max_length=100, blank=True)
    answer = models.CharField(_("Answer"), max_length=300, blank=True)
    overdue_told_at = models.DateTimeField(null=True)

    scope = Scope(staff=EitherPath("path", "held_path"))
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("transfer")
        constraints = [
            models.UniqueConstraint(fields=["person"], name="transfer_one_open", condition=Q(state="requested")),
            *stamp_constraints("transfer", {"closed_at": [State.AGREED, State.REFUSED, State.WITHDRAWN]}),
        ]
        indexes = [
            models.Index(fields=["answer_by"], name="transfer_due", condition=Q(state="requested")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def id_masked(self) -> str:
        return mask_id_number(self.id_number)


class TransferLog(TransitionLog):
    """Trail of a transfer."""

    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="trail")

    scope = Scope(staff=Via("transfer_id", "transfers.Transfer"))
    objects = ScopedQuerySet.as_manager()
