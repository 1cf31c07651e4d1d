"""Reading accounts and grants: who may be whom today, and the lists an administrator sees."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from sangyu.kernel.actor import Actor
from sangyu.kernel.crypto import blind_index, blind_indexes
from sangyu.kernel.identity import BadValue, mask_phone, parse_phone
from sangyu.kernel.scoping import lineage

from . import roles
from .enums import AccountKind, FactorPolicy
from .models import Account, AccountSession, ApiToken, Grant, IdentityLink, SecondFactor, SignIn, TextMessage
from .throttle import Gate


def role_label(name: str) -> str:
    """The role in words; one that exists no more by its name."""
    found = roles.all_roles().get(name)
    return found.label if found else name


def live(day: date) -> Q:
    """Condition for grants that hold on ``day`` (the end is excluded)."""
    return Q(valid_from__lte=day) & (Q(valid_to__isnull=True) | Q(valid_to__gt=day))


def live_grants(account: Account, day: date | None = None) -> list[Grant]:
    """The account's grants of ``day`` (today) whose role still exists, in the order in which they are offered."""
    day = day or timezone.localdate()
    grants = Grant.objects.filter(live(day), account=account).select_related("region").order_by("id")
    return [g for g in grants if g.role in roles.all_roles()]


def usable(account: Account, grant: Grant, day: date | None = None) -> bool:
    """Whether ``account`` may act as ``grant`` on ``day``: both active, dates and role."""
    day = day or timezone.localdate()
    return (
        grant.account_id == account.pk
        and account_usable(account, day)
        and grant.valid_from <= day
        and (grant.valid_to is None or day < grant.valid_to)
        and grant.role in roles.all_roles()
    )


def account_usable(account: Account, day: date | None = None) -> bool:
    """Whether ``account`` may sign in on ``day``; a leave date closes it by itself (X-07)."""
    return account.is_active and (account.ends_on is None or (day or timezone.localdate()) < account.ends_on)


def actor_for(account: Account, grant: Grant, permissions: frozenset[str] | None = None) -> Actor:
    """The actor of ``account`` in the role of ``grant``. ``permissions`` narrows the role's own (API tokens)."""
    held = roles.role(grant.role).permissions
    return Actor(
        audience=roles.role(grant.role).audience,
        path=grant.path,
        name=account.name,
        account_id=account.pk,
        subject_id=grant.subject_id,
        role=grant.role,
        grant_id=grant.pk,
        region_name=grant.region.name,
        permissions=held if permissions is None else held & permissions,
    )


def grant_for_session(grant_id: int, account_id: int) -> Grant | None:
    """The session's grant with account, second factor and region in one query."""
    found = Grant.objects.select_related("account__second_factor", "region")
    return found.filter(pk=grant_id, account_id=account_id).first()


def by_name_or_mobile(text: str) -> Account | None:
    """The account that signs in as ``text``: its username in any case, or its mobile number."""
    text = text.strip()
    account = Account.objects.filter(username=text.lower()).first()
    return account or by_mobile(text)


def by_mobile(text: str) -> Account | None:
    """The account with this mobile number; None when it is none or not a number."""
    try:
        number = parse_phone(text)
    except BadValue:
        return None
    return Account.objects.filter(mobile_index__in=mobile_indexes(number)).first()


def mobile_index(number: str) -> bytes | None:
    return blind_index(number, "accounts.mobile")


def mobile_indexes(number: str) -> list[bytes]:
    """What a search by mobile number asks for, also while values are sealed anew."""
    return blind_indexes(number, "accounts.mobile")


def accounts(actor: Actor) -> QuerySet[Account]:
    """Accounts that ``actor`` administers: of its region and below, by name."""
    return Account.objects.visible_to(actor).select_related("region").order_by("name", "id")


def role_labels() -> dict[str, str]:
    """Role → its name in the active language, for histories."""
    return {name: role.label for name, role in roles.all_roles().items()}


def colleagues(actor: Actor, day: date | None = None) -> list[Account]:
    """Active staff accounts with a live grant in the actor's region or below, by name: to whom work may be given."""
    grants = Grant.objects.visible_to(actor).filter(live(day or timezone.localdate()), audience="staff")
    return list(accounts(actor).filter(is_active=True, pk__in=grants.values("account_id"))[:200])


#: Days without a sign-in after which an account counts as unused.
UNUSED_DAYS = 90


def by_use(rows: QuerySet[Account], use: str, now: datetime | None = None) -> QuerySet[Account]:
    """``rows`` of people narrowed: "never" signed in, "unused" for 90 days, without a second "factor", with a role that
    "needs" one and none set up, "left" (the leave date has come, but the account is active).
    """
    now = now or timezone.now()
    people = rows.filter(kind=AccountKind.PERSON, is_active=True)
    if use == "never":
        return people.filter(last_login=None)
    if use == "unused":
        return people.filter(last_login__lte=now - timedelta(days=UNUSED_DAYS))
    if use == "factor":
        return people.filter(has_factor=False)
    if use == "needs":
        strict = [r.name for r in roles.all_roles().values() if r.second_factor != FactorPolicy.OPTIONAL]
        held = Grant.objects.filter(live(timezone.localdate(now)), account=OuterRef("pk"), role__in=strict)
        return people.filter(Exists(held), has_factor=False)
    if use == "left":
        return people.filter(ends_on__lte=timezone.localdate(now))
    return rows


