"""Fund sources with their years, and totals by policy, area, fund source, month and year."""

from datetime import date

from django.utils import timezone
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import Invalid
from sangyu.kernel.workbooks import Workbook
from sangyu.ui import format as fmt
from sangyu.ui.pages import Choice, Day, DetailPage, FormPage, Link, ListPage, Number, PlainPage, Tab, Text, YesNo
from sangyu.ui.pages.file import FilePage, Made
from sangyu.ui.pages.form import dress

from .. import forms, selectors, services
from ..enums import By, FundKind
from ..models import Fund

PARENT = ("benefits:funds", pgettext_lazy("navigation", "Fund sources"))


class FundList(ListPage):
    url, name, permission, title = "funds/", "funds", "benefits.view", pgettext_lazy("navigation", "Fund sources")
    model = Fund
    unit = _("funds")
    search, search_label = ("code", "name"), _("Name or code")
    filters = ["kind"]
    sort = "code"
    related = ("region",)
    columns = [
        Text("name", pgettext_lazy("thing", "Name"), link="benefits:fund"),
        Text("code", _("Code"), sort=True),
        Choice("kind", _("Kind"), enum=FundKind, sort=True),
        Text("region.name", _("Region")),
        Text("policies", _("Only for"), value=lambda f: "、".join(f.policies)),
        YesNo("limited", _("Only what has come in")),
        Day("valid_from", _("From")),
        Day("valid_to", _("Until"), hidden=True),
    ]
    head = [Link(_("New fund"), "benefits:fund_new", "plus", "benefits.fund", "pri")]


def _years(page) -> dict:
    return {"years": selectors.fund_years(page.actor, page.object), "least": selectors.LOTTERY_SHARE}


class FundDetail(DetailPage):
    url, name, permission = "funds/<int:pk>/", "fund", "benefits.view"
    model, related, parent = Fund, ("region",), PARENT
    facts = [Choice("kind", _("Kind"), enum=FundKind), Text("code", _("Code"))]
    summary = [
        (
            _("Fund source"),
            [
                Text("region.full_name", _("Region")), Text("policies", _("Only for"), value=lambda f: "、".join(f.policies)),
                Text("purpose", _("Purpose")), Text("document_number", _("Document number")),
                YesNo("limited", _("Only what has come in")), Number("deduct_most", _("Deductible share (%)")),
                Text("deduct_document", _("Document of the share")), Day("valid_from", _("From")), Day("valid_to", _("Until")),
            ],
        )
    ]  # fmt: skip
    tabs = [Tab("years", _("Years"), "benefits/fund_years.html", _years)]
    actions = [
        Link(_("Deductible share"), "benefits:fund_deductible", "", "benefits.fund"),
        Link(_("Budget"), "benefits:fund_budget", "", "benefits.fund"),
        Link(_("Other use"), "benefits:fund_other", "", "benefits.fund"),
        Link(_("Money came in"), "benefits:fund_receive", "", "benefits.fund", "pri"),
    ]

    def history_of(self) -> tuple:
        return tuple(self.object.budgets.all())


class FundNew(FormPage):
    url, name, permission, title = "funds/new/", "fund_new", "benefits.fund", _("New fund")
    form_class, parent, service, detail = forms.FundForm, PARENT, services.open_fund, "benefits:fund"

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def get_initial(self) -> dict:
        return {"valid_from": date(timezone.localdate().year, 1, 1)}

    def arguments(self, form) -> dict:
        given = dict(form.cleaned_data)
        return {"region_id": given.pop("region"), **given, "policies": given["policies"].split()}


class Deductible(FormPage):
    url, name, permission, title = (
        "funds/<int:pk>/deductible/", "fund_deductible", "benefits.fund", _("Deductible share"),
    )  # fmt: skip
    model, parent, argument, detail = Fund, PARENT, "fund_id", "benefits:fund"
    form_class, service, success = forms.DeductibleForm, services.set_deductible, _("Saved.")
    intro = _("How much of what somebody is paid in a month may be kept back for an agreed recovery.")

    def get_initial(self) -> dict:
        return {"share": self.object.deduct_most, "document": self.object.deduct_document}


