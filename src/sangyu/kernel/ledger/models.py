"""Accounts and transfers (docs/adr/0004-ledger.md). Rows are read as usual and written by ``sangyu.ledger_*`` only."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ..scoping import PathField, Scope, ScopedQuerySet, Shared, Within
from .enums import Phase, Unit
from .rules import EitherSide, Owned


class Account(models.Model):
    """One account: who owns it, what it counts, what for; with balance, reservations and limits in units.

    ``person_id`` is the natural person on whose behalf it is held (opaque; decides what family sees), or None.
    """

    owner_kind = models.CharField(max_length=20)
    owner_id = models.BigIntegerField()
    unit = models.CharField(max_length=12, choices=Unit.choices)
    purpose = models.CharField(max_length=40)
    path = PathField(db_index=True)
    person_id = models.BigIntegerField(null=True)
    balance = models.BigIntegerField(default=0)
    reserved_out = models.BigIntegerField(default=0)
    reserved_in = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(null=True, default=0)
    ceiling = models.BigIntegerField(null=True)
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)

    about = "person_id"
    scope = Scope(
        staff=Within(),
        provider=Owned("organisation"),
        worker=Owned("worker"),
        family=Shared("person_id", "vouchers"),
        write=False,
    )
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner_kind", "owner_id", "unit", "purpose"], name="ledger_account_once"),
            # A limit of NULL makes the condition NULL, which passes. Few and short on purpose: PostgreSQL reads the stored
            # text of every check each time it starts a statement on the table.
            models.CheckConstraint(
                name="ledger_account_floor", condition=Q(balance__gte=F("floor") + F("reserved_out"))
            ),
            models.CheckConstraint(
                name="ledger_account_ceiling", condition=Q(balance__lte=F("ceiling") - F("reserved_in"))
            ),
            models.CheckConstraint(
                name="ledger_account_reserved", condition=Q(reserved_out__gte=0, reserved_in__gte=0)
            ),
        ]
        indexes = [
            models.Index(fields=["person_id"], name="ledger_account_person", condition=Q(person_id__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.owner_kind} {self.owner_id} {self.purpose} ({self.unit})"

    @property
    def available(self) -> int:
        """What may still leave the account above zero, in units."""
        return self.balance - self.reserved_out


class Transfer(models.Model):
    """One immutable movement of ``amount`` from ``debit`` (falls) to ``credit`` (rises).

    The two accounts carry no foreign key in the database: the functions hold both rows locked when they write, and a
    trigger refuses to delete accounts, so a check at commit would ask what is known.
    """

    phase = models.CharField(max_length=8, choices=Phase.choices)
    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    amount = models.BigIntegerField()
    key = models.CharField(max_length=120, db_collation="C")
    input_hash = models.BinaryField(max_length=32)
    kind = models.CharField(max_length=40)
    reference = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    effective_on = models.DateField()
    recorded_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    pending = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    corrects = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="corrections", db_index=False
    )
    account_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=100)

    rule = EitherSide()
    scope = Scope(staff=rule, provider=rule, worker=rule, family=rule, write=False)
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], name="ledger_transfer_key"),
            models.UniqueConstraint(
                fields=["pending"], name="ledger_transfer_resolved_once", condition=Q(pending__isnull=False)
            ),
            models.CheckConstraint(name="ledger_transfer_amount", condition=Q(amount__gte=0)),
            models.CheckConstraint(name="ledger_transfer_two_accounts", condition=~Q(debit=F("credit"))),
        ]
        indexes = [
            models.Index(fields=["debit", "effective_on"], name="ledger_transfer_debit"),
            models.Index(fields=["credit", "effective_on"], name="ledger_transfer_credit"),
            models.Index(fields=["reference"], name="ledger_transfer_reference", condition=~Q(reference="")),
            models.Index(fields=["corrects"], name="ledger_transfer_corrects", condition=Q(corrects__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.phase} {self.amount}: {self.debit_id} → {self.credit_id}"


class OpenReservation(models.Model):
    """A reservation that is neither posted, released nor expired. The row goes when it ends; the transfers stay."""

    transfer = models.OneToOneField(
        Transfer, primary_key=True, on_delete=models.PROTECT, related_name="open_reservation"
    )
    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    amount = models.BigIntegerField()
    expires_at = models.DateTimeField(null=True)

    rule = EitherSide()
    scope = Scope(staff=rule, provider=rule, worker=rule, family=rule, write=False)
    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="ledger_open_due", condition=Q(expires_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.transfer_id}: {self.amount}"
