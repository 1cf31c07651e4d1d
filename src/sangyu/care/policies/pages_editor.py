"""The editor of policy texts: line numbers, problems beside their lines, checking without storing."""

from datetime import timedelta

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import Invalid, Refused
from sangyu.registry.regions import selectors as regions
from sangyu.ui.pages import PlainPage

from . import selectors, services
from .models import PolicyVersion
from .plain import describe

LIST = ("policies:list", _("Policies"))


def policy_names(path: str) -> dict[str, str]:
    """Names of the policies that may be named beside another."""
    return {v.code: v.name for v in selectors.approved(path)}


def problem_rows(problems: list) -> list[dict]:
    """Problems for the screen: line, message, remedy."""
    return [dict(zip(("message", "remedy"), services.words_of(p), strict=True), line=p.line) for p in problems]


class Editor(PlainPage):
    """A text with line numbers; checking stores nothing, saving needs a text without problems."""

    template, fragment = "policies/editor.html", "policies/check.html"
    permission, parent = "policies.edit", LIST
    version: PolicyVersion | None = None

    def start(self) -> str:
        """The text that the editor opens with."""
        return _blank(self.actor)

    def save(self, text: str) -> PolicyVersion:
        return services.draft(actor=self.actor, text=text)

    def get_context(self) -> dict:
        return self.editing(self.start())

    def editing(self, text: str, refusal: str = "") -> dict:
        policy, problems = services.check(text)
        return {
            "text": text,
            "problems": (rows := problem_rows(problems)),
            "lines": _numbered(text, {row["line"] for row in rows}),
            "sections": describe(policy, policy_names(self.actor.path)) if policy else [],
            "policy": policy,
            "version": self.version,
            "words": selectors.vocabulary().of(policy.subject if policy else "person"),
            "refusal": refusal,
            "rows": min(60, max(24, text.count("\n") + 3)),
        }

    def post(self, request, *args, **kwargs) -> HttpResponse:
        text = request.POST.get("text", "").replace("\r\n", "\n")
        if "save" not in request.POST:
            return self.render(self.fragment if self.partial else self.template, self.context(**self.editing(text)))
        try:
            saved = self.save(text)
        except (Invalid, Refused) as error:
            refusal = "" if isinstance(error, Invalid) and error.code == "policies.text" else str(error)
            context = self.context(**self.editing(text, refusal))
            response = self.render(self.fragment if self.partial else self.template, context, status=error.status)
            response["X-Swap"] = "1"
            return response
        return self.redirect(reverse("policies:detail", args=[saved.pk]), gettext("Saved as a draft."))


class New(Editor):
    url, name, title = "new/", "new", _("New policy")


class _OfVersion(Editor):
    """An editor that begins with a stored version."""

    def get(self, request, *args, **kwargs):
        self.version = selectors.version(self.actor, kwargs["pk"])
        return super().get(request, *args, **kwargs)

    def post(self, request, *args, **kwargs):
        self.version = selectors.version(self.actor, kwargs["pk"])
        return super().post(request, *args, **kwargs)

    def start(self) -> str:
        return self.version.text

    def breadcrumbs(self):
        own = (str(self.version), reverse("policies:detail", args=[self.version.pk])) if self.version else None
        return [*super().breadcrumbs(), *([own] if own else [])]


class Edit(_OfVersion):
    url, name, title = "<int:pk>/edit/", "edit", _("Edit draft")

    def save(self, text: str) -> PolicyVersion:
        return services.change_draft(actor=self.actor, version_id=self.version.pk, text=text)


class NextVersion(_OfVersion):
    url, name, title = "<int:pk>/next/", "next", pgettext_lazy("policies", "New version")

    def save(self, text: str) -> PolicyVersion:
        return services.draft(actor=self.actor, text=text, based_on=self.version.pk)


def _numbered(text: str, wrong: set[int]) -> list[tuple[int, bool]]:
    return [(n, n in wrong) for n in range(1, text.count("\n") + 2)]


def _blank(actor) -> str:
    """A frame to fill in, in Chinese words, for the actor's own region."""
    region = regions.at_path(actor.path)
    code = (region.code if region else "").rstrip("0")
    code += "0" * (-len(code) % 2)
    first = (timezone.localdate().replace(day=1) + timedelta(days=32)).replace(day=1)
    return (
        f'编码: new-policy\n名称: 新政策\n地区: "{code}"\n文件:\n  文号: \n  标题: \n  条款: \n施行日期: {first:%Y-%m-%d}\n'
        "对象: 老年人\n周期: 月\n条件:\n  - 年龄 >= 80\n  - 在世\n标准: 100元\n形式: 现金\n资金来源: 市级财政\n"
    )
