"""Administration of accounts: register, roles, tokens, sign-in log, outbox of short messages."""

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.permissions import all_permissions
from sangyu.registry.regions.fields import RegionField
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Custom,
    Day,
    DetailPage,
    FormPage,
    Link,
    ListPage,
    Moment,
    Status,
    Text,
    rows_tab,
)

from . import delegation, pages_bulk, roles, selectors, services
from .enums import AccountKind, Act, MessageState, Outcome
from .models import Account, ApiToken, Grant, SignIn, TextMessage

NAV = [
    Nav(_("User accounts"), "users", "accounts:list", "accounts.view", Group.ADMIN, 10),
    Nav(_("API tokens"), "key", "accounts:tokens", "accounts.tokens", Group.ADMIN, 20),
    Nav(_("Sign-in log"), "shield", "accounts:log", "accounts.log", Group.ADMIN, 30),
    Nav(_("Short messages"), "bell", "accounts:messages", "accounts.messages", Group.ADMIN, 40),
    *pages_bulk.NAV,
]

REGISTER = ("accounts:list", _("User accounts"))
STATE = Status(
    "is_active", _("State"), words={True: _("Active"), False: _("Disabled")}, tones={True: "ok", False: "mute"}
)


class ShowsSecret:
    """A page whose service returns something to hand over: shown on a page of its own, never in a passing toast."""

    secret_title = _("First password")

    def redirect(self, url: str, message: str = "", *, undo: str = "") -> HttpResponse:
        return self.render("accounts/secret.html", self.context(secret=message, heading=self.secret_title, onward=url))


def _permission_choices(names) -> list[tuple[str, str]]:
    labels = all_permissions()
    return [(n, f"{labels.get(n, n)} ({n})") for n in sorted(names)]


# ---------------------------------------------------------------- accounts
class AccountList(ListPage):
    url, name, permission, title = "", "list", "accounts.view", _("User accounts")
    model, unit, related, sort = Account, _("user accounts"), ("region",), "name"
    search = ("name", "username")
    filters = pages_bulk.AccountFilters
    bulk = pages_bulk.BULK
    presets = [(label, f"use={key}") for key, label in pages_bulk.USES[:3]]
    columns = [
        Text("name", _("Person's name"), link="accounts:detail", sort=True),
        Text("username", _("Sign-in name"), sort=True),
        Text("title", _("Job title")),
        Text("region.full_name", _("Area")),
        Choice("kind", _("Kind")),
        STATE,
        Day("ends_on", _("Leaves on")),
        Moment("last_login", _("Last sign-in"), sort=True),
        Status(
            "has_factor",
            _("Second factor"),
            words={True: _("Set up"), False: pgettext_lazy("second factor", "None")},
            tones={True: "ok", False: "mute"},
        ),
    ]
    head = [
        Link(_("Import accounts"), "accounts:import", "up", "accounts.manage"),
        Link(_("Codes for the first sign-in"), "accounts:first_codes", "print", "accounts.manage"),
        Link(_("New account"), "accounts:new", "plus", "accounts.manage", "pri"),
    ]
    personal = "accounts.list"


class AccountForm(forms.Form):
    username = forms.CharField(
        label=_("Sign-in name"), max_length=40, help_text=_("3 to 40 letters, digits, dots or hyphens")
    )
    name = forms.CharField(label=_("Person's name"), max_length=50)
    title = forms.CharField(label=_("Job title"), max_length=60, required=False)
    mobile = forms.CharField(label=_("Mobile"), max_length=20, required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=AccountKind.choices)
    region_id = RegionField(label=_("Area"))
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    ends_on = forms.DateField(label=_("Leaves on"), required=False)

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region_id"].for_actor(actor)


class ChangeForm(forms.Form):
    name = forms.CharField(label=_("Person's name"), max_length=50)
    title = forms.CharField(label=_("Job title"), max_length=60, required=False)
    mobile = forms.CharField(label=_("Mobile"), max_length=20, required=False)
    ends_on = forms.DateField(label=_("Leaves on"), required=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300)


