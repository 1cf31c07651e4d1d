"""Status lists: entered, compared, settled line by line or many at once (R-019)."""

from functools import cached_property
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.importing.importer import Importer
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import Sex
from sangyu.registry.regions import fields as region_fields
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    ActionPage,
    Bulk,
    BulkForm,
    Choice,
    Day,
    FormPage,
    ImportPage,
    Link,
    ListPage,
    Moment,
    Number,
    Outcome,
    Status,
    Text,
    bulk,
)

from . import selectors, services
from .enums import LineState, ListKind
from .enums import Outcome as Compared
from .models import StatusLine, StatusList

NAV = [Nav(_("Status lists"), "clip", "statuslists:list", "statuslists.view", Group.REGISTERS, 18)]
LISTS = ("statuslists:list", _("Status lists"))
TONES = {"hit": "ok", "new": "info", "ended": "warn", "miss": "mute", "conflict": "bad"}
STATE_TONES = {"open": "warn", "done": "ok", "dismissed": "mute"}


class Lists(ListPage):
    url, name, permission, title = "", "list", "statuslists.view", _("Status lists")
    model, sort, unit = StatusList, "-id", _("lists")
    filters = ["kind", "authority"]
    columns = [
        Choice("kind", _("Kind of list"), enum=ListKind, link="statuslists:lines"),
        Day("month", _("Month"), sort=True),
        Text("authority", pgettext_lazy("status list", "From")),
        Text("region_name", _("Area")),
        Number("lines_count", _("Lines")),
        Text("file_name", _("File")),
        Text("created_by", _("Entered by")),
        Moment("created_at", _("Entered at"), sort=True),
    ]
    head = [Link(_("Enter a list"), "statuslists:import", "ul", "statuslists.import", "pri")]
    empty_text = _(
        "Lists of minimum allowance, disability, deaths and other statuses are compared with the register here."
    )


class Enter(ImportPage):
    url, name, permission, title = "import/", "import", "statuslists.import", _("Enter a list")
    parent, back_url = LISTS, "statuslists:list"
    importer = Importer("statuslists.list")
    help_text = _(
        "One person a line: name and ID number, or name and birth date. The register changes only when you settle the lines."
    )

    def done_url(self, state) -> str:
        made = state.counts.get("list")
        return reverse("statuslists:lines", args=[made]) if made else super().done_url(state)


class Why(BulkForm):
    reason = forms.CharField(label=_("Reason"), max_length=200)


def _apply(*, actor, ids) -> Outcome:
    return Outcome(refused=services.apply(actor=actor, ids=list(ids)))


def _dismiss(*, actor, ids, reason) -> Outcome:
    return Outcome(refused=services.dismiss(actor=actor, ids=list(ids), reason=reason))


def _take_back(*, actor, ids, reason) -> Outcome:
    return Outcome(refused=services.take_back(actor=actor, ids=list(ids), reason=reason))


def _undo(*, actor, kept) -> dict[int, str]:
    return services.take_back(actor=actor, ids=list(kept), reason=gettext("Taken back"))


def _open(*outcomes: str):
    return lambda line: line.state == LineState.OPEN and line.outcome in outcomes and line.code != "elsewhere"


def _elsewhere(line: StatusLine) -> bool:
    return line.state == LineState.OPEN and line.code == "elsewhere"


def _undecided(line: StatusLine) -> bool:
    return line.state == LineState.OPEN and line.outcome == Compared.CONFLICT and bool(line.candidates)


class Lines(ListPage):
    """The lines of one list, with how many of each outcome are still to do."""

    url, name, permission, title = "<int:pk>/", "lines", "statuslists.view", _("Lines of the list")
    model, sort, unit = StatusLine, "row", _("lines")
    parent, template, personal = LISTS, "statuslists/lines.html", "statuslists.lines"
    related, search, filters = ("status_list", "person"), ("name",), ["outcome", "state"]
    presets = [
        (_("To begin"), "outcome=new&state=open"),
        (_("To end"), "outcome=ended&state=open"),
        (_("Not registered"), "outcome=miss&state=open"),
        (_("Contradictions"), "outcome=conflict&state=open"),
    ]
    columns = [
        Text("name", _("Name"), link=lambda line: line.person_id and reverse("people:detail", args=[line.person_id])),
        Text("id_masked", _("ID number")),
        Day("birth_date", _("Birth date")),
        Text("region_text", _("Community")),
        Text("value_label", _("Status")),
        Day("since", pgettext_lazy("statuslists", "Since")),
        Status("outcome", _("Comparison"), enum=Compared, tones=TONES),
        Text("message", _("Explanation")),
        Status("state", _("State"), enum=LineState, tones=STATE_TONES),
        Number("row", _("Row"), sort=True),
        Text("decided_by", _("Settled by"), hidden=True),
        Moment("decided_at", _("Settled at"), hidden=True),
        Text("reason", _("Reason"), hidden=True),
    ]
    row_actions = [
        Link(_("Register"), "statuslists:register", permission="people.register", method="dialog", when=_open("miss")),
        Link(_("Ask for the file"), "statuslists:transfer", permission="transfers.request", when=_elsewhere),
        Link(
            _("Decide"), "statuslists:choose", permission="statuslists.settle", method="dialog", when=_open("conflict")
        ),
    ]
    bulk = [
        Bulk(
            "apply",
            _("Carry out"),
            "statuslists.settle",
            many=_apply,
            undo_many=_undo,
            confirm=_("Begin or end the status for {count} lines?"),
        ),
        Bulk("dismiss", _("Dismiss"), "statuslists.settle", many=_dismiss, undo_many=_undo, form=Why),
        Bulk(
            "take_back",
            _("Take back"),
            "statuslists.settle",
            many=_take_back,
            form=Why,
            icon="undo",
            confirm=_("What held before holds again for {count} lines; where something newer stands, nothing changes."),
        ),
    ]

    @cached_property
    def status_list(self) -> StatusList:
        found = StatusList.objects.visible_to(self.actor).filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise NotVisible
        return found

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().filter(status_list=self.status_list)

    def get_title(self) -> str:
        return str(self.status_list)

    def links(self) -> list[Link]:
        if not self.status_list.lines.exclude(state=LineState.OPEN).exclude(outcome=Compared.HIT).exists():
            return []
        return [
            Link(_("Take the list back"), "statuslists:take_back", "undo", "statuslists.settle", "badline", "dialog",
                 args=lambda _row: [self.kwargs["pk"]])
        ]  # fmt: skip

    def context(self, **more: Any) -> dict:
        return super().context(**more, counts=selectors.counts(self.actor, self.status_list.pk))


