"""What every page has: an address, a permission, a title, breadcrumbs, the actor and its scope."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views import View
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Forbidden, NotVisible, Replaced
from sangyu.kernel.scoping import scope


@dataclass(frozen=True)
class Link:
    """A link or button of a page head or row: ``url`` is a url name; ``args(object)`` gives its arguments (default pk).

    ``method`` "post" makes a small form (an act without confirmation); "dialog" opens the target page in a dialog and
    still works as a link without scripts. ``when(object)`` hides it.
    """

    label: str
    url: str
    icon: str = ""
    permission: str = ""
    kind: str = ""  # "", pri, bad, badline, text
    method: str = "get"
    args: Callable[[Any], list] | None = None
    when: Callable[[Any], bool] | None = None
    query: str = ""

    def shown(self, actor: Actor | None, obj: Any = None) -> dict | None:
        """What the template needs, or None when ``actor`` may not or ``when`` says no."""
        if self.permission and not (actor and actor.may(self.permission)):
            return None
        if self.when is not None and not self.when(obj):
            return None
        args = self.args(obj) if self.args else ([obj.pk] if obj is not None else [])
        return {
            "label": self.label,
            "url": reverse(self.url, args=args) + self.query,
            "icon": self.icon,
            "kind": self.kind,
            "method": self.method,
        }


class Page(View):
    """Base of all pages. Subclasses set ``url``, ``name``, ``permission`` and ``title``.

    ``permission`` "" = any signed-in actor. ``access = "public"`` opens the page to anyone (no scope is opened then).
    """

    url: ClassVar[str]
    name: ClassVar[str]
    permission: ClassVar[str | None] = None
    access: ClassVar[str | None] = None
    title: ClassVar[str] = ""
    template: ClassVar[str] = ""
    #: Page above this one in the breadcrumbs: url name without arguments, and its label; or override ``breadcrumbs``.
    parent: ClassVar[tuple[str, str] | None] = None
    #: Frame: "ui/base.html", "ui/base_elder.html", "ui/base_phone.html".
    base: ClassVar[str] = "ui/base.html"

    #: Topics of live push that concern the page ("orders" = all its events); a list reloads on each.
    live: ClassVar[tuple[str, ...]] = ()

    actor: Actor | None = None

    @classmethod
    def as_path(cls, url: str | None = None, name: str | None = None) -> URLPattern:
        """``path(url, view, name=name)`` for a room's ``urlpatterns``."""
        if cls.permission is None and cls.access != "public":
            raise ImproperlyConfigured(
                f"{cls.__module__}.{cls.__qualname__} names no permission (use '' for every signed-in actor)"
            )
        return path(cls.url if url is None else url, cls.as_view(), name=name or cls.name)

    @classmethod
    def as_paths(cls) -> list[URLPattern]:
        """All addresses of the page; a detail page has one a tab."""
        return [cls.as_path()]

    # -- request
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.actor = getattr(request, "actor", None)
        public = self.access == "public"
        if self.actor is None and not public:
            raise Forbidden(self.permission or "")
        with scope(self.actor, source="page") if self.actor else nullcontext():
            if not public:
                self.check(request)
            return super().dispatch(request, *args, **kwargs)

    def check(self, request: HttpRequest) -> None:
        """Raise Forbidden unless the actor may open the page. Override for rules beyond one permission."""
        if self.permission and not self.actor.may(self.permission):
            raise Forbidden(self.permission)

    # -- what the frame shows
    def get_title(self) -> str:
        return str(self.title)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        """(label, address) pairs from the left, without the page itself."""
        if self.parent is None:
            return []
        url_name, label = self.parent
        return [(str(label), reverse(url_name))]

    def links(self) -> list[Link]:
        """Buttons of the page head."""
        return []

    def context(self, **extra: Any) -> dict:
        obj = getattr(self, "object", None)
        return {
            "page": self,
            "title": self.get_title(),
            "breadcrumbs": self.breadcrumbs(),
            "head_links": [shown for link in self.links() if (shown := link.shown(self.actor, obj))],
            "base": self.base,
            "live_topics": ",".join(self.live),
            **extra,
        }

    @property
    def partial(self) -> bool:
        """Whether only a fragment is wanted (htmx, not boosted)."""
        return bool(getattr(self.request, "htmx", False)) and not self.request.htmx.boosted

    def render(self, template: str, context: dict, status: int = 200) -> HttpResponse:
        """Rendered now, inside the scope."""
        response = HttpResponse(render_to_string(template, context, request=self.request), status=status)
        response["Vary"] = "HX-Request, HX-Target"
        return response

    # -- after an act
    def redirect(self, url: str, message: str = "", *, undo: str = "") -> HttpResponse:
        """Go to ``url`` and show ``message`` as a toast; ``undo`` is an address that takes it back (POST, 8 seconds)."""
        if message:
            messages.success(self.request, message, extra_tags=f"undo:{undo}" if undo else "")
        if self.partial:
            return HttpResponseClientRedirect(url)
        return HttpResponseRedirect(url, status=303)

    def toast(self, message: str, *, undo: str = "", event: str = "ui:changed") -> HttpResponse:
        """htmx answer without content: a toast, and ``event`` so that lists and panels reload themselves."""
        response = HttpResponse(status=204)
        trigger_client_event(response, "ui:toast", {"message": str(message), "undo": undo})
        if event:
            trigger_client_event(response, event)
        return response

    def next_url(self, default: str) -> str:
        """The ``next`` parameter when it is an address of this site, else ``default``."""
        wanted = self.request.POST.get("next") or self.request.GET.get("next") or ""
        safe = url_has_allowed_host_and_scheme(
            wanted, {self.request.get_host()}, require_https=self.request.is_secure()
        )
        return wanted if wanted and safe else default


