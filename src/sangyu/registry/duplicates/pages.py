"""The queue of pairs, and what can be decided without opening both files. Comparing and merging are in the casefile."""

import django_filters
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.identity import age_on
from sangyu.registry.regions import selectors as regions
from sangyu.registry.regions.enums import Level
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import ActionPage, Link, ListPage, Moment, Number, PlainPage, Status, Tags, Text

from . import selectors, services
from .enums import REASONS, State
from .forms import ApartForm, LaterForm, SearchForm
from .models import Candidate

NAV = [
    Nav(_("Duplicates"), "copy", "duplicates:list", "duplicates.review", Group.REGISTERS, 14, badge=selectors.waiting)
]
LIST = ("duplicates:list", _("Duplicates"))
#: Findings that speak against a pair.
AGAINST = {"other", "likely"}


def compare(row: Candidate) -> str:
    """Address of the side-by-side page; the queue itself where no such page is installed."""
    try:
        return reverse("casefile:compare", args=[row.first_id, row.second_id])
    except NoReverseMatch:
        return reverse("duplicates:list")


def reasons(row: Candidate) -> list[tuple[str, str]]:
    """(words, tone) of the findings that weigh."""
    return [(str(REASONS[x]), "bad" if x.split(".")[1] in AGAINST else "line") for x in row.levels if x in REASONS]


def _who(person) -> str:
    age = age_on(person.birth_date, timezone.localdate()) if person.birth_date else "?"
    return f"{person.name} {person.get_sex_display()} {age}"