def sign_ins(actor: Actor) -> QuerySet[SignIn]:
    """The log of the door for the actor's region and below, newest first."""
    return SignIn.objects.visible_to(actor).select_related("account", "grant").order_by("-id")


def tokens(actor: Actor) -> QuerySet[ApiToken]:
    """API tokens of the actor's region and below, newest first."""
    return ApiToken.objects.visible_to(actor).select_related("account", "grant__region").order_by("-id")


def own_tokens(account: Account) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(account=account).select_related("grant__region").order_by("-id")


def own_links(account: Account) -> dict[str, IdentityLink]:
    """Provider → link of the account."""
    return {row.provider: row for row in IdentityLink.objects.filter(account=account)}


@dataclass(frozen=True)
class OwnSession:
    """One signed-in browser as its owner sees it."""

    key: str
    agent: str
    source: str
    started_at: datetime
    last_seen: datetime
    current: bool


def own_sessions(account: Account, current_key: str, now: datetime | None = None) -> list[OwnSession]:
    """The account's live sessions, the last used first."""
    rows = AccountSession.objects.filter(account=account, expire_date__gt=now or timezone.now()).order_by("-last_seen")
    return [
        OwnSession(
            key=r.session_key[:8],
            agent=r.agent,
            source=r.source,
            started_at=r.started_at,
            last_seen=r.last_seen,
            current=r.session_key == current_key,
        )
        for r in rows
    ]


def has_second_factor(account: Account) -> bool:
    """Whether a confirmed second factor is set up; costs no query when the account came with it."""
    try:
        return account.second_factor.confirmed_at is not None
    except SecondFactor.DoesNotExist:
        return False


def second_steps(account: Account) -> list[str]:
    """What may be asked after the password: "code", "passkey"; empty when nothing is set up."""
    ways = ["code"] if has_second_factor(account) else []
    return ways + (["passkey"] if account.passkeys.filter(stopped_at=None).exists() else [])


def masked_mobile(account: Account) -> str:
    return mask_phone(account.mobile or "")


def masked_recipient(message: TextMessage) -> str:
    return mask_phone(message.to or "")


def grants_of(account: Account) -> QuerySet[Grant]:
    """All grants of the account that the open scope sees, the newest first."""
    return Grant.objects.filter(account=account).select_related("region").order_by("-valid_from", "-id")


def locked_until(account: Account, now: datetime | None = None) -> str:
    """Until when sign-in is locked, as local time; "" when it is not."""
    now = now or timezone.now()
    keys = [("account", account.username), ("code", str(account.pk))]
    keys += [("account", account.mobile), ("phone", account.mobile)] if account.mobile else []
    found = [until for kind, key in keys if (until := Gate(kind, key).locked_until(now))]
    return f"{timezone.localtime(max(found)):%Y-%m-%d %H:%M}" if found else ""


def reachable(permission: str, path: str, now: datetime) -> list[Account]:
    """Staff accounts whose role holds ``permission`` for the region ``path`` (or one above it) and who are signed in at
    ``now``: whom an alert reaches. The nearest region first. Call as the job or ``as_system``.
    """
    minutes = {r.name: r.session_minutes for r in roles.all_roles().values() if permission in r.permissions}
    grants = Grant.objects.filter(
        live(timezone.localdate(now)),
        role__in=minutes,
        audience="staff",
        path__in=lineage(path),
        account__is_active=True,
    )
    found: dict[int, Account] = {}
    for grant in grants.select_related("account").order_by("-path", "account_id"):
        if account_usable(grant.account, timezone.localdate(now)):
            found.setdefault(grant.account_id, grant.account)
    seen = signed_in(found, now)
    return [account for pk, account in found.items() if pk in seen]


def signed_in(account_ids: Iterable[int], now: datetime) -> set[int]:
    """Those of the accounts with a session that has neither ended nor been idle for longer than its role allows."""
    idle = {r.name: timedelta(minutes=r.session_minutes) for r in roles.all_roles().values()}
    rows = AccountSession.objects.filter(account_id__in=list(account_ids), expire_date__gt=now)
    return {
        account
        for account, role, last_seen in rows.values_list("account_id", "grant__role", "last_seen")
        if role in idle and now - last_seen < idle[role]
    }


def by_ids(account_ids: Iterable[int]) -> dict[int, Account]:
    """Accounts by id, as far as the open scope sees them."""
    return Account.objects.in_bulk(list(account_ids))
