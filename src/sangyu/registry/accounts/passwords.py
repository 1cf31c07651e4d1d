"""Password rules beyond Django's own (GB/T 22239 level 3): character classes, not used before."""

import secrets
import string

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

#: Without characters that are read wrongly from paper.
ALPHABET = "".join(sorted(set(string.ascii_letters + string.digits) - set("Il1O0o")))


class CharacterClasses:
    """At least ``classes`` of: lower-case letters, upper-case letters, digits, other characters."""

    def __init__(self, classes: int = 3) -> None:
        self.classes = classes

    def validate(self, password: str, user=None) -> None:
        kinds = {"a" if c.islower() else "A" if c.isupper() else "0" if c.isdigit() else "-" for c in password}
        if len(kinds) < self.classes:
            raise ValidationError(self.get_help_text(), code="password_classes")

    def get_help_text(self) -> str:
        return _("Use at least three of: lower-case letters, capital letters, digits, other characters.")


class NotTheName:
    """The account's name or mobile number is no part of the password."""

    def validate(self, password: str, user=None) -> None:
        parts = {getattr(user, "username", ""), getattr(user, "mobile", "")}
        if any(part and part.lower() in password.lower() for part in parts):
            raise ValidationError(self.get_help_text(), code="password_name")

    def get_help_text(self) -> str:
        return _("It must not contain your account name or mobile number.")


class NotUsedBefore:
    """Not one of the account's last ``count`` passwords, the present one included."""

    def __init__(self, count: int = 5) -> None:
        self.count = count

    def validate(self, password: str, user=None) -> None:
        if user is None or user.pk is None:
            return
        used = list(user.passwords_used.order_by("-id").values_list("password", flat=True)[: self.count - 1])
        if any(check_password(password, encoded) for encoded in {user.password, *used} if encoded):
            raise ValidationError(self.get_help_text(), code="password_used")

    def get_help_text(self) -> str:
        return ngettext(
            "It must differ from your last %(count)d password.",
            "It must differ from your last %(count)d passwords.",
            self.count,
        ) % {"count": self.count}


def temporary_password() -> str:
    """A random first password of 12 characters that satisfies the rules, to be handed over and changed at first
    sign-in."""
    while True:
        word = "".join(secrets.choice(ALPHABET) for _i in range(12))
        if any(c.islower() for c in word) and any(c.isupper() for c in word) and any(c.isdigit() for c in word):
            return word
