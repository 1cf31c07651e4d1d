"""What stands beside a person whatever the month: holds, form of delivery, the account paid into."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField, whole
from sangyu.kernel.dated import DatedQuerySet, DatedRow, no_overlap, not_empty
from sangyu.kernel.scoping import PlaceRow, Scope, ScopedQuerySet, Shared, Subject, Within

from .body_models import ForSubject, of_body, one_subject
from .enums import Form, HoldReason, PayeeState

_SCOPE = Scope(staff=Within(), family=Shared("person_id", "vouchers"))
NUMBER_PURPOSE = "applications.payeeaccount.number"


class Hold(PlaceRow, DatedRow, ForSubject):
    """A policy pays the person or body nothing in ``[valid_from, valid_to)``; ``policy_code`` "" holds all of them."""

    person = models.ForeignKey(
        "people.Person", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder")
    )
    policy_code = models.CharField(_("Policy code"), max_length=60, blank=True)
    policy_name = models.CharField(_("Policy"), max_length=100, blank=True)
    kind = models.CharField(_("Reason"), max_length=10, choices=HoldReason.choices)
    reason = models.CharField(_("Why"), max_length=300)
    resumed_because = models.CharField(_("Resumed because"), max_length=300, blank=True)
    made_at = models.DateTimeField(_("Made at"), default=timezone.now)
    actor = models.CharField(_("By"), max_length=100)

    follows = "person"
    scope = Scope(staff=Within(), family=Shared("person_id", "vouchers"), provider=Subject("organisation_id"))
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("hold")
        ordering = ["-valid_from", "-id"]
        constraints = [
            not_empty("hold"),
            no_overlap("hold", "person", "policy_code"),
            one_subject("hold"),
            no_overlap("hold_body", "body_kind", "body_id", "policy_code", condition=models.Q(body_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.policy_name or '*'} {self.valid_from}"


class Delivery(PlaceRow, DatedRow):
    """In which form a person gets what a policy gives, from a day on (R-049); one form a day."""

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder"))
    policy_code = models.CharField(_("Policy code"), max_length=60)
    policy_name = models.CharField(_("Policy"), max_length=100)
    form = models.CharField(_("Form"), max_length=10, choices=Form.choices)
    source = models.CharField(_("Source"), max_length=100)

    follows = "person"
    scope = _SCOPE
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("form of delivery")
        ordering = ["-valid_from", "-id"]
        constraints = [not_empty("delivery"), no_overlap("delivery", "person", "policy_code")]

    def __str__(self) -> str:
        return f"{self.policy_name} {self.get_form_display()}"


class PayeeAccount(PlaceRow, ForSubject):
    """The bank account that is paid for a person or a body: the own one, or a proxy's with evidence. Proposed by one, approved by another."""

    person = models.ForeignKey(
        "people.Person", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder")
    )
    holder = models.CharField(_("Account holder"), max_length=50)
    number = EncryptedTextField(
        _("Account number"), purpose=NUMBER_PURPOSE, indexes={"number_index": whole(NUMBER_PURPOSE)}
    )
    number_index = models.BinaryField(max_length=16, null=True, editable=False)
    bank = models.CharField(_("Bank"), max_length=60)
    is_proxy = models.BooleanField(_("Somebody else's account"), default=False)
    relation = models.CharField(_("Relation to the elder"), max_length=30, blank=True)
    evidence = models.ForeignKey(
        "kernel.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("Power of attorney"),
    )  # fmt: skip
    state = models.CharField(_("State"), max_length=10, choices=PayeeState.choices, default=PayeeState.PROPOSED)
    proposed_at = models.DateTimeField(_("Proposed at"), default=timezone.now)
    proposed_by = models.CharField(_("Proposed by"), max_length=100)
    proposer_id = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(_("Decided at"), null=True)
    decided_by = models.CharField(_("Decided by"), max_length=100, blank=True)
    decider_id = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(_("Replaced at"), null=True)
    reason = models.CharField(_("Why"), max_length=300, blank=True)
    rejected_by_bank = models.CharField(_("What the bank said"), max_length=200, blank=True)

    follows = "person"
    scope = Scope(staff=Within(), family=Shared("person_id", "vouchers"), provider=Subject("organisation_id"))
    history = History(hidden=("number_index",))
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("account paid into")
        constraints = [
            one_subject("payee"),
            of_body("payee_one_active_body", condition=Q(state=PayeeState.ACTIVE)),
            of_body("payee_one_proposed_body", condition=Q(state=PayeeState.PROPOSED)),
            models.UniqueConstraint(fields=["person"], name="payee_one_active", condition=Q(state=PayeeState.ACTIVE)),
            models.UniqueConstraint(
                fields=["person"], name="payee_one_proposed", condition=Q(state=PayeeState.PROPOSED)
            ),
            models.CheckConstraint(
                name="payee_number_whole", condition=Q(number__isnull=False, number_index__isnull=False)
            ),
            models.CheckConstraint(
                name="payee_proxy_has_evidence",
                condition=Q(is_proxy=False) | (Q(evidence__isnull=False) & ~Q(relation="")),
            ),
            models.CheckConstraint(
                name="payee_four_eyes",
                condition=Q(decider_id__isnull=True) | Q(proposer_id__isnull=True) | ~Q(decider_id=F("proposer_id")),
            ),
            models.CheckConstraint(
                name="payee_dates_fit_state",
                condition=Q(state=PayeeState.PROPOSED, decided_at__isnull=True, ended_at__isnull=True)
                | Q(state__in=[PayeeState.ACTIVE, PayeeState.REFUSED], decided_at__isnull=False, ended_at__isnull=True)
                | Q(state=PayeeState.ENDED, decided_at__isnull=False, ended_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["number_index"], name="payee_number"),
            models.Index(fields=["person"], name="payee_person"),
            models.Index(fields=["-proposed_at", "-id"], name="payee_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.holder} {self.masked}"

    @property
    def masked(self) -> str:
        """Bank and the last four digits."""
        return f"**** {self.number[-4:]}" if self.number else ""
