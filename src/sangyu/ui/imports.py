"""Days of the working calendar from a workbook made of the State Council's notice: one row a day, or a span of days."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel.calendar import set_days
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Fate, Field, Import, Row, register
from sangyu.kernel.models import CalendarDay

WORDS = {
    **dict.fromkeys(("休", "放假", "休息", "休息日", "假", "free"), "free"),
    **dict.fromkeys(("班", "上班", "补班", "调休上班", "工作日", "worked"), "worked"),
}
#: The longest holiday has eight days; a longer span is a slip of the pen.
LONGEST = 15


@register
class CalendarImport(Import):
    """放假 and 调休上班 days; a day that is there takes the new word."""

    kind = "ui.calendar"
    title = gettext_lazy("Working calendar")
    permission = "ui.calendar"

    def describe(self) -> Sequence[Field]:
        return (
            Field("day", _("Day"), parsers.day, ("日期", "开始日期", "放假日期"), required=True),
            Field("last", _("Last day"), parsers.day, ("结束日期", "至"), hint=_("For a span of days.")),
            Field(
                "kind",
                _("Is"),
                parsers.choice(WORDS),
                ("类型", "安排", "休班"),
                required=True,
                choices=("放假", "上班"),
            ),
            Field("name", _("Holiday or reason"), parsers.text(60), ("名称", "节日", "节假日")),
        )

    def check(self, rows: list[Row]) -> None:
        known = dict(CalendarDay.objects.values_list("day", "is_working"))
        seen: dict = {}
        for row in rows:
            first, last = row.values["day"], row.values.get("last") or row.values["day"]
            if not first <= last < first + timedelta(days=LONGEST):
                row.refuse("last", _("The span ends before it begins, or is longer than 15 days."), "calendar.span")
                continue
            days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
            twice = next((d for d in days if d in seen), None)
            if twice is not None:
                row.refuse("day", _("The day stands in row %(n)d too.") % {"n": seen[twice]}, "twice")
                continue
            seen.update(dict.fromkeys(days, row.number))
            row.values["days"] = days
            before = [known.get(d) for d in days]
            if None not in before:
                same = all(b == (row.values["kind"] == "worked") for b in before)
                row.fate = Fate.UNCHANGED if same else Fate.CHANGED

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        days = [
            (day, row.values["kind"] == "worked", row.values.get("name", ""))
            for row in rows
            for day in row.values["days"]
        ]
        set_days(actor=self.actor, days=days)
        advance(len(rows))
        return {"days": len(days)}