class AccountNew(ShowsSecret, FormPage):
    url, name, permission, title = "new/", "new", "accounts.manage", _("New account")
    form_class, parent = AccountForm, REGISTER

    def form_kwargs(self):
        return {"actor": self.actor}

    def save(self, form):
        return services.create_account(actor=self.actor, **form.cleaned_data)

    def success_url(self, result):
        return reverse("accounts:detail", args=[result[0].pk])

    def success_message(self, result):
        return result[1]


class AccountDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "accounts.view"
    model, related, parent = Account, ("region",), REGISTER
    facts = [STATE]
    summary = [
        (
            _("Sign-in name"),
            [
                Text("username", _("Sign-in name")),
                Choice("kind", _("Kind")),
                Text("title", _("Job title")),
                Custom("mobile", _("Mobile"), draw=lambda a: selectors.masked_mobile(a) or "—"),
                Text("region.full_name", _("Area")),
                Day("ends_on", _("Leaves on")),
                Moment("last_login", _("Last sign-in")),
                Custom("locked", _("Locked until"), draw=lambda a: selectors.locked_until(a) or "—"),
            ],
        )
    ]
    tabs = [
        rows_tab(
            "roles",
            _("Roles"),
            [
                Custom("role", _("Role"), draw=lambda g: escape(selectors.role_label(g.role))),
                Text("region.full_name", _("Area")),
                Day("valid_from", _("Valid from")),
                Day("valid_to", _("Valid until before")),
            ],
            lambda page: selectors.grants_of(page.object),
            row_actions=[
                Link(
                    _("End role"),
                    "accounts:end_grant",
                    "close",
                    "accounts.grant",
                    method="dialog",
                    when=lambda g: g.valid_to is None,
                )
            ],
        ),
        rows_tab(
            "sign-ins",
            _("Sign-ins"),
            [
                Moment("at", _("Time")),
                Choice("outcome", _("Outcome"), enum=Outcome),
                Text("source", _("Network address")),
                Text("agent", _("Browser")),
            ],
            lambda page: selectors.sign_ins(page.actor).filter(account=page.object)[:50],
            permission="accounts.log",
        ),
        pages_bulk.WORK_TAB,
        rows_tab(
            "acts",
            _("Delegation log"),
            [
                Moment("at", _("Time")),
                Choice("act", _("Act"), enum=Act),
                Custom("role", _("Role"), draw=lambda a: escape(selectors.role_label(a.role)) if a.role else "—"),
                Text("by_name", _("Done by")),
                Text("reason", _("Reason")),
            ],
            lambda page: delegation.visible(page.actor).filter(account=page.object)[:50],
            permission="accounts.acts",
        ),
    ]
    actions = [
        Link(_("Edit"), "accounts:edit", "edit", "accounts.manage"),
        Link(_("Give a role"), "accounts:grant", "plus", "accounts.grant"),
        Link(
            _("New first password"),
            "accounts:reset",
            "key",
            "accounts.manage",
            when=lambda a: a.is_active and a.kind == AccountKind.PERSON,
        ),
        Link(_("Hand over open work"), "accounts:hand_over", "swap", "accounts.manage"),
        Link(_("Unlock"), "accounts:unlock", "lock", "accounts.unlock", method="dialog"),
        Link(_("Remove second factor"), "accounts:remove_factor", "shield", "accounts.unlock", method="dialog"),
        Link(
            _("New token"),
            "accounts:system_token",
            "key",
            "accounts.tokens",
            when=lambda a: a.kind == AccountKind.SYSTEM,
        ),
        Link(_("Disable"), "accounts:disable", "off", "accounts.manage", method="dialog", when=lambda a: a.is_active),
        Link(_("Enable"), "accounts:enable", "okc", "accounts.manage", when=lambda a: not a.is_active),
    ]


