"""Screens: the response report with its export and print, false alarms."""

from datetime import date, timedelta

from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.workbooks import Workbook
from sangyu.ui.pages import FilePage, Made, PlainPage

from .. import selectors
from ..reports import BY, TARGETS
from .cases import LIST

_WORDS = {
    "month": _("By month"), "desk": _("By who answered"), "area": _("By area"), "level": _("By level"), "kind": _("By alarm"),
    "total": _("In all"),
}  # fmt: skip


def asked(request) -> dict:
    """What of the report the address asks for; what cannot be read is as if not there."""
    today = timezone.localdate()

    def day(name: str, usual: date) -> date:
        try:
            return date.fromisoformat(request.GET.get(name, ""))
        except ValueError:
            return usual

    frm, to = day("frm", (today - timedelta(days=90)).replace(day=1)), day("to", today)
    by, level = request.GET.get("by", "month"), request.GET.get("level", "")
    return {
        "frm": min(frm, to), "to": max(frm, to), "by": by if by in BY else "month",
        "level": int(level) if level in ("1", "2") else 0, "drills": request.GET.get("drills") == "1",
    }  # fmt: skip


class Report(PlainPage):
    url, name, permission, title = "report/", "report", "emergencies.report", _("Response report")
    template, parent = "emergencies/report.html", LIST

    def get_context(self) -> dict:
        given = asked(self.request)
        whole = selectors.report(self.actor, **{**given, "by": "total"})
        query = {k: v for k, v in (*given.items(), ("drills", "1" if given["drills"] else "")) if v}
        return {
            "lines": selectors.report(self.actor, **given),
            "whole": whole[0] if whole else None,
            "given": given,
            "ways": _WORDS.items(),
            "targets": TARGETS,
            "false_lines": selectors.false_alarms(self.actor, given["frm"], given["to"]),
            "products": selectors.false_alarms(self.actor, given["frm"], given["to"], "product"),
            "query": urlencode(query),
        }  # fmt: skip


class ReportFile(FilePage):
    """The table of the page as a workbook; logged."""

    url, name, permission, title = "report.xlsx", "report-file", "emergencies.export", _("Response report")
    what = "emergencies.report"

    def make(self) -> Made:
        given = asked(self.request)
        book = Workbook()
        sheet = book.add_worksheet(gettext("Response report"))
        heads = [
            str(_WORDS[given["by"]]), gettext("Cases"), gettext("Answered"), gettext("Within 60 s of the device's time %"),
            gettext("Within 180 s of the device's time %"), gettext("Within 60 s of arrival %"), gettext("Within 180 s of arrival %"),
            gettext("Median from arrival (s)"), gettext("To the door (min)"), gettext("False alarms %"), gettext("120 or 110"),
        ]  # fmt: skip
        rows = [
            [
                a.label, a.cases, a.answered, a.device_60_share, a.device_180_share, a.arrival_60_share, a.arrival_180_share,
                a.arrival_median, a.to_arrival_minutes, a.false_share, a.emergency,
            ]
            for a in selectors.report(self.actor, **given)
        ]  # fmt: skip
        sheet.write_row(0, 0, heads, book.bold)
        for n, row in enumerate(rows, 1):
            sheet.write_row(n, 0, ["" if value is None else value for value in row])
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 26)
        return Made(book.content(), f"{gettext('Response report')}_{given['frm']}_{given['to']}.xlsx")


PAGES = (Report, ReportFile)
