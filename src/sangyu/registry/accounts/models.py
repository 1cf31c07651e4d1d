"""Accounts, their grants and what sign-in needs. An account is a person who signs in; a grant is role + path +
opaque subject id.

Sign-in reads these tables before any scope is open (``Scope(app=…)``); inside a scope the usual region rule holds, so a
county's administrator sees the accounts of the county only.
"""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import ROOT_PATH, Audience
from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField, whole
from sangyu.kernel.facts import DateRange
from sangyu.kernel.scoping import Everyone, Nobody, Open, PathField, Scope, ScopedQuerySet, Within

from .enums import ADMINISTRATORS, AccountKind, Act, MessageState, Method, Outcome

BEFORE_SCOPE = "sign-in reads it before any scope exists"
#: Secrets: nobody reads them inside a scope; services go through as_system.
SECRET = Scope(staff=Nobody(), job=Everyone("services act as system on secrets of one account"), app=BEFORE_SCOPE)


class AccountManager(BaseUserManager.from_queryset(ScopedQuerySet)):
    def get_by_natural_key(self, username):
        return self.get(username=username)

    def create_user(self, username: str, password: str | None = None, **fields) -> "Account":
        """An account with a hashed password that need not be changed. For commands and tests; people use
        ``services``."""
        fields.setdefault("must_change_password", False)
        account = self.model(username=username.strip().lower(), **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account


class Account(AbstractBaseUser):
    """A person or system that signs in. Never shared, never deleted: ``is_active`` ends it.

    ``path`` and ``region`` name the unit whose administrator looks after the account.
    """

    username = models.CharField(_("Sign-in name"), max_length=40, unique=True)
    kind = models.CharField(_("Kind"), max_length=10, choices=AccountKind.choices, default=AccountKind.PERSON)
    name = models.CharField(_("Person's name"), max_length=50)
    title = models.CharField(_("Job title"), max_length=60, blank=True)
    region = models.ForeignKey(
        "regions.Region", null=True, verbose_name=_("Area"), on_delete=models.PROTECT, related_name="+"
    )
    path = PathField(db_index=True, default=ROOT_PATH)
    mobile = EncryptedTextField(purpose="accounts.mobile", indexes={"mobile_index": whole("accounts.mobile")})
    mobile_index = models.BinaryField(null=True, unique=True)
    is_active = models.BooleanField(_("Active account"), default=True)
    ends_on = models.DateField(_("Leaves on"), null=True, blank=True)
    must_change_password = models.BooleanField(_("Must change password"), default=True)
    #: Kept by ``totp.remember``; the secrets themselves are seen by nobody.
    has_factor = models.BooleanField(_("Second factor"), default=False, editable=False)
    password_changed_at = models.DateTimeField(null=True)
    language = models.CharField(_("Language"), max_length=10, default="zh-hans")
    created_at = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "username"
    objects = AccountManager()
    scope = Scope(staff=Within(), app=BEFORE_SCOPE)
    history = History(hidden=("last_login", "password", "mobile", "mobile_index", "has_factor"))

    class Meta:
        verbose_name = _("account")
        constraints = [
            models.CheckConstraint(name="account_username_lower", condition=Q(username=Lower("username"))),
            models.CheckConstraint(name="account_kind_known", condition=Q(kind__in=AccountKind.values)),
        ]

    def __str__(self) -> str:
        return self.name


class PasswordUsed(models.Model):
    """Hash of a password an account had; so that it is not taken again soon."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="passwords_used")
    password = models.CharField(max_length=128)
    at = models.DateTimeField(default=timezone.now)

    scope = SECRET
    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.account_id} {self.at:%Y-%m-%d}"


class SecondFactor(models.Model):
    """Time-based one-time codes (RFC 6238) of one account: sealed secret, last used time step, hashes of recovery
    codes."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="second_factor")
    secret = EncryptedTextField(purpose="accounts.totp")
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)
    recovery = ArrayField(models.CharField(max_length=64), default=list)

    scope = SECRET
    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"second factor of {self.account_id}"


