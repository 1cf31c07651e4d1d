"""Sign-in through an identity provider (OpenID Connect, code flow with PKCE): the city's 统一身份认证 and others.

``SANGYU_OIDC`` names a YAML file::

    city:
      label: {en: City identity, zh-hans: 市统一身份认证}
      issuer: https://id.example.gov/realms/city
      client_id: sangyu
      client_secret: …            # or client_secret_env: NAME
      scope: openid profile       # default "openid"
      claim: sub                  # which verified claim names the person; default "sub"
      strong: {amr: [mfa, otp]}   # claims that prove two factors; without it our own second step follows

A sign-in finds an account by its link row only: it never makes an account, and never guesses one by a name.
"""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from sangyu.kernel.crypto import blind_index
from sangyu.kernel.errors import NotVisible, Refused

from .enums import AccountKind, Outcome
from .models import Account, IdentityLink
from .selectors import account_usable
from .sign_in import note

FIELDS = {"label", "issuer", "client_id", "client_secret", "client_secret_env", "scope", "claim", "strong"}
#: Seconds to wait for a provider.
PATIENCE = 5
#: Signatures that only the provider can make.
ASYMMETRIC = {f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)} | {"EdDSA"}
SESSION_KEY = "oidc"


@dataclass(frozen=True)
class Provider:
    """One identity provider."""

    name: str
    labels: dict[str, str]
    issuer: str
    client_id: str
    client_secret: str = field(repr=False, default="")
    scope: str = "openid"
    claim: str = "sub"
    strong: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def label(self) -> str:
        return self.labels.get(get_language() or "", self.labels["en"])


@dataclass(frozen=True)
class Identity:
    """What a provider vouches for: who, by what name to show, with how many factors; the token signs out there."""

    provider: str
    subject: str
    shown: str
    strong: bool
    id_token: str


@cache
def providers() -> dict[str, Provider]:
    """The providers of ``SANGYU_OIDC``. A mistake stops with the name of the file and the remedy."""
    if not settings.SANGYU_OIDC:
        return {}
    path = Path(settings.SANGYU_OIDC)
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return {str(name): _provider(str(name), entry) for name, entry in written.items()}
    except (OSError, yaml.YAMLError, AttributeError, TypeError, KeyError, ValueError) as error:
        raise ImproperlyConfigured(f"{path.name} (SANGYU_OIDC): {error}") from error


def _provider(name: str, entry: dict[str, Any]) -> Provider:
    if not name.isidentifier() or len(name) > 30:
        raise ValueError(f"“{name}”: use letters and digits as the name of a provider")
    if unknown := set(entry) - FIELDS:
        raise ValueError(
            f"“{name}” has unknown fields: {', '.join(sorted(unknown))}. Known: {', '.join(sorted(FIELDS))}"
        )
    if missing := {"label", "issuer", "client_id"} - set(entry):
        raise ValueError(f"“{name}” lacks: {', '.join(sorted(missing))}")
    place = urlsplit(entry["issuer"])
    if place.scheme != "https" and place.hostname not in ("localhost", "127.0.0.1"):
        raise ValueError(f"“{name}”: the issuer must be an https address")
    secret = os.environ.get(entry.get("client_secret_env", ""), "") or entry.get("client_secret", "")
    strong = {
        key: tuple([value] if isinstance(value, str) else value) for key, value in entry.get("strong", {}).items()
    }
    return Provider(
        name, dict(entry["label"]), entry["issuer"].rstrip("/"), entry["client_id"], str(secret),
        entry.get("scope", "openid"), entry.get("claim", "sub"), strong,
    )  # fmt: skip


@cache
def _clients():
    from authlib.integrations.django_client import OAuth  # half a second of every start, and few have a provider

    made = OAuth()
    for p in providers().values():
        made.register(
            p.name,
            client_id=p.client_id,
            client_secret=p.client_secret or None,
            server_metadata_url=f"{p.issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": p.scope, "code_challenge_method": "S256", "default_timeout": PATIENCE},
        )
    return made


def _forget(*, setting: str, **kwargs) -> None:
    if setting == "SANGYU_OIDC":
        providers.cache_clear()
        _clients.cache_clear()


setting_changed.connect(_forget)


def provider(name: str) -> Provider:
    """The provider called ``name``. Raises NotVisible."""
    if name not in providers():
        raise NotVisible
    return providers()[name]


def _client(p: Provider):
    client = getattr(_clients(), p.name)
    metadata = client.load_server_metadata()
    if str(metadata.get("issuer", "")).rstrip("/") != p.issuer:
        raise ValueError("the discovery document names another issuer")
    offered = set(metadata.get("id_token_signing_alg_values_supported") or ["RS256"])
    metadata["id_token_signing_alg_values_supported"] = sorted(offered & ASYMMETRIC)
    return client


