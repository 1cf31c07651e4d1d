"""Accounts of whole communities from a workbook: one row a person, with one staff role if named (R-004, R-011).

Written without any password: the code of the first sign-in comes into being on paper (``first_codes``).
"""

from collections.abc import Callable

from django.contrib.auth.hashers import make_password
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel import bulk
from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Refused
from sangyu.kernel.identity import mask_phone
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Field, Import, Row, register
from sangyu.kernel.scoping import as_system
from sangyu.registry.regions.fields import Places

from . import delegation, oidc, roles
from .enums import AccountKind, Act
from .models import Account, DelegatedAct, Grant
from .selectors import mobile_index


@register
class AccountImport(Import):
    """One row a person: account and, if named, one staff role in one area."""

    kind, title, permission = "accounts.roster", gettext_lazy("User accounts"), "accounts.manage"

    def describe(self):
        self.roles = {r.label: r for r in roles.all_roles().values() if r.audience is Audience.STAFF}
        labels = {r.label: r.name for r in self.roles.values()} | {r.name: r.name for r in self.roles.values()}
        return (
            Field("name", _("Person's name"), parsers.name, ("姓名", "人员姓名"), required=True, example="王丽"),
            Field("username", _("Sign-in name"), parsers.text(40), ("登录名", "账号", "用户名"), required=True,
                  example="wang.li"),
            Field("mobile", _("Mobile"), parsers.phone(), ("手机", "手机号", "联系电话"), example="13800001234",
                  mask=mask_phone),
            Field("title", _("Job title"), parsers.text(60), ("职务", "岗位")),
            Field("role", _("Role"), parsers.choice(labels), ("角色", "权限"), choices=tuple(self.roles)),
            Field("region", _("Area"), parsers.text(100), ("单位", "所属区域", "社区", "街道"), required=True,
                  example="清华社区", hint=_("Name or 12-digit code of an area of yours")),
        )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        """Areas of the actor, names and numbers not taken, roles that may be handed out at that level."""
        with as_system("names and numbers are unique everywhere"):
            names = {str(r.values["username"]).strip().lower() for r in rows}
            taken = set(Account.objects.filter(username__in=names).values_list("username", flat=True))
            numbers = [mobile_index(r.values["mobile"]) for r in rows if r.values.get("mobile")]
            known = Account.objects.filter(mobile_index__in=numbers).values_list("mobile_index", flat=True)
            used = {bytes(index) for index in known}
        areas, mine = Places(self.actor, self.today), delegation.givable(self.actor)
        for row in rows:
            self._check_row(row, taken, used, areas, mine)

    def _check_row(self, row: Row, taken: set[str], used: set[bytes], areas: Places, mine) -> None:
        values = row.values
        name = values["username"] = str(values["username"]).strip().lower()
        if len(name) < 3 or not name.replace(".", "").replace("-", "").replace("_", "").isalnum():
            row.refuse("username", _("Use 3 to 40 letters, digits, dots or hyphens."), "form")
        elif name in taken:
            row.refuse("username", _("This account name is taken."), "taken")
        taken.add(name)
        if values.get("mobile"):
            index = mobile_index(values["mobile"])
            if index in used:
                row.refuse("mobile", _("Another account has this mobile number."), "taken")
            used.add(index)
        here = values["area"] = areas.settle(row)
        if here is None:
            return
        role = roles.all_roles().get(values.get("role", ""))
        if role is None:
            return
        if role.name not in mine:
            row.refuse("role", _("Your role may not hand out this role."), "not_delegated")
        elif role.levels and here.level not in role.levels:
            row.refuse("role", _("This role cannot be given for a region of this level."), "level")

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        numbers = bulk.reserve_ids(Account, len(rows))
        accounts, grants, acts = [], [], []
        for number, row in zip(numbers, rows, strict=True):
            area, mobile = row.values["area"], row.values.get("mobile", "")
            account = Account(
                pk=number, username=row.values["username"], name=row.values["name"], title=row.values.get("title", ""),
                region=area, path=area.path, mobile=mobile, mobile_index=mobile_index(mobile) if mobile else None,
                password=make_password(None),
            )  # fmt: skip
            accounts.append(account)
            acts.append(delegation.entry(self.actor, Act.CREATE, account, area))
            if role := row.values.get("role"):
                grants.append(
                    Grant(account=account, role=role, audience=Audience.STAFF, region=area, path=area.path,
                          valid_from=self.today)
                )  # fmt: skip
                acts.append(delegation.entry(self.actor, Act.GRANT, account, area, role))
            advance(1)
        bulk.insert(Account, accounts)
        Grant.objects.bulk_create(grants, batch_size=2000)
        DelegatedAct.objects.bulk_create(acts, batch_size=2000)
        return {"new": len(rows)}


@register
class LinkImport(Import):
    """Sign-in name and number at an identity provider: links made beforehand for many (ADR 0017). Replaces an earlier one."""

    kind, title, permission = "accounts.links", gettext_lazy("Links with the identity provider"), "accounts.manage"

    def describe(self):
        known = {p.label: p.name for p in oidc.providers().values()} | {name: name for name in oidc.providers()}
        several = len(oidc.providers()) > 1
        return (
            Field("username", _("Sign-in name"), parsers.text(40), ("登录名", "账号", "用户名"), required=True,
                  example="wang.li"),
            Field("subject", _("Number at the identity provider"), parsers.text(200), ("统一身份编号", "身份标识", "工号"),
                  required=True, mask=lambda text: f"{text[:2]}…"),
            Field("provider", _("Identity provider"), parsers.choice(known), ("认证平台",), required=several,
                  choices=tuple(p.label for p in oidc.providers().values())),
        )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        """Accounts of the actor that he may act on; a number names one account."""
        names = {str(r.values["username"]).strip().lower() for r in rows}
        accounts = {a.username: a for a in Account.objects.filter(username__in=names, kind=AccountKind.PERSON)}
        only = next(iter(oidc.providers()), "")
        taken: set[tuple[str, str]] = set()
        for row in rows:
            name = row.values["username"] = str(row.values["username"]).strip().lower()
            provider = row.values["provider"] = row.values.get("provider") or only
            subject = row.values["subject"] = str(row.values["subject"]).strip()
            account = row.values["account"] = accounts.get(name)
            if account is None:
                row.refuse("username", _("No account of your area has this name."), "account")
                continue
            try:
                delegation.guard(self.actor, account)
            except Refused as refusal:
                row.refuse("username", str(refusal.message), "above")
            if not provider:
                row.refuse("provider", _("No identity provider is set up."), "provider")
            if (provider, subject) in taken:
                row.refuse("subject", _("This number stands twice in the file."), "twice")
            taken.add((provider, subject))
            with as_system("a number may be linked with an account elsewhere"):
                if oidc.taken_by_another(account, provider, subject):
                    row.refuse("subject", _("Another account is linked with this identity."), "taken")

    def row_name(self, row: Row) -> str:
        return str(row.values.get("username") or "")

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        for row in rows:
            with as_system("links are seen by nobody inside a scope"):
                oidc.link(row.values["account"], row.values["provider"], row.values["subject"], self.actor.name)
            delegation.log(self.actor, Act.LINK, row.values["account"])
            advance(1)
        return {"new": len(rows)}
