"""Codes for the first sign-in on paper, one slip a person (R-004).

They come into being when the sheet is printed, are on it and nowhere else; printing again makes new ones. Whoever holds the
paper holds the only copy.
"""

from datetime import date
from pathlib import Path

from django.contrib.auth.hashers import get_hasher
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import printing
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Refused
from sangyu.kernel.services import service
from sangyu.registry.regions import selectors as regions

from . import delegation
from .enums import AccountKind, Act
from .models import Account, DelegatedAct
from .passwords import temporary_password

SHEET = Path(__file__).parent / "templates/accounts/first_codes.typ"
#: One sheet prints at most so many slips.
MOST_SLIPS = 1000


def never_used(actor: Actor):
    """Accounts of people in the actor's area that nobody has signed in with."""
    rows = Account.objects.visible_to(actor).filter(kind=AccountKind.PERSON, is_active=True, last_login=None)
    return rows.exclude(pk=actor.account_id or 0).select_related("region").order_by("path", "name", "id")


@service("accounts.manage")
def first_codes(
    *, actor: Actor, account_ids: list[int] | None = None, region_id: int | None = None, today: date | None = None
) -> bytes:
    """PDF with one slip for each account never used (of ``account_ids``, or of an area): name, sign-in name, new code.

    The codes are on the paper only. Raises Refused("accounts.no_slips" | "accounts.many_slips" | "accounts.above").
    """
    rows = never_used(actor)
    if account_ids is not None:
        rows = rows.filter(pk__in=account_ids)
    if region_id is not None:
        rows = rows.filter(path__startswith=regions.region(region_id).path)
    accounts = list(rows.select_for_update(of=("self",))[: MOST_SLIPS + 1])
    if not accounts:
        raise Refused(_("Everybody here has signed in already."), code="accounts.no_slips")
    if len(accounts) > MOST_SLIPS:
        raise Refused(
            _("More than %(count)d slips: choose a smaller area.") % {"count": MOST_SLIPS}, code="accounts.many_slips"
        )
    hasher = get_hasher()
    slips = []
    for account in accounts:
        delegation.guard(actor, account)
        code = temporary_password()
        # 70 random bits need no slow hash; Django makes it anew at the first sign-in
        few = {"iterations": 20_000} if hasher.algorithm == "pbkdf2_sha256" else {}
        account.password = hasher.encode(code, hasher.salt(), **few)
        account.must_change_password, account.password_changed_at = True, timezone.now()
        slips.append(
            {"name": account.name, "area": account.region.full_name if account.region else "",
             "username": account.username, "code": code}
        )  # fmt: skip
    Account.objects.bulk_update(accounts, ["password", "must_change_password", "password_changed_at"], batch_size=500)
    DelegatedAct.objects.bulk_create(delegation.entry(actor, Act.RESET, a, a.region) for a in accounts)
    day = today or timezone.localdate()
    words = {
        "title": _("First sign-in"), "username": _("Sign-in name"), "code": _("Code for the first sign-in"),
        "note": _("Sign in once with this code and choose your own password. Then destroy this slip."),
        "printed": _("Printed on %(day)s by %(name)s") % {"day": day.isoformat(), "name": actor.name},
    }  # fmt: skip
    return printing.pdf(SHEET, {"slips": slips, "words": words})
