"""The public notice: open to everybody while it lasts, names masked, one community at a time."""

from functools import cached_property

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.ui import format as fmt
from sangyu.ui.pages.public import PublicNotice as NoticePage
from sangyu.ui.pages.public import PublicNoticeList

from .. import notices


class Notices(PublicNoticeList):
    url, name, title = "notices/", "notices", gettext_lazy("Public notices of subsidies")

    def entries(self) -> list[tuple[str, str, str]]:
        return [
            (
                f"{n.run.region.full_name}　{n.run.month:%Y-%m}", reverse("benefits:notice", args=[n.code]),
                f"{fmt.day(n.opens_on)} – {fmt.day(n.closes_on)}　{n.line_count:,}",
            )
            for n in notices.open_notices()
        ]  # fmt: skip


class PublicNotice(NoticePage):
    url, name, title = "notices/<slug:code>/", "notice", gettext_lazy("Public notice")
    heads = [
        (gettext_lazy("Name"), "c-lead"), (gettext_lazy("Policy"), ""), (gettext_lazy("Month"), ""), (gettext_lazy("Amount"), "c-num"),
    ]  # fmt: skip

    @cached_property
    def found(self):
        return notices.public_notice(self.kwargs["code"])

    def notice(self) -> tuple[str, str]:
        n = self.found
        heading = _("Subsidies of %(region)s, %(month)s") % {
            "region": n.run.region.full_name, "month": f"{n.run.month:%Y-%m}",
        }  # fmt: skip
        return heading, _(
            "On public notice from %(start)s until before %(end)s. Whoever does not agree tells the street office or the civil affairs"
            " bureau within this time."
        ) % {"start": fmt.day(n.opens_on), "end": fmt.day(n.closes_on)}

    def places(self) -> list[tuple[str, str, int]]:
        return notices.notice_places(self.found)

    def rows(self, path: str) -> list[list[str]]:
        return [
            [r.name, r.policy, f"{r.month:%Y-%m}", fmt.money(r.amount)] for r in notices.notice_lines(self.found, path)
        ]