class AccountEdit(FormPage):
    url, name, permission, title = "<int:pk>/edit/", "edit", "accounts.manage", _("Edit account")
    model, form_class, parent = Account, ChangeForm, REGISTER
    service, argument, detail = services.change_account, "account_id", "accounts:detail"

    def get_initial(self):
        return {k: getattr(self.object, k) for k in ("name", "title", "mobile", "ends_on")}


class _AccountAct(ActionPage):
    model, parent = Account, REGISTER
    argument, detail = "account_id", "accounts:detail"
    leaves = True


class AccountDisable(_AccountAct):
    url, name, permission, title = "<int:pk>/disable/", "disable", "accounts.manage", _("Disable account")
    submit_label, irreversible, form_class = _("Disable"), True, ReasonForm
    service, success = services.disable, _("The account is disabled.")

    def confirm_text(self):
        return gettext("%(name)s is signed out everywhere; roles and tokens end today.") % {"name": self.object.name}


class AccountEnable(ShowsSecret, _AccountAct):
    url, name, permission, title = "<int:pk>/enable/", "enable", "accounts.manage", _("Enable account")
    submit_label = _("Enable")

    def act(self, form):
        return services.enable(actor=self.actor, account_id=self.object.pk)


class AccountReset(ShowsSecret, _AccountAct):
    url, name, permission, title = "<int:pk>/reset/", "reset", "accounts.manage", _("New first password")
    submit_label, irreversible = _("New first password"), True

    def confirm_text(self):
        return gettext("%(name)s is signed out everywhere and must use the new password.") % {"name": self.object.name}

    def act(self, form):
        return services.reset_password(actor=self.actor, account_id=self.object.pk)


class AccountUnlock(_AccountAct):
    url, name, permission, title = "<int:pk>/unlock/", "unlock", "accounts.unlock", _("Unlock account")
    submit_label = _("Unlock")
    service, success = services.unlock, _("The account is unlocked.")


class AccountRemoveFactor(_AccountAct):
    url, name, permission, title = (
        "<int:pk>/remove-factor/",
        "remove_factor",
        "accounts.unlock",
        _("Remove second factor"),
    )
    submit_label, irreversible, form_class = _("Remove second factor"), True, ReasonForm
    service, success = services.remove_second_factor, _("The second factor is removed.")

    def confirm_text(self):
        return gettext("%(name)s is signed out everywhere and sets up a new second factor.") % {
            "name": self.object.name
        }


# ---------------------------------------------------------------- roles
class GrantForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"))
    region_id = RegionField(label=_("Area"))
    subject_id = forms.IntegerField(label=_("Number of the provider or worker"), required=False, min_value=1)
    valid_from = forms.DateField(label=_("Valid from"))
    valid_to = forms.DateField(label=_("Valid until before"), required=False)

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        mine = delegation.givable(actor)
        self.fields["role"].choices = [(r.name, r.label) for r in roles.all_roles().values() if r.name in mine]
        self.fields["region_id"].for_actor(actor)


class GrantNew(FormPage):
    url, name, permission, title = "<int:pk>/grant/", "grant", "accounts.grant", _("Give a role")
    model, form_class, parent = Account, GrantForm, REGISTER
    service, argument, detail = services.give_grant, "account_id", "accounts:detail"

    def form_kwargs(self):
        return {"actor": self.actor}

    def get_initial(self):
        return {"valid_from": timezone.localdate()}


class GrantEnd(ActionPage):
    url, name, permission, title = "grants/<int:pk>/end/", "end_grant", "accounts.grant", _("End role")
    model, related, parent, submit_label = Grant, ("account", "region"), REGISTER, _("End role")
    leaves = True
    service, argument, success = services.end_grant, "grant_id", _("The role has ended.")
    detail, owner = "accounts:detail", "account_id"

    def confirm_text(self):
        return gettext("%(role)s in %(area)s ends today for %(name)s.") % {
            "role": selectors.role_label(self.object.role),
            "area": self.object.region.full_name,
            "name": self.object.account.name,
        }