class _asking:
    """What can go wrong while a provider is asked, in words for the person at the door."""

    def __init__(self, p: Provider) -> None:
        self.p = p

    def __enter__(self) -> None: ...

    def __exit__(self, kind, error, trace) -> None:
        if error is None:
            return
        import requests
        from authlib.common.errors import AuthlibBaseError
        from joserfc.errors import JoseError

        if isinstance(error, requests.RequestException):
            raise Refused(
                _("“%(name)s” does not answer. Sign in with your account and password here, or try again later.")
                % {"name": self.p.label},
                code="oidc.down",
            ) from error
        if isinstance(error, (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError, RuntimeError)):
            raise Refused(
                _("“%(name)s” did not confirm who you are. Please begin again.") % {"name": self.p.label},
                code="oidc.refused",
            ) from error


def begin(request: HttpRequest, name: str) -> HttpResponse:
    """Send the browser to the provider. Raises NotVisible or Refused("oidc.down" | "oidc.refused")."""
    p = provider(name)
    back = request.build_absolute_uri(reverse("accounts:oidc_back", args=[name]))
    with _asking(p):
        return _client(p).authorize_redirect(request, back)


def finish(request: HttpRequest, name: str) -> Identity:
    """Whom the provider vouches for: state, nonce, PKCE, issuer, audience, signature and dates are checked.

    Raises NotVisible, Refused.
    """
    p = provider(name)
    with _asking(p):
        client = _client(p)
        rules = {"iss": {"essential": True, "values": [client.server_metadata["issuer"]]}, "sub": {"essential": True}}
        token = client.authorize_access_token(request, claims_options=rules)
        claims = token["userinfo"]
        subject = claims.get(p.claim)
        verified = claims.get(f"{p.claim}_verified", True)
        if not isinstance(subject, (str, int)) or not str(subject) or verified is not True:
            raise ValueError(f"the claim {p.claim} is missing or not verified")
    shown = claims.get("name") or claims.get("preferred_username") or claims.get("email") or str(subject)
    return Identity(p.name, str(subject), str(shown)[:60], _is_strong(p, claims), token["id_token"])


def _is_strong(p: Provider, claims: dict[str, Any]) -> bool:
    """Whether a claim of ``strong`` is there with one of its values."""
    return any(
        set(wanted) & set(value if isinstance(value, list) else [value])
        for key, wanted in p.strong.items()
        if (value := claims.get(key)) is not None
    )


# ---------------------------------------------------------------- links
def index_of(subject: str) -> bytes:
    return blind_index(subject, "accounts.identity")


def account_of(request: HttpRequest, identity: Identity) -> Account:
    """The account linked with ``identity``. Raises Refused("oidc.no_link") when there is none that may sign in."""
    link = (
        IdentityLink.objects.select_related("account")
        .filter(provider=identity.provider, subject_index=index_of(identity.subject), account__kind=AccountKind.PERSON)
        .first()
    )
    if link is None or not account_usable(link.account):
        note(request, Outcome.DISABLED if link else Outcome.NO_LINK, link.account if link else None)
        raise Refused(
            _(
                "No account here is linked with this identity. Sign in with your account and link it under “My account”, "
                "or ask your unit's administrator."
            ),
            code="oidc.no_link",
        )
    IdentityLink.objects.filter(pk=link.pk).update(last_used_at=timezone.now())
    return link.account


def taken_by_another(account: Account, provider_name: str, subject: str) -> bool:
    """Whether ``subject`` is linked with another account."""
    rows = IdentityLink.objects.filter(provider=provider_name, subject_index=index_of(subject))
    return rows.exclude(account=account).exists()


def link(account: Account, provider_name: str, subject: str, by: str) -> IdentityLink:
    """Link ``account``; an own earlier link with this provider is replaced. Raises Refused("oidc.taken") for another
    account's identity.
    """
    subject = subject.strip()
    taken = Refused(_("Another account is linked with this identity."), code="oidc.taken")
    if taken_by_another(account, provider_name, subject):
        raise taken
    try:
        with transaction.atomic():
            IdentityLink.objects.filter(provider=provider_name, account=account).delete()
            return IdentityLink.objects.create(
                provider=provider_name, account=account, subject=subject, subject_index=index_of(subject), linked_by=by
            )
    except IntegrityError:  # somebody else linked it at this moment
        raise taken from None


def unlink(request: HttpRequest, account: Account, provider_name: str) -> None:
    """Remove the own link. Raises NotVisible."""
    gone, _rows = IdentityLink.objects.filter(provider=provider_name, account=account).delete()
    if not gone:
        raise NotVisible
    note(request, Outcome.UNLINKED, account)


def sign_out_url(request: HttpRequest, kept: dict[str, str] | None) -> str:
    """Where to sign out at the provider as well; "" when it has no such page or does not answer."""
    if not kept or kept["provider"] not in providers():
        return ""
    p = provider(kept["provider"])
    try:
        with _asking(p):
            return _client(p).create_logout_url(
                post_logout_redirect_uri=request.build_absolute_uri(reverse("accounts:sign_in")),
                id_token_hint=kept["id_token"],
            )["url"]
    except Refused:
        return ""
