"""Looking after accounts, grants and tokens (R-002, R-004, R-011, X-07). Nobody gives a role to themselves."""

from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.identity import BadValue, parse_phone
from sangyu.kernel.scoping import as_system, say_why
from sangyu.kernel.services import service
from sangyu.registry.regions import selectors as regions

from . import delegation, roles, sign_in, tokens, totp
from .enums import AccountKind, Act
from .models import Account, AccountSession, ApiToken, Grant
from .passwords import temporary_password
from .selectors import mobile_index, mobile_indexes
from .sms import send as send_text_message  # noqa: F401  the door for notices of other rooms
from .throttle import Gate

#: For the rooms of providers and workers: where a subject belongs.
register_subject = delegation.register_subject


# ---------------------------------------------------------------- accounts
@service("accounts.manage")
def create_account(
    *,
    actor: Actor,
    username: str,
    name: str,
    region_id: int,
    title: str = "",
    mobile: str = "",
    kind: str = AccountKind.PERSON,
    language: str = "zh-hans",
    ends_on: date | None = None,
) -> tuple[Account, str]:
    """A new account looked after by the region's administrator; returns it and its first password, shown once.

    A system account gets no password ("" is returned): it uses API tokens only. Raises Invalid or NotVisible.
    """
    account = _new(actor, username, name, region_id, title, mobile, kind, language, ends_on)
    delegation.log(actor, Act.CREATE, account, region_id=account.region_id)
    return account, _first_password(account)


def open_subject_account(
    *,
    actor: Actor,
    name: str,
    mobile: str,
    role: str,
    region_id: int,
    subject_id: int | None = None,
    today: date | None = None,
) -> Account:
    """The account of a worker, provider manager, elder or relative, made by their own room's service, with its grant.

    An account with this mobile number is taken as it is and only gets the grant. Call inside the service that
    checked the
    permission. ``subject_id`` None: the account itself (families). Raises Invalid.
    """
    declared = roles.role(role)
    if declared.audience is Audience.STAFF:
        raise Invalid({"role": [_("Staff get their roles from an administrator.")]})
    number = _mobile(mobile)
    if not number:
        raise Invalid({"mobile": [_("A mobile number is needed to sign in.")]})
    day = today or timezone.localdate()
    with as_system("an account may exist in another region"):
        account = Account.objects.filter(mobile_index__in=mobile_indexes(number)).first()
        if account is None:
            account = _new(
                actor, f"m{number}", name, region_id, "", number, AccountKind.PERSON, "zh-hans", None, check_scope=False
            )
        subject = account.pk if declared.audience is Audience.FAMILY else subject_id
        if not Grant.objects.filter(account=account, role=role, subject_id=subject, valid_to=None).exists():
            _grant(account, declared, regions.region(region_id, current=True), subject, day, None)
    return account


def _new(
    actor: Actor,
    username: str,
    name: str,
    region_id: int,
    title: str,
    mobile: str,
    kind: str,
    language: str,
    ends_on: date | None,
    *,
    check_scope: bool = True,
) -> Account:
    username = username.strip().lower()
    number = _mobile(mobile)
    errors: dict[str, list[str]] = {}
    if not (3 <= len(username) <= 40) or not username.replace(".", "").replace("-", "").replace("_", "").isalnum():
        errors["username"] = [_("Use 3 to 40 letters, digits, dots or hyphens.")]
    if not name.strip():
        errors["name"] = [_("The name is missing.")]
    if kind not in AccountKind.values:
        errors["kind"] = [_("Unknown kind of account.")]
    with as_system("names and numbers are unique everywhere"):
        if Account.objects.filter(username=username).exists():
            errors["username"] = [_("This account name is taken.")]
        if number and Account.objects.filter(mobile_index__in=mobile_indexes(number)).exists():
            errors["mobile"] = [_("Another account has this mobile number.")]
    if errors:
        raise Invalid(errors)
    region = regions.region(region_id)
    if check_scope and not region.path.startswith(actor.path):
        raise NotVisible
    account = Account(
        username=username,
        name=name.strip(),
        title=title.strip(),
        kind=kind,
        region_id=region.pk,
        path=region.path,
        mobile=number,
        mobile_index=mobile_index(number) if number else None,
        language=language,
        ends_on=ends_on,
    )
    account.set_unusable_password()
    account.save()
    return account


def _first_password(account: Account) -> str:
    if account.kind == AccountKind.SYSTEM:
        return ""
    word = temporary_password()
    with as_system("secrets of one account"):
        sign_in.set_password(account, word, must_change=True, validate=False)
    return word


def _mobile(text: str) -> str:
    try:
        return parse_phone(text) if text.strip() else ""
    except BadValue as e:
        raise Invalid({"mobile": [str(e)]}) from e