class Passkey(models.Model):
    """A WebAuthn credential of one account: its public key and the counter of its last signature. ``label`` is the
    person's own word for it. Stopped when a copy of it was used."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="passkeys")
    credential_id = models.BinaryField(max_length=1023, unique=True)
    #: AttestedCredentialData of fido2: credential id and COSE public key.
    credential = models.BinaryField(max_length=2048)
    label = models.CharField(_("Name of the passkey"), max_length=60)
    sign_count = models.BigIntegerField(default=0)
    synced = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)

    scope = SECRET
    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "id"], name="passkey_account")]

    def __str__(self) -> str:
        return self.label


class IdentityLink(models.Model):
    """Who an identity provider (``SANGYU_OIDC``) means by ``subject``. Made by the person or beforehand by an
    administrator; never by a sign-in."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="links")
    provider = models.CharField(_("Identity provider"), max_length=30)
    subject = EncryptedTextField(purpose="accounts.identity", indexes={"subject_index": whole("accounts.identity")})
    subject_index = models.BinaryField(max_length=16)
    linked_at = models.DateTimeField(default=timezone.now)
    linked_by = models.CharField(max_length=100)
    last_used_at = models.DateTimeField(null=True)

    scope = SECRET
    history = History(hidden=("subject", "subject_index", "last_used_at"))
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "subject_index"], name="link_subject_once"),
            models.UniqueConstraint(fields=["provider", "account"], name="link_account_once"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} of {self.account_id}"


class Grant(models.Model):
    """What one account may be: a role in a region, for staff; on behalf of a subject, for the others. Dated, end
    excluded."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(_("Role"), max_length=30)
    audience = models.CharField(max_length=10, choices=[(a.value, a.value) for a in Audience])
    path = PathField(db_index=True)
    region = models.ForeignKey("regions.Region", verbose_name=_("Area"), on_delete=models.PROTECT, related_name="+")
    subject_id = models.BigIntegerField(null=True)
    valid_from = models.DateField(_("Valid from"))
    valid_to = models.DateField(_("Valid until before"), null=True)

    scope = Scope(staff=Within(), app=BEFORE_SCOPE)
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("role")
        constraints = [
            models.CheckConstraint(
                name="grant_subject_fits_audience",
                condition=Q(audience="staff", subject_id__isnull=True)
                | Q(audience__in=["provider", "worker", "family"], subject_id__isnull=False),
            ),
            models.CheckConstraint(
                name="grant_not_reversed", condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from"))
            ),
            ExclusionConstraint(
                name="grant_one_administrator",
                expressions=[
                    (F("account"), RangeOperators.EQUAL),
                    ("role", RangeOperators.NOT_EQUAL),
                    (DateRange("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
                condition=Q(role__in=ADMINISTRATORS),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.path}"


class AccountSession(AbstractBaseSession):
    """One signed-in browser; Django's session row plus what the list of own sessions shows."""

    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE, related_name="+")
    grant = models.ForeignKey(Grant, null=True, on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)
    source = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)

    scope = Open("sessions: read by key before any scope exists, lists are of the own account only", write="app")

    @classmethod
    def get_session_store_class(cls):
        from .sessions import SessionStore

        return SessionStore


class SignInThrottle(models.Model):
    """Attempts in the running window per account name, source address or second factor; see ``throttle``."""

    kind = models.CharField(max_length=10)
    key = models.CharField(max_length=64)
    failures = models.PositiveIntegerField(default=0)
    window_started = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    scope = Open("keyed hashes and counters; counted before any scope exists", write="app")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="throttle_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.failures}"


