"""Papers of a person: the file on one A4, and the code that hangs in the home."""

import io

import segno
from django.http import HttpResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext_lazy as _

from sangyu.care.orders.services import home_code
from sangyu.kernel.audit import log_read

from .pages import CasefilePage, basics
from .timeline import Show, timeline


class Print(CasefilePage):
    """The file on one A4; printing is a purposeful look and is logged."""

    url, name, permission = "<int:pk>/print/", "print", "people.view"
    title, base = _("Elder's file"), "ui/base_plain.html"

    @classmethod
    def as_paths(cls) -> list[URLPattern]:
        return [cls.as_path()]

    def get(self, request, *args, **kwargs) -> HttpResponse:
        self.object = self.get_object()
        if not self.file.staff:
            return self.redirect(reverse("casefile:page", args=[self.object.pk]))
        log_read(actor=self.actor, what="casefile", objects=[self.object], purpose="print")
        context = self.context(
            basics=basics(self.file),
            holding=self.file.holding,
            entries=timeline(self.file, Show.SERVICE, most=8)[0],
            now=self.file.now,
            coded=self.actor.may("dossier.code"),
        )
        return self.render("casefile/print.html", context)


class HomeCode(CasefilePage):
    """The page with the home's code, to print and hang behind the door (R-085)."""

    url, name, permission = "<int:pk>/code/", "code", "people.edit"
    base = "ui/base_plain.html"

    @classmethod
    def as_paths(cls) -> list[URLPattern]:
        return [cls.as_path()]

    def check(self, request) -> None:
        super(CasefilePage, self).check(request)

    def get(self, request, *args, **kwargs) -> HttpResponse:
        self.object = self.get_object()
        return self.render("casefile/code.html", self.context())


class Card(HomeCode):
    """The elder's service card with its code, to print and carry: no personal data but the name."""

    url, name, permission = "<int:pk>/card/", "card", "dossier.code"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        self.object = self.get_object()
        return self.render("casefile/card.html", self.context())


class CodeImage(HomeCode):
    """The code as SVG."""

    url, name = "<int:pk>/code.svg", "code_image"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        self.object = self.get_object()
        made = io.BytesIO()
        segno.make(home_code(self.object.pk), error="q", micro=False).save(made, kind="svg", scale=8, border=2)
        return HttpResponse(
            made.getvalue(), content_type="image/svg+xml", headers={"Cache-Control": "private, no-store"}
        )