@service("accounts.manage")
def change_account(
    *, actor: Actor, account_id: int, name: str, title: str = "", mobile: str = "", ends_on: date | None = None
) -> Account:
    """Change name, title, mobile and leave date. From the leave date on the account signs in no more (X-07)."""
    account = _visible(account_id)
    delegation.guard(actor, account)
    number = _mobile(mobile)
    if not name.strip():
        raise Invalid({"name": [_("The name is missing.")]})
    with as_system("numbers are unique everywhere"):
        taken = (
            number and Account.objects.filter(mobile_index__in=mobile_indexes(number)).exclude(pk=account.pk).exists()
        )
    if taken:
        raise Invalid({"mobile": [_("Another account has this mobile number.")]})
    account.name, account.title, account.ends_on = name.strip(), title.strip(), ends_on
    fields = ["name", "title", "ends_on"]
    if number != (account.mobile or ""):
        account.mobile, account.mobile_index = number, mobile_index(number) if number else None
        fields += ["mobile", "mobile_index"]
    account.save(update_fields=fields)
    delegation.log(actor, Act.CHANGE, account)
    return account


@service("accounts.manage")
def disable(*, actor: Actor, account_id: int, reason: str, today: date | None = None) -> Account:
    """End the account at once: sessions and tokens with it, grants on ``today``. Open work is handed over by
    whoever hears the event."""
    if account_id == actor.account_id:
        raise Refused(_("You cannot disable your own account."), code="accounts.self")
    account = _visible(account_id)
    if not account.is_active:
        raise Refused(_("The account is already disabled."), code="accounts.disabled")
    day = today or timezone.localdate()
    delegation.guard(actor, account, day=day)
    say_why(reason)
    delegation.log(actor, Act.DISABLE, account, reason=reason)
    account.is_active = False
    account.save(update_fields=["is_active"])
    _end_everywhere(account)
    for grant in Grant.objects.filter(account=account, valid_to=None):
        grant.valid_to = max(day, grant.valid_from)
        grant.save(update_fields=["valid_to"])
    emit("accounts.disabled", path=account.path, id=account.pk)
    return account


@service("accounts.manage")
def enable(*, actor: Actor, account_id: int) -> str:
    """Open a disabled account again with a new first password, which is returned; roles must be given anew."""
    account = _visible(account_id)
    if account.is_active:
        raise Refused(_("The account is active."), code="accounts.active")
    delegation.guard(actor, account)
    account.is_active, account.ends_on = True, None
    account.save(update_fields=["is_active", "ends_on"])
    delegation.log(actor, Act.ENABLE, account)
    return _first_password(account)


@service("accounts.manage")
def reset_password(*, actor: Actor, account_id: int) -> str:
    """A new first password, returned once; sessions end and the person must change it at sign-in."""
    account = _visible(account_id)
    if account.kind == AccountKind.SYSTEM or account.pk == actor.account_id:
        raise Refused(_("Only another person's password can be reset."), code="accounts.no_password")
    delegation.guard(actor, account)
    word = _first_password(account)
    AccountSession.objects.filter(account=account).delete()
    delegation.log(actor, Act.RESET, account)
    return word


@service("accounts.unlock")
def unlock(*, actor: Actor, account_id: int) -> Account:
    """Take the lock of too many attempts off the account."""
    account = _visible(account_id)
    delegation.guard(actor, account, any_role=True)
    delegation.log(actor, Act.UNLOCK, account)
    for gate in (Gate("account", account.username), Gate("code", str(account.pk))):
        gate.succeeded()
    if account.mobile:
        for gate in (Gate("account", account.mobile), Gate("phone", account.mobile), Gate("sms", account.mobile)):
            gate.succeeded()
    return account


@service("accounts.unlock")
def remove_second_factor(*, actor: Actor, account_id: int, reason: str) -> Account:
    """Take off a lost second factor and all passkeys; sessions end, and a role that needs one asks for a new one."""
    if account_id == actor.account_id:
        raise Refused(_("Somebody else must remove your second factor."), code="accounts.self")
    account = _visible(account_id)
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    delegation.guard(actor, account, any_role=True)
    say_why(reason)
    delegation.log(actor, Act.REMOVE_FACTOR, account, reason=reason)
    with as_system("secrets of one account"):
        account.passkeys.all().delete()
        totp.remove(account)
    AccountSession.objects.filter(account=account).delete()
    emit("accounts.second_factor_removed", path=account.path, id=account.pk)
    return account


# ---------------------------------------------------------------- grants
@service("accounts.grant")
def give_grant(
    *,
    actor: Actor,
    account_id: int,
    role: str,
    region_id: int,
    valid_from: date,
    valid_to: date | None = None,
    subject_id: int | None = None,
) -> Grant:
    """Give a role in a region from ``valid_from`` until before ``valid_to``.

    Raises Invalid (role, level, dates), NotVisible (outside the actor's area), Refused("accounts.self" |
    "accounts.two_administrators").
    """
    if account_id == actor.account_id:
        raise Refused(_("Nobody gives a role to themselves."), code="accounts.self")
    account = _visible(account_id)
    declared = roles.all_roles().get(role)
    if declared is None:
        raise Invalid({"role": [_("Unknown role.")]})
    region = regions.region(region_id)
    if not region.path.startswith(actor.path):
        raise NotVisible
    delegation.check_role(actor, role)
    if declared.levels and region.level not in declared.levels:
        raise Invalid({"region_id": [_("This role cannot be given for a region of this level.")]})
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid({"valid_to": [_("The end must be after the start.")]})
    if declared.audience is Audience.FAMILY:
        subject_id = account.pk
    if (declared.audience is Audience.STAFF) != (subject_id is None):
        raise Invalid({"subject_id": [_("A role for a provider or worker names it; a staff role names none.")]})
    if subject_id is not None:
        delegation.check_subject(actor, declared.audience, subject_id)
    delegation.guard(actor, account, day=valid_from)
    given = _grant(account, declared, region, subject_id, valid_from, valid_to)
    delegation.log(actor, Act.GRANT, account, role=role, region_id=region.pk)
    return given


