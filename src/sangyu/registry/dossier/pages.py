"""Pages of the dossier: papers, checks that are due, the code on the card."""

import io
from datetime import timedelta
from functools import partial

import django_filters
import segno
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import Audience
from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.identity import age_on
from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.people import selectors as people
from sangyu.registry.regions import selectors as regions
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    ActionPage,
    Bulk,
    Day,
    FormPage,
    Link,
    ListPage,
    Number,
    PlainPage,
    Text,
)

from . import forms, selectors, services
from .enums import Way
from .models import Paper

NAV = [Nav(_("Checks due"), "clip", "dossier:due", "dossier.check", Group.REGISTERS, 12)]
ELDERS = ("people:list", _("Elders"))


class OfPerson:
    """A page about one file: ``person`` is found through the actor's scope; it returns to ``back`` of the casefile."""

    back = "page"

    @property
    def person(self):
        if "_person" not in self.__dict__:
            row = getattr(self, "object", None)
            self._person = row.person if row is not None else people.get_person(self.actor, self.kwargs["pk"])
        return self._person

    def breadcrumbs(self):
        return [
            (str(ELDERS[1]), reverse(ELDERS[0])),
            (self.person.name, reverse(f"casefile:{self.back}", args=[self.person.pk])),
        ]

    def success_url(self, result=None):
        return reverse(f"casefile:{self.back}", args=[self.person.pk])

    def get(self, request, *args, **kwargs):
        self._seen()
        return super().get(request, *args, **kwargs)

    def post(self, request, *args, **kwargs):
        self._seen()
        return super().post(request, *args, **kwargs)

    def _seen(self) -> None:
        if self.model is None:
            people.get_person(self.actor, self.kwargs["pk"])


# ---------------------------------------------------------------- papers
class AddPaper(OfPerson, FormPage):
    url, name, permission, title = "of/<int:pk>/papers/new/", "paper_new", "dossier.papers", _("Add a paper")
    form_class, multipart, back = forms.PaperForm, True, "files"
    submit_label, success = _("Add"), _("Added.")

    def save(self, form):
        given = dict(form.cleaned_data)
        upload = given.pop("file")
        return services.add_paper(
            actor=self.actor, person_id=self.kwargs["pk"], content_type=upload.content_type or "", stream=upload,
            size=upload.size, **{**given, "title": given["title"] or upload.name.rpartition(".")[0][:100]},
        )  # fmt: skip


class WithdrawPaper(OfPerson, ActionPage):
    url, name, permission, title = (
        "papers/<int:pk>/withdraw/",
        "paper_withdraw",
        "dossier.papers",
        _("Withdraw the paper"),
    )
    model, related, form_class, leaves, back = Paper, ("person",), forms.ReasonForm, True, "files"
    submit_label, success, service, argument = _("Withdraw"), _("Withdrawn."), services.withdraw_paper, "paper_id"

    def undo_url(self):
        return reverse("dossier:paper_restore", args=[self.object.pk])


class RestorePaper(OfPerson, ActionPage):
    url, name, permission, title = (
        "papers/<int:pk>/restore/",
        "paper_restore",
        "dossier.papers",
        _("Take the paper back in"),
    )
    model, related, leaves, back = Paper, ("person",), True, "files"
    success, service, argument = _("Restored."), services.restore_paper, "paper_id"


# ---------------------------------------------------------------- checks
class CheckFile(OfPerson, ActionPage):
    """Who looked through the file, when, how."""

    url, name, permission, title = "of/<int:pk>/check/", "check", "dossier.check", _("File checked")
    form_class, leaves, success, submit_label = forms.CheckForm, True, _("Noted."), _("Save")

    def get_initial(self):
        return {"on": timezone.localdate(), "way": Way.VISIT}

    def act(self, form):
        services.check_files(actor=self.actor, person_ids=[self.kwargs["pk"]], **form.cleaned_data)
        return str(self.success)

    def success_url(self):
        return reverse("casefile:page", args=[self.kwargs["pk"]])


class AssignCheck(OfPerson, ActionPage):
    url, name, permission, title = "of/<int:pk>/assign/", "assign", "dossier.assign", _("Who checks next")
    form_class, leaves, success, submit_label = forms.AssignForm, True, _("Noted."), _("Save")

    def form_kwargs(self):
        return {"colleagues": accounts.colleagues(self.actor)}

    def act(self, form):
        services.assign(actor=self.actor, person_ids=[self.kwargs["pk"]], **form.cleaned_data)
        return str(self.success)

    def success_url(self):
        return reverse("dossier:due")