# ---------------------------------------------------------------- tokens, log, messages
class TokenForm(forms.Form):
    name = forms.CharField(label=_("Used by"), max_length=60)
    permissions = forms.MultipleChoiceField(label=_("Permissions"), widget=forms.CheckboxSelectMultiple)
    expires_on = forms.DateField(label=_("Expires on"))

    def __init__(self, *args, held=(), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["permissions"].choices = _permission_choices(held)


class TokenList(ListPage):
    url, name, permission, title = "tokens/", "tokens", "accounts.tokens", _("API tokens")
    model, unit, related, sort = ApiToken, _("API tokens in all"), ("account", "grant__region"), "-pk"
    search = ("name", "prefix")
    columns = [
        Text("name", _("Used by")),
        Text("prefix", _("Begins with")),
        Text("account.name", _("Sign-in name")),
        Custom("role", _("Role"), draw=lambda t: escape(selectors.role_label(t.grant.role))),
        Day("expires_on", _("Expires on")),
        Moment("last_used_at", _("Last used")),
        Moment("revoked_at", _("Revoked")),
    ]
    row_actions = [
        Link(
            _("Revoke"),
            "accounts:revoke_token",
            "trash",
            "accounts.tokens",
            method="dialog",
            when=lambda t: not t.revoked_at,
        )
    ]


class TokenRevoke(ActionPage):
    url, name, permission, title = "tokens/<int:pk>/revoke/", "revoke_token", "accounts.tokens", _("Revoke token")
    model, parent, submit_label, irreversible = ApiToken, ("accounts:tokens", _("API tokens")), _("Revoke"), True
    service, argument, success = services.revoke_token, "token_id", _("The token is revoked.")

    def confirm_text(self):
        return gettext("Programs that use “%(name)s” stop working at once.") % {"name": self.object.name}


class OwnTokenNew(ShowsSecret, FormPage):
    secret_title = _("API token")
    url, name, permission, title = "me/tokens/new/", "own_token", "accounts.own_tokens", _("New API token")
    form_class = TokenForm

    def form_kwargs(self):
        return {"held": self.actor.permissions}

    def save(self, form):
        return services.create_own_token(actor=self.actor, **form.cleaned_data)

    def success_url(self, result):
        return reverse("accounts:me")

    def success_message(self, result):
        return result[1]


class SystemTokenNew(ShowsSecret, FormPage):
    secret_title = _("API token")
    url, name, permission, title = "<int:pk>/token/", "system_token", "accounts.tokens", _("New API token")
    model, form_class, parent = Account, TokenForm, REGISTER

    @property
    def grant(self) -> Grant | None:
        return next(iter(selectors.live_grants(self.object)), None)

    def form_kwargs(self):
        return {"held": roles.role(self.grant.role).permissions if self.grant else ()}

    def save(self, form):
        grant = self.grant
        return services.create_system_token(actor=self.actor, grant_id=grant.pk if grant else 0, **form.cleaned_data)

    def success_url(self, result):
        return reverse("accounts:tokens")

    def success_message(self, result):
        return result[1]


class SignInLog(ListPage):
    url, name, permission, title = "log/", "log", "accounts.log", _("Sign-in log")
    model, unit, related, sort = SignIn, _("log entries"), ("account", "grant"), "-pk"
    filters = ["outcome"]
    columns = [
        Moment("at", _("Time")),
        Text("account.name", _("Sign-in name")),
        Choice("outcome", _("Outcome"), enum=Outcome),
        Custom("role", _("Role"), draw=lambda s: escape(selectors.role_label(s.grant.role)) if s.grant else "—"),
        Text("source", _("Network address")),
        Text("agent", _("Browser")),
    ]
    personal = "accounts.log"


class MessageList(ListPage):
    url, name, permission, title = "messages/", "messages", "accounts.messages", _("Short messages")
    model, unit, sort = TextMessage, _("short messages"), "-pk"
    filters = ["state"]
    columns = [
        Moment("at", _("Time")),
        Custom("to", _("Recipient"), draw=selectors.masked_recipient),
        Text("text", _("Message text")),
        Choice("state", _("State"), enum=MessageState),
    ]
    exportable = False
    refresh = 30