class Budget(FormPage):
    url, name, permission, title = "funds/<int:pk>/budget/", "fund_budget", "benefits.fund", _("Budget")
    model, parent, argument, detail, tab = Fund, PARENT, "fund_id", "benefits:fund", "years"
    form_class, service, success = forms.BudgetForm, services.set_budget, _("Saved.")
    intro = _(
        "What the fund may spend in a calendar year. The what-if of a policy compares with it; an adjustment replaces it."
    )

    def get_initial(self) -> dict:
        year = timezone.localdate().year
        row = self.object.budgets.filter(year=year).first()
        return {"year": year} | ({"amount": row.amount, "document_number": row.document_number} if row else {})


class _Money(FormPage):
    permission, model, parent = "benefits.fund", Fund, PARENT
    form_class, argument, detail, tab = forms.MoneyForm, "fund_id", "benefits:fund", "years"
    day = ""

    def get_initial(self) -> dict:
        return {"day": timezone.localdate()}

    def arguments(self, form) -> dict:
        given = dict(form.cleaned_data)
        return {self.day: given.pop("day"), **given}


class Receive(_Money):
    url, name, title = "funds/<int:pk>/receive/", "fund_receive", _("Money came in")
    service, day, success = services.receive, "received_on", _("Booked.")


class OtherUse(_Money):
    url, name, title = "funds/<int:pk>/other/", "fund_other", _("Other use")
    service, day, success = services.use_otherwise, "used_on", _("Booked.")
    intro = _("Money of the fund that went to something else than elder care.")


# ---------------------------------------------------------------- totals
def _asked(page) -> tuple[forms.TotalsForm, str, date, date]:
    """What the address asks: the year so far by policy unless it says otherwise. Raises Invalid."""
    today = timezone.localdate()
    form = dress(forms.TotalsForm(page.request.GET or {"by": By.POLICY}))
    if not form.is_valid():
        raise Invalid({k: [str(m) for m in v] for k, v in form.errors.items()})
    given = form.cleaned_data
    since = (given["since"] or date(today.year, 1, 1)).replace(day=1)
    until = services.add_months(given["until"] or today, 1)
    return form, given["by"] or By.POLICY, since, until


class Totals(PlainPage):
    """Released amounts by policy, area, fund source, month or year: a plan period is its first to its last month (R-056)."""

    url, name, permission, title = "totals/", "totals", "benefits.view", _("Totals")
    parent = ("benefits:list", pgettext_lazy("navigation", "Benefit runs"))
    template = "benefits/totals.html"

    def get_context(self) -> dict:
        form, by, since, until = _asked(self)
        rows = selectors.totals(self.actor, by, since=since, until=until)
        return {
            "form": form, "by": By(by).label, "rows": [(r, fmt.money(r.amount)) for r in rows],
            "total": fmt.money(sum(r.amount for r in rows)), "since": since, "until": services.add_months(until, -1),
            "query": self.request.GET.urlencode(), "most": max((r.amount for r in rows), default=0) or 1,
        }  # fmt: skip


class TotalsFile(FilePage):
    url, name, permission, title = "totals/xlsx/", "totals_xlsx", "benefits.view", _("Totals")

    def make(self) -> Made:
        _form, by, since, until = _asked(self)
        book = Workbook()
        sheet = book.add_worksheet()
        bold, money = book.bold, book.money
        sheet.write_string(0, 0, f"{since:%Y-%m} – {services.add_months(until, -1):%Y-%m}", bold)
        for at, heading in enumerate(
            (By(by).label, gettext("Recipients"), pgettext("benefits", "Lines"), gettext("Amount (yuan)"))
        ):
            sheet.write_string(1, at, str(heading), bold)
            sheet.set_column(at, at, 24)
        for n, r in enumerate(selectors.totals(self.actor, by, since=since, until=until), start=2):
            sheet.write_string(n, 0, r.label)
            sheet.write_number(n, 1, r.subjects)
            sheet.write_number(n, 2, r.lines)
            sheet.write_number(n, 3, r.amount / 100, money)
        return Made(book.content(), f"totals-{since:%Y%m}.xlsx")
