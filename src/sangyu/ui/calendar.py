"""Screens of the working calendar: the days that differ from the shipped one, one by one or from a workbook."""

import django_filters
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sangyu.kernel import calendar
from sangyu.kernel.calendar import shipped
from sangyu.kernel.importing.importer import Importer
from sangyu.kernel.models import CalendarDay

from .nav import Group, Nav
from .pages import ActionPage, Day, FormPage, ImportPage, Link, ListPage, Text

NAV = [Nav(_("Working calendar"), "cal", "ui:calendar", "ui.calendar", Group.ADMIN, 60)]
PARENT = ("ui:calendar", _("Working calendar"))
WEEKDAYS = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))


def word(working: bool) -> str:
    return gettext("worked") if working else gettext("free")


def effect(row: CalendarDay) -> str:
    """What the exception changes."""
    before = shipped(row.day)
    if before == row.is_working:
        return gettext("none: the shipped calendar says the same")
    return gettext("%(before)s → %(after)s") % {"before": word(before), "after": word(row.is_working)}


class CalendarFilter(django_filters.FilterSet):
    year = django_filters.NumberFilter(field_name="day", lookup_expr="year", label=_("Year"))

    class Meta:
        model = CalendarDay
        fields = ["year", "is_working"]


class CalendarList(ListPage):
    url, name, permission, title = "calendar/", "calendar", "ui.calendar", _("Working calendar")
    model = CalendarDay
    unit = _("days")
    search = ("name",)
    filters = CalendarFilter
    sort = "-day"
    columns = [
        Day("day", _("Day"), sort=True),
        Text("weekday", _("Weekday"), value=lambda r: WEEKDAYS[r.day.weekday()]),
        Text("is_working", _("Is"), value=lambda r: word(r.is_working), sort=True),
        Text("name", _("Holiday or reason")),
        Text("effect", _("Effect"), value=effect),
    ]
    head = [
        Link(_("Add a day"), "ui:calendar_new", "plus", "ui.calendar", "pri"),
        Link(_("Import"), "ui:calendar_import", "ul", "ui.calendar"),
    ]
    row_actions = [Link(_("Remove"), "ui:calendar_remove", permission="ui.calendar", kind="text", method="dialog")]
    empty_text = _(
        "The published holidays hold. Add days that are worked or free against them, such as a new notice's."
    )


class DayForm(forms.Form):
    day = forms.DateField(label=_("Day"))
    is_working = forms.TypedChoiceField(
        label=_("Is"), choices=[("no", _("free")), ("yes", _("worked"))], coerce=lambda v: v == "yes"
    )
    name = forms.CharField(label=_("Holiday or reason"), max_length=60, required=False)


class CalendarNew(FormPage):
    url, name, permission, title = "calendar/new/", "calendar_new", "ui.calendar", _("Add a day")
    form_class, parent, service = DayForm, PARENT, calendar.set_day
    intro = _("Deadlines counted from now on follow it; those already set stay.")
    success = _("Kept.")

    def success_url(self, result) -> str:
        return self.get_cancel_url()


class CalendarUpload(ImportPage):
    url, name, permission, title = "calendar/import/", "calendar_import", "ui.calendar", _("Import days")
    parent, back_url = PARENT, "ui:calendar"
    importer = Importer("ui.calendar")


class CalendarRemove(ActionPage):
    url, name, permission, title = "calendar/<int:pk>/remove/", "calendar_remove", "ui.calendar", _("Remove the day")
    model, parent, submit_label, leaves = CalendarDay, PARENT, _("Remove"), True
    service, argument, success = calendar.remove_day, "day_id", _("Removed.")

    def confirm_text(self) -> str:
        row = self.object
        what = {"day": f"{row.day:%Y-%m-%d}", "what": word(shipped(row.day))}
        return gettext("%(day)s is then %(what)s again, as the published calendar says.") % what
