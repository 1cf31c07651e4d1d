"""The public notice of results: open to everybody while it lasts; who does not agree reads whom to tell (R-029)."""

from functools import cached_property

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.ui import format as fmt
from sangyu.ui.pages.public import PublicNotice, PublicNoticeList

from .. import notices


class PublicNotices(PublicNoticeList):
    url, name, title = "notices/", "notices", gettext_lazy("Public notices of assessments")

    def entries(self) -> list[tuple[str, str, str]]:
        return [
            (
                n.name, reverse("assessments:public_notice", args=[n.code]),
                f"{fmt.day(n.opens_on)} – {fmt.day(n.closes_on)}　{n.count:,}",
            )
            for n in notices.open_notices(timezone.localdate())
        ]  # fmt: skip


class PublicResults(PublicNotice):
    url, name, title = "notices/<slug:code>/", "public_notice", gettext_lazy("Public notice of assessments")
    heads = [
        (gettext_lazy("Name"), "c-lead"), (gettext_lazy("Level"), ""), (gettext_lazy("Scale"), ""), (gettext_lazy("Notice until"), ""),
    ]  # fmt: skip

    @cached_property
    def found(self) -> notices.Notice:
        return notices.notice_of(self.kwargs["code"], timezone.localdate())

    def notice(self) -> tuple[str, str]:
        return _("Assessment results of %(region)s") % {"region": self.found.name}, _(
            "Each result hangs out until the day beside it. Whoever does not agree tells the community, the street office or the civil affairs"
            " bureau within this time, or calls 12349; other assessors then assess anew."
        )

    def places(self) -> list[tuple[str, str, int]]:
        return notices.notice_places(self.found, timezone.localdate())

    def rows(self, path: str) -> list[list[str]]:
        rows = notices.notice_results(self.found, path, timezone.localdate())
        return [[r.name, r.level, r.scale, fmt.day(r.last_day)] for r in rows]