class DueFilters(django_filters.FilterSet):
    path = django_filters.ChoiceFilter(label=_("Area"), method="by_path")
    since = django_filters.ChoiceFilter(
        label=_("Last check"),
        choices=[("never", _("Never checked")), ("year", _("Over a year ago")), ("two", _("Over two years ago"))],
        method="by_since",
    )
    turn = django_filters.ChoiceFilter(
        label=_("Checked next by"), choices=[("me", _("Me")), ("none", _("Nobody yet"))], method="by_turn"
    )

    class Meta:
        model = None
        fields: list[str] = []

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        below = regions.below(self.request.actor.path).filter(level__gte=3)[:400]
        self.filters["path"].extra["choices"] = [(r.path, "\u3000" * max(0, r.level - 3) + r.name) for r in below]

    def by_path(self, rows, name, value):
        return rows.filter(path__startswith=value)

    def by_since(self, rows, name, value):
        if value == "never":
            return rows.filter(checked_on__isnull=True)
        return rows.filter(checked_on__lte=timezone.localdate() - timedelta(days=365 if value == "year" else 730))

    def by_turn(self, rows, name, value):
        return rows.filter(assigned_id=self.request.actor.account_id if value == "me" else None)


def _check(way: Way, actor, row) -> None:
    services.check_files(actor=actor, person_ids=[row.pk], on=timezone.localdate(), way=way)


def _assign(account_id: int, actor, row) -> None:
    services.assign(actor=actor, person_ids=[row.pk], account_id=account_id)


class DueList(ListPage):
    """Files due for a check in the area: never checked, or not for a year (R-015). Mark or assign many at once."""

    url, name, permission, title = "due/", "due", "dossier.check", _("Checks due")
    model, related, unit = None, ("region__parent",), _("files")
    filters, sort, personal = DueFilters, "checked_on", "dossier.due"
    columns = [
        Text("name", _("Name"), link="casefile:page"),
        Number("age", _("Age"), value=lambda p: age_on(p.birth_date, timezone.localdate())),
        Text("area", _("Area"), value=lambda p: (p.region.parent.name if p.region.parent else "") + p.region.name),
        Text("address", _("Address")),
        Number("completeness", _("File complete"), value=lambda p: p.completeness, sort="completeness"),
        Day("checked_on", _("Last check"), sort=True),
        Day("due_on", _("Due since"), value=selectors.due_on),
        Text("assigned_to", _("Checked next by")),
    ]
    row_actions = [
        Link(_("Checked"), "dossier:check", permission="dossier.check", method="dialog"),
        Link(_("Assign"), "dossier:assign", permission="dossier.assign", method="dialog"),
    ]
    presets = [(_("Mine"), "turn=me"), (_("Never checked"), "since=never"), (_("Not assigned"), "turn=none")]
    empty_text = _("Every file of this choice was checked within a year.")

    def get_queryset(self):
        return selectors.due(self.actor, timezone.localdate())

    @property
    def bulk(self):
        """Marking by way of checking, then one act per colleague."""
        made = [
            Bulk(f"check_{way.value}", _("Checked today: %(way)s") % {"way": way.label}, "dossier.check",
                 each=partial(_check, way))
            for way in (Way.VISIT, Way.PHONE, Way.LIST)
        ]  # fmt: skip
        if self.actor.may("dossier.assign"):
            made += [
                Bulk(f"assign_{a.pk}", _("Assign to %(name)s") % {"name": a.name}, "dossier.assign",
                     each=partial(_assign, a.pk))
                for a in accounts.colleagues(self.actor)[:12]
            ]  # fmt: skip
        return made


# ---------------------------------------------------------------- the code on the card
class Card(PlainPage):
    """What scanning the code shows: signed out only whom to call; signed in the file, as far as the role sees it."""

    url, name, permission, access = "card/<str:token>/", "card", "", "public"
    title, base, template = _("Card of an elder"), "ui/base_plain.html", "dossier/card.html"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        if self.actor is None:
            return super().get(request, *args, **kwargs)
        person_id = services.person_of_card(kwargs["token"])
        if person_id is None:
            raise NotVisible
        person = people.get_person(self.actor, person_id)
        log_read(actor=self.actor, what="card", objects=[person], purpose="card scanned")
        name = "family:elder" if self.actor.audience is Audience.FAMILY else "casefile:page"
        return self.redirect(reverse(name, args=[person_id]))


class CardImage(PlainPage):
    """The code as SVG, to print."""

    url, name, permission = "of/<int:pk>/card.svg", "card_image", "dossier.code"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        code = services.card_code(actor=self.actor, person_id=kwargs["pk"])
        address = request.build_absolute_uri(reverse("dossier:card", args=[code.token]))
        made = io.BytesIO()
        segno.make(address, error="m", micro=False).save(made, kind="svg", scale=4, border=2)
        headers = {"Cache-Control": "private, no-store"}
        return HttpResponse(made.getvalue(), content_type="image/svg+xml", headers=headers)


class ReplaceCard(OfPerson, ActionPage):
    url, name, permission, title = (
        "of/<int:pk>/card/replace/",
        "card_replace",
        "dossier.code",
        _("Replace the card's code"),
    )
    form_class, leaves, irreversible, submit_label = forms.ReasonForm, True, True, _("Replace")
    success, model = _("The old code opens nothing any more."), None

    def confirm_text(self):
        return str(_("The code on the printed card stops working; print the new one."))

    def act(self, form):
        services.replace_card_code(actor=self.actor, person_id=self.kwargs["pk"], reason=form.cleaned_data["reason"])
        return str(self.success)

    def success_url(self):
        return reverse("casefile:page", args=[self.kwargs["pk"]])
