"""The public notice: open to everybody while it lasts, names masked, one community at a time."""

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from sangyu.ui import format as fmt
from sangyu.ui.pages import Page

from .. import notices


class _Public(Page):
    access, base = "public", "ui/base_plain.html"
    template = ""

    def get(self, request, *args, **kwargs) -> HttpResponse:
        return self.render(self.template, self.context(**self.get_context()))

    def get_context(self) -> dict:
        return {}


class Notices(_Public):
    url, name, title, template = "notices/", "notices", _("Public notices of subsidies"), "benefits/notices.html"

    def get_context(self) -> dict:
        return {"notices": notices.open_notices()}


class PublicNotice(_Public):
    url, name, title, template = "notices/<slug:code>/", "notice", _("Public notice"), "benefits/notice.html"

    def get_context(self) -> dict:
        notice = notices.public_notice(self.kwargs["code"])
        places = notices.notice_places(notice)
        place = self.request.GET.get("place") or (places[0][0] if places else "")
        known = {path for path, _name, _n in places}
        rows = notices.notice_lines(notice, place) if place in known else []
        return {
            "notice": notice, "places": places, "place": place, "rows": [(r, fmt.money(r.amount)) for r in rows],
        }  # fmt: skip