class TakeListBack(ActionPage):
    """All settled lines of one list at once; the answer is the result of each line."""

    url, name, permission, title = "<int:pk>/take-back/", "take_back", "statuslists.settle", _("Take the list back")
    model, parent, form_class, submit_label = StatusList, LISTS, Why, _("Take back")
    leaves = True

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def confirm_text(self) -> str:
        count = self.object.lines.exclude(state=LineState.OPEN).exclude(outcome=Compared.HIT).count()
        return gettext("%(n)d lines of “%(list)s” are taken back: what held before holds again.") % {
            "n": count, "list": self.object,
        }  # fmt: skip

    def act(self, form) -> HttpResponse:
        page = bulk.page_again(f"{__name__}:Lines", self.actor, kwargs={"pk": self.object.pk})
        act = next(a for a in Lines.bulk if a.key == "take_back")
        rows = page.get_queryset().exclude(state=LineState.OPEN).exclude(outcome=Compared.HIT)
        run = bulk.start(page, act, rows, {"reason": [form.cleaned_data["reason"]]})
        return self.redirect(reverse("ui:bulk", args=[run.pk]))


class LineForm(FormPage):
    """Base of the acts on one line; leads back to its list."""

    model = StatusLine
    parent = LISTS

    def success_url(self, result: StatusLine) -> str:
        return reverse("statuslists:lines", args=[self.object.status_list_id])


class ChooseForm(forms.Form):
    person_id = forms.TypedChoiceField(label=_("Who is it?"), coerce=int, widget=forms.RadioSelect)
    reason = forms.CharField(label=_("Reason"), max_length=200)

    def __init__(self, *args: Any, choices: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person_id"].choices = choices


class Choose(LineForm):
    url, name, permission, title = "lines/<int:pk>/choose/", "choose", "statuslists.settle", _("Decide a contradiction")
    form_class, service, argument = ChooseForm, services.choose, "line_id"
    success, submit_label = _("The status has begun."), _("This person: begin the status")

    def form_kwargs(self) -> dict:
        cards = people.person_cards(self.actor, self.object.candidates)
        return {
            "choices": [(c.id, f"{c.name} {c.id_masked} {c.birth_date or ''} {c.region_name}") for c in cards.values()]
        }


class TransferForm(forms.Form):
    region_id = region_fields.RegionField(label=_("Moves to"))
    moved_on = forms.DateField(label=_("Moved on"))
    address = forms.CharField(label=_("New address"), max_length=200, required=False)
    evidence = forms.CharField(label=_("What was shown"), max_length=200)
    paper = forms.FileField(label=_("Picture or scan"), required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region_id"].for_actor(actor)


class AskTransfer(LineForm):
    """Somebody registered in another county: ask for the file, with what the list says already filled in."""

    url, name, permission, title = "lines/<int:pk>/transfer/", "transfer", "transfers.request", _("Ask for the file")
    form_class, service, argument, multipart = TransferForm, services.ask_transfer, "line_id", True
    success, submit_label = _("The request is sent."), _("Send the request")

    def get_initial(self) -> dict:
        line = self.object
        return {"region_id": line.region_text, "address": line.address, "moved_on": line.since,
                "evidence": line.status_list.source_of(line.row)}  # fmt: skip

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def get_title(self) -> str:
        return f"{self.title} · {self.object.name} {self.object.id_masked}"


class RegisterForm(forms.Form):
    region_id = region_fields.RegionField(label=_("Community"))
    sex = forms.ChoiceField(label=_("Sex"), choices=[("", ""), *Sex.choices[1:3]])
    address = forms.CharField(label=_("Address"), max_length=200, required=False)

    def __init__(self, *args: Any, actor: Actor, line: StatusLine, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if line.sex or line.id_number:
            del self.fields["sex"]
        self.fields["region_id"].for_actor(actor)


class Register(LineForm):
    url, name, permission, title = (
        "lines/<int:pk>/register/",
        "register",
        "people.register",
        _("Register from the list"),
    )
    form_class, service, argument = RegisterForm, services.register, "line_id"
    success, submit_label = _("Registered."), _("Register")

    def get_initial(self) -> dict:
        return {"region_id": self.object.region_text, "address": self.object.address}

    def form_kwargs(self) -> dict:
        return {"actor": self.actor, "line": self.object}