class SignIn(models.Model):
    """Log of the door: who, when, from where, with what outcome. A name that is no account is not kept (it may be a
    password)."""

    account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="sign_ins")
    grant = models.ForeignKey(Grant, null=True, on_delete=models.PROTECT, related_name="+")
    path = PathField(db_index=True, default=ROOT_PATH)
    at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(_("Outcome"), max_length=12, choices=Outcome.choices)
    source = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    method = models.CharField(_("Signed in by"), max_length=12, choices=Method.choices, blank=True)

    scope = Scope(staff=Within(), app=BEFORE_SCOPE)
    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "-id"], name="signin_account")]

    def __str__(self) -> str:
        return f"{self.outcome} {self.at:%Y-%m-%d %H:%M}"


class DelegatedAct(models.Model):
    """One act on an account, for the level above (R-176). ``path`` is the giver's region; rows are only added."""

    at = models.DateTimeField(_("Time"), default=timezone.now)
    path = PathField(db_index=True)
    act = models.CharField(_("Act"), max_length=12, choices=Act.choices)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="acts")
    role = models.CharField(_("Role"), max_length=30, blank=True)
    region = models.ForeignKey(
        "regions.Region", null=True, verbose_name=_("Area"), on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(_("Reason"), max_length=300, blank=True)
    by_account = models.BigIntegerField(null=True)
    by_name = models.CharField(_("Done by"), max_length=100)
    by_role = models.CharField(_("In the role"), max_length=30)
    by_area = models.CharField(_("For the area"), max_length=60, blank=True)

    scope = Scope(staff=Within(), write="insert")
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("delegated act")
        indexes = [models.Index(fields=["account", "-id"], name="delegatedact_account")]

    def __str__(self) -> str:
        return f"{self.act} {self.account_id}"


class Handover(models.Model):
    """Open work of one account moved to another, all in one transaction (X-07)."""

    at = models.DateTimeField(_("Time"), default=timezone.now)
    path = PathField(db_index=True)
    account = models.ForeignKey(
        Account, verbose_name=_("Handed over by"), on_delete=models.PROTECT, related_name="handovers"
    )
    successor = models.ForeignKey(
        Account, verbose_name=_("Taken over by"), on_delete=models.PROTECT, related_name="takeovers"
    )
    reason = models.CharField(_("Reason"), max_length=300)
    by_name = models.CharField(_("Done by"), max_length=100)

    scope = Scope(staff=Within(), write="insert")
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("work hand-over")
        constraints = [
            models.CheckConstraint(name="handover_to_another", condition=~Q(account=F("successor"))),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} → {self.successor_id}"


class HandoverItem(models.Model):
    """One piece of work that was moved: by which rule, which row, in which words."""

    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, related_name="items")
    path = PathField(db_index=True)
    rule = models.CharField(max_length=60)
    row_id = models.BigIntegerField()
    words = models.CharField(max_length=200)

    scope = Scope(staff=Within(), write="insert")
    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return self.words


class ApiToken(models.Model):
    """A key for programs: acts as one grant, with a subset of its permissions, until a day. Only its hash is kept."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="tokens")
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="+")
    path = PathField(db_index=True)
    name = models.CharField(_("Used by"), max_length=60)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    permissions = ArrayField(models.CharField(max_length=60))
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=100)
    expires_on = models.DateField(_("Expires on"))
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(_("Revoked"), null=True)

    scope = Scope(staff=Within(), app=BEFORE_SCOPE)
    history = History(hidden=("digest", "last_used_at"))
    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class OneTimeCode(models.Model):
    """A six-digit code sent to a mobile; hash only, short-lived, used once."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    scope = SECRET
    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"code for {self.account_id}"


class TextMessage(models.Model):
    """Outbox of short messages. The demo keeps them here for the operator desk; a gateway adapter sends them."""

    path = PathField(db_index=True)
    to = EncryptedTextField(purpose="accounts.message")
    template = models.CharField(max_length=40)
    text = models.CharField(max_length=300)
    state = models.CharField(_("State"), max_length=10, choices=MessageState.choices)
    at = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=200, blank=True)

    scope = Scope(staff=Within(), app="codes are sent before any scope exists")
    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.template} {self.at:%Y-%m-%d %H:%M}"
