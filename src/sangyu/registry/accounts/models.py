"""Accounts and their grants. An account is a person who signs in; a grant is role + path + opaque subject id."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import Open, PathField


class AccountManager(BaseUserManager):
    def get_by_natural_key(self, username):
        return self.get(username=username)


class Account(AbstractBaseUser):
    """A person who signs in. Never shared, never deleted: ``is_active`` ends it."""

    username = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=50)
    title = models.CharField(max_length=60, blank=True)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=True)
    failed_sign_ins = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    language = models.CharField(max_length=10, default="zh-hans")
    created_at = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "username"
    objects = AccountManager()
    scope = Open("sign-in reads it before any scope exists; lists go through accounts.selectors", write="app")
    history = History(hidden=("last_login", "password"))

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """What one account may be: a role in a region, for staff; on behalf of a subject, for the others. Dated."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(max_length=30)
    audience = models.CharField(max_length=10)
    path = PathField(db_index=True)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    subject_id = models.BigIntegerField(null=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    scope = Open("sign-in reads it before any scope exists; lists go through accounts.selectors", write="app")
    history = History()

    def __str__(self) -> str:
        return f"{self.role} {self.path}"
