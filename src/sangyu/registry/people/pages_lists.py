"""Lists about statuses: which tags end, and the database of elders in special difficulty (R-017, R-023, R-025)."""

from datetime import date, timedelta

import django_filters
from django.db.models import Exists, OuterRef, Q, Subquery
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import Forbidden
from sangyu.kernel.models import Change
from sangyu.kernel.workbooks import Workbook
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import Day, ListPage, PlainPage, Text, file_answer

from . import counts
from .enums import Tag
from .models import PersonFact
from .selectors import tag_condition

NAV = [
    Nav(_("Tags ending"), "clock", "people:ending", "people.view", Group.REGISTERS, 13),
    Nav(_("Special difficulty"), "shield", "people:difficult", "people.view", Group.REGISTERS, 14),
]


def month_of(day: date, shift: int = 0) -> tuple[date, date]:
    """First day of the month ``shift`` months from ``day``'s, and of the one after."""
    number = day.year * 12 + day.month - 1 + shift
    return date(number // 12, number % 12 + 1, 1), date((number + 1) // 12, (number + 1) % 12 + 1, 1)


def ending(day: date, shift: int = 0):
    """Live facts that gave a tag and give it no more from a day of that month, with ``why`` (R-017).

    A fact that is followed at once by one of the same kind and value goes on and is left out.
    """
    first, after = month_of(day, shift)
    tagged = Q(pk__in=[])
    for tag in Tag:
        for kind, values in tag_condition(tag):
            tagged |= Q(kind=kind, value__in=values)
    goes_on = PersonFact.objects.known_on(None).filter(
        subject=OuterRef("subject"), kind=OuterRef("kind"), value=OuterRef("value"), valid_from=OuterRef("valid_to")
    )
    said = Change.objects.filter(table_name=PersonFact._meta.db_table, row_id=OuterRef("pk"), op="I")
    rows = PersonFact.objects.known_on(None).filter(
        tagged, ~Exists(goes_on), valid_to__gt=first, valid_to__lte=after, subject__died_on__isnull=True
    )
    return rows.annotate(why=Subquery(said.values("reason")[:1]))


class EndingFilters(django_filters.FilterSet):
    month = django_filters.ChoiceFilter(
        label=_("Month"), choices=[("0", _("This month")), ("1", _("Next month")), ("-1", _("Last month"))],
        method="kept", empty_label=None,
    )  # fmt: skip
    tag = django_filters.ChoiceFilter(label=_("Tag"), choices=Tag.choices, method="by_tag")

    class Meta:
        model = PersonFact
        fields: list[str] = []

    def kept(self, rows, name, value):
        return rows

    def by_tag(self, rows, name, value):
        condition = Q(pk__in=[])
        for kind, values in tag_condition(value):
            condition |= Q(kind=kind, value__in=values)
        return rows.filter(condition)


class EndingTags(ListPage):
    """Whose tags end this month, and why: next month's lists are without them (R-017)."""

    url, name, permission, title = "tags-ending/", "ending", "people.view", _("Tags ending")
    model, related, unit = PersonFact, ("subject__region",), _("tags")
    filters, sort, personal, export_permission = EndingFilters, "valid_to", "people.ending", "people.export"
    columns = [
        Text("subject.name", _("Name"), link=lambda f: reverse("casefile:page", args=[f.subject_id])),
        Text("subject.region.full_name", _("Area")),
        Text("kind_label", _("Kind")),
        Text("value_label", _("Status")),
        Day("valid_from", _("Holds from")),
        Day("last_day", _("Last day"), value=lambda f: f.valid_to - timedelta(days=1), sort="valid_to"),
        Text("why", _("Why"), value=lambda f: f.why or f.note or str(_("the period is over"))),
        Text("source", _("Source")),
    ]
    empty_text = _("No tag ends in this month.")

    def get_queryset(self):
        month = self.request.GET.get("month", "0")
        return ending(timezone.localdate(), int(month) if month in ("-1", "0", "1") else 0)


class DifficultPage(PlainPage):
    """The database of elders in special difficulty: counts by area and level; each number opens its list (R-023)."""

    url, name, permission, title = "difficult/", "difficult", "people.view", _("Elders in special difficulty")
    template = "people/difficult.html"

    def get_context(self) -> dict:
        found = counts.difficult(self.actor, timezone.localdate())
        for line in [*found.lines, found.whole]:
            line.urls = {a: self.list_of(line.path, a) for a in ("disabled", "partly", "")}
        return {"found": found, "day": timezone.localdate()}

    def list_of(self, path: str, ability: str) -> str:
        query = {"tag": Tag.DIFFICULT.value, "ability": ability or "any", "alive": "1", "path": path}
        return f"{reverse('people:list')}?{urlencode(query)}"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        return self.export() if "export" in request.GET else super().get(request, *args, **kwargs)

    def export(self) -> HttpResponse:
        """The same counts as xlsx; logged."""
        if not self.actor.may("people.export"):
            raise Forbidden("people.export")
        found = counts.difficult(self.actor, timezone.localdate())
        log_read(actor=self.actor, what="people.difficult", objects=[], purpose=str(_("export")))
        book = Workbook()
        sheet = book.add_worksheet(str(self.title)[:31])
        words = [_("Area"), _("Disabled"), _("Partly disabled"), _("Total"), _("Urban"), _("Rural"), _("Not stated"),
                 _("No level yet")]  # fmt: skip
        sheet.write_row(0, 0, [str(w) for w in words], book.bold)
        for n, line in enumerate([*found.lines, found.whole], 1):
            name = line.name if n <= len(found.lines) else str(_("Total"))
            sheet.write_row(n, 0, [name, line.disabled, line.partly, line.total, line.urban, line.rural, line.unknown,
                                   line.unassessed])  # fmt: skip
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 24)
        return file_answer(book.content(), "difficult.xlsx")