class ObjectMixin:
    """A page about one row, found through the actor's scope; out of scope is 404."""

    model: ClassVar[Any] = None
    #: Field of the ``pk`` argument; set another with ``pk_field = "number"`` and ``url = "<str:pk>/"``.
    pk_field: ClassVar[str] = "pk"
    #: ``select_related`` names.
    related: ClassVar[tuple[str, ...]] = ()
    object: Any = None
    #: The service of a form or act without code of its own: ``service(actor=, <argument>=pk, **arguments(form))``.
    service: ClassVar[Callable[..., Any] | None] = None
    argument: ClassVar[str] = ""
    #: Detail page to return to (url name), its tab, and the field of the row that names its number.
    detail: ClassVar[str] = ""
    tab: str = ""
    owner: ClassVar[str] = "pk"

    def get_queryset(self):
        return self.model._default_manager.all()

    def arguments(self, form: Any) -> dict:
        """What ``service`` gets besides the actor and the row."""
        return form.cleaned_data

    def call(self, form: Any) -> Any:
        """Call ``service`` with the actor, the row's number as ``argument`` (when there is a row) and ``arguments``."""
        about = {self.argument: self.object.pk} if self.object is not None else {}
        return type(self).service(actor=self.actor, **about, **self.arguments(form))

    def row_url(self, row: Any) -> str:
        """Address of ``detail`` for ``row``, on its ``tab``."""
        return reverse(self.detail + (f"-{self.tab}" if self.tab else ""), args=[getattr(row, self.owner)])

    def get_object(self, *, lock: bool = False):
        """The row, or NotVisible."""
        rows = self.get_queryset()
        if self.actor and hasattr(rows, "visible_to"):
            rows = rows.visible_to(self.actor)
        if self.related:
            rows = rows.select_related(*self.related)
        if lock:
            rows = rows.select_for_update(of=("self",))
        found = rows.filter(**{self.pk_field: self.kwargs["pk"]}).first()
        if found is None:
            into = self.model.survivor_of(self.kwargs["pk"]) if hasattr(self.model, "survivor_of") else None
            if into:
                raise Replaced(self.kwargs["pk"], into)
            raise NotVisible(_("%(kind)s not found.") % {"kind": capfirst(str(self.model._meta.verbose_name))})
        return found


class PlainPage(Page):
    """A page of its own kind: override ``get_context`` (and ``post`` when it acts). Fragments use ``fragment``."""

    fragment: ClassVar[str] = ""

    def get_context(self) -> dict:
        return {}

    def get(self, request, *args, **kwargs) -> HttpResponse:
        template = self.fragment if self.fragment and self.partial else self.template
        return self.render(template, self.context(**self.get_context()))


def paths(*pages: type[Page]) -> list[URLPattern]:
    """``urlpatterns = paths(ElderList, ElderDetail, …)``; fixed addresses come before those with arguments."""
    patterns = [p for page in pages for p in page.as_paths()]
    return sorted(patterns, key=lambda p: "<" in str(p.pattern).split("/")[0])