def _grant(
    account: Account, declared: roles.Role, region, subject_id: int | None, valid_from: date, valid_to: date | None
) -> Grant:
    try:
        with transaction.atomic():
            return Grant.objects.create(
                account=account,
                role=declared.name,
                audience=declared.audience,
                region_id=region.pk,
                path=region.path,
                subject_id=subject_id,
                valid_from=valid_from,
                valid_to=valid_to,
            )
    except IntegrityError as e:
        if "grant_one_administrator" not in str(e):
            raise
        raise Refused(
            _("System, security and audit administration must be in different hands."),
            code="accounts.two_administrators",
        ) from e


@service("accounts.grant")
def end_grant(*, actor: Actor, grant_id: int, day: date | None = None) -> Grant:
    """End the role; it holds until the day before ``day`` (today). Tokens made from it stop with it."""
    grant = Grant.objects.select_for_update().filter(pk=grant_id).first()
    if grant is None:
        raise NotVisible
    if grant.valid_to is not None:
        raise Refused(_("The role has an end already."), code="accounts.ended")
    delegation.check_role(actor, grant.role)
    delegation.log(actor, Act.END_GRANT, grant.account, role=grant.role, region_id=grant.region_id)
    grant.valid_to = max(day or timezone.localdate(), grant.valid_from)
    grant.save(update_fields=["valid_to"])
    return grant


def end_access_of(*, audience: Audience, subject_id: int, day: date) -> int:
    """End from ``day`` on all roles on behalf of a subject that is gone (a worker who left); returns how many.

    For the service of the room that owns the subject, inside its own permission and ``as_system``.
    """
    held = Grant.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=day), audience=audience, subject_id=subject_id
    )
    return held.update(valid_to=Greatest(F("valid_from"), Value(day)))


# ---------------------------------------------------------------- tokens
@service("accounts.own_tokens")
def create_own_token(*, actor: Actor, name: str, permissions: list[str], expires_on: date) -> tuple[ApiToken, str]:
    """A token that acts as the actor's present role with some of its permissions; the text is shown once.

    Never more than the actor holds now: a token cannot make a stronger one. Raises Invalid.
    """
    if foreign := sorted(set(permissions) - actor.permissions):
        names = ", ".join(foreign)
        raise Invalid({"permissions": [_("The role does not hold: %(names)s") % {"names": names}]})
    with as_system("tokens are made for the own grant"):
        grant = Grant.objects.filter(pk=actor.grant_id, account_id=actor.account_id).first()
        if grant is None:
            raise NotVisible
        return tokens.issue(
            grant=grant, name=name, permissions=permissions, expires_on=expires_on, created_by=actor.name
        )


@service("accounts.tokens")
def create_system_token(
    *, actor: Actor, grant_id: int, name: str, permissions: list[str], expires_on: date
) -> tuple[ApiToken, str]:
    """A token for a system account's grant in the actor's area."""
    grant = Grant.objects.select_related("account").filter(pk=grant_id).first()
    if grant is None:
        raise NotVisible
    if grant.account.kind != AccountKind.SYSTEM:
        raise Refused(_("People make their own tokens."), code="accounts.not_system")
    delegation.log(actor, Act.TOKEN, grant.account, role=grant.role, region_id=grant.region_id)
    return tokens.issue(grant=grant, name=name, permissions=permissions, expires_on=expires_on, created_by=actor.name)


@service("accounts.own_tokens")
def revoke_own_token(*, actor: Actor, token_id: int) -> None:
    """Stop one of the own tokens."""
    with as_system("the own tokens, whatever the present role"):
        _revoke(ApiToken.objects.filter(pk=token_id, account_id=actor.account_id).first())


@service("accounts.tokens")
def revoke_token(*, actor: Actor, token_id: int) -> None:
    """Stop any token of the actor's area."""
    token = ApiToken.objects.select_related("account").filter(pk=token_id).first()
    _revoke(token)
    delegation.log(actor, Act.REVOKE, token.account)


def _revoke(token: ApiToken | None) -> None:
    if token is None:
        raise NotVisible
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])


# ---------------------------------------------------------------- parts
def _visible(account_id: int) -> Account:
    """The account as the open scope sees it, locked. Raises NotVisible."""
    account = Account.objects.select_for_update().filter(pk=account_id).first()
    if account is None:
        raise NotVisible
    return account


def _end_everywhere(account: Account) -> None:
    AccountSession.objects.filter(account=account).delete()
    ApiToken.objects.filter(account=account, revoked_at=None).update(revoked_at=timezone.now())