class CandidateFilters(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label=_("State"), choices=State.choices)
    path = django_filters.ChoiceFilter(label=_("Area"), method="within")
    score_from = django_filters.NumberFilter(label=_("Score from"), field_name="score", lookup_expr="gte")

    class Meta:
        model = Candidate
        fields: list[str] = []

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        actor = self.request.actor
        upper = regions.below(actor.path).filter(level__lte=max(Level.STREET, len(actor.path) // 3))
        self.filters["path"].extra["choices"] = [(r.path, "\u3000" * max(0, r.level - 3) + r.name) for r in upper]

    def within(self, rows, name, value):
        return rows.filter(path__gte=value, path__lt=value + "~")


class CandidateList(ListPage):
    """Pairs that may be one person's two files, most likely first (R-026)."""

    url, name, permission, title = "", "list", "duplicates.review", _("Possible duplicates")
    model, related, unit = Candidate, ("first__region", "second__region"), _("pairs")
    filters = CandidateFilters
    search_hint = _("Name")
    search = ("first__name", "second__name")
    sort = "-score"
    personal = "duplicates.queue"
    columns = [
        Text("first", _("One file"), value=lambda c: _who(c.first), link=compare),
        Text("second", _("Other file"), value=lambda c: _who(c.second)),
        Number("score", _("Score"), sort=True, value=lambda c: round(c.score)),
        Tags("levels", pgettext_lazy("duplicates", "Why"), value=reasons),
        Text(
            "first.region.name",
            _("Area"),
            value=lambda c: " / ".join(dict.fromkeys((c.first.region.name, c.second.region.name))),
        ),
        Status("state", _("State"), enum=State),
        Moment("found_at", _("Found"), sort=True),
        Moment("decided_at", _("Decided at"), hidden=True),
        Text("decided_by", _("Decided by"), hidden=True),
        Text("reason", _("Reason"), hidden=True),
    ]
    head = [Link(_("Search again"), "duplicates:search", "search", "duplicates.search", method="dialog")]
    row_actions = [
        Link(_("Compare"), "casefile:compare", args=lambda c: [c.first_id, c.second_id], permission="people.merge"),
        Link(
            _("Not the same"), "duplicates:apart", permission="duplicates.review", method="dialog",
            when=lambda c: c.state in (State.OPEN, State.LATER),
        ),
        Link(_("Later"), "duplicates:later", permission="duplicates.review", method="dialog", when=lambda c: c.state == State.OPEN),
        Link(
            _("Back to the queue"), "duplicates:take_up", permission="duplicates.review", method="post",
            when=lambda c: c.state in (State.LATER, State.DIFFERENT),
        ),
        Link(
            _("Undo the merge"),
            "casefile:undo_merge",
            args=lambda c: [c.merge_id],
            permission="people.merge",
            when=lambda c: c.state == State.MERGED and c.merge_id,
        ),
    ]  # fmt: skip
    presets = [
        (_("To review"), "state=open"),
        (_("Almost certain"), "state=open&score_from=30"),
        (_("Put off"), "state=later"),
    ]
    empty_text = _("No pair waits. Search again after an import.")

    def get_queryset(self):
        return selectors.pairs()


class Apart(ActionPage):
    url, name, permission, title = "<int:pk>/apart/", "apart", "duplicates.review", _("Not the same")
    model, related, form_class, parent, leaves = Candidate, ("first", "second"), ApartForm, LIST, True
    submit_label, success = _("Not the same"), _("Noted. The pair comes back only when one of the files changes.")
    service, argument = services.keep_apart, "candidate_id"

    def confirm_text(self):
        names = {"first": self.object.first.name, "second": self.object.second.name}
        return gettext("%(first)s and %(second)s are two persons.") % names

    def undo_url(self):
        return reverse("duplicates:take_up", args=[self.object.pk])


class Later(ActionPage):
    url, name, permission, title = "<int:pk>/later/", "later", "duplicates.review", _("Later")
    model, form_class, parent, leaves = Candidate, LaterForm, LIST, True
    submit_label, success, service, argument = _("Later"), _("Put off."), services.put_off, "candidate_id"

    def undo_url(self):
        return reverse("duplicates:take_up", args=[self.object.pk])


class TakeUp(ActionPage):
    url, name, permission, title = "<int:pk>/take-up/", "take_up", "duplicates.review", _("Back to the queue")
    model, parent, leaves = Candidate, LIST, True
    success, service, argument = _("In the queue again."), services.take_up, "candidate_id"


class Search(ActionPage):
    url, name, permission, title = "search/", "search", "duplicates.search", _("Search again")
    form_class, parent, leaves, submit_label = SearchForm, LIST, True, _("Search")

    def confirm_text(self):
        last = selectors.last_pass(self.actor)
        if last is None:
            return gettext("The area was never searched.")
        return gettext("Last search %(at)s: %(compared)s pairs compared, %(found)s to look at.") % {
            "at": f"{timezone.localtime(last.until):%Y-%m-%d %H:%M}", "compared": f"{last.compared:,}", "found": f"{last.found:,}",
        }  # fmt: skip

    def act(self, form):
        row = services.start_search(actor=self.actor, whole=form.cleaned_data["whole"])
        return self.redirect(reverse("ui:operation", args=[row.pk]))


class Similar(PlainPage):
    """Asked by the form of a new file while it is filled in: who is there already. Posted, so that no number is in an address."""

    url, name, permission, title = "similar/", "similar", "people.register", _("Is this person registered already?")
    template = fragment = "duplicates/similar.html"

    def get_context(self) -> dict:
        given = self.request.POST
        region = self.region(given.get("region_id", "").strip())
        birth = parse_date(given.get("birth_date") or "")
        asked = {k: given.get(k, "").strip() for k in ("name", "sex", "id_number", "phone", "address")}
        return {
            "found": selectors.similar(self.actor, {**asked, "birth_date": birth}, path=region.path if region else "")
        }

    def region(self, text: str):
        """The community that was typed, when it is clear already."""
        code = text.rsplit(" ", 1)[-1]
        if code.isdecimal() and len(code) == 12:
            return regions.below(self.actor.path).filter(code=code).first()
        found = regions.search(self.actor, text, limit=2) if text else []
        return found[0] if len(found) == 1 else None

    def post(self, request, *args, **kwargs):
        return self.render(self.fragment, self.context(**self.get_context()))
