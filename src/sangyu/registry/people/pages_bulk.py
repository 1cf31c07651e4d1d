"""Acts on many elders from the list, and the page that divides an area by addresses."""

from datetime import date, datetime

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel import operations
from sangyu.kernel.errors import Forbidden, Invalid
from sangyu.registry.regions import selectors as regions
from sangyu.registry.regions.fields import RegionField
from sangyu.ui.pages import Bulk, BulkForm, FormPage, Outcome

from . import areas, services
from .enums import FACT_VALUES, FactKind
from .models import Person


class AreaForm(BulkForm):
    """Where to, from when and why."""

    region_id = RegionField(label=_("New community"))
    day = forms.DateField(label=_("Valid from"), initial=timezone.localdate)
    reason = forms.CharField(label=_("Decision or reason"), max_length=100)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region_id"].for_actor(self.actor)


class CheckForm(BulkForm):
    """The day of the check."""

    on = forms.DateField(label=_("Checked on"), initial=timezone.localdate)


def _statuses() -> list:
    """(kind, [("kind=value", words)]) of the statuses that a list of elders may be given; the last of each ends it."""
    offered = [k for k in FactKind if k in FACT_VALUES and k != FactKind.RESIDENCE]
    return [
        (k.label, [*((f"{k}={v}", label) for v, label in FACT_VALUES[k].items()), (f"{k}=", _("ends"))])
        for k in offered
    ]


class TagForm(BulkForm):
    """A status with its day and what proves it."""

    status = forms.ChoiceField(label=_("Status"), choices=_statuses)
    valid_from = forms.DateField(label=_("Valid from"), initial=timezone.localdate)
    source = forms.CharField(
        label=_("Evidence"), max_length=100, help_text=_("The decision or list that says so, with its number.")
    )

    def clean_valid_from(self):
        day = self.cleaned_data["valid_from"]
        if day > timezone.localdate():
            raise forms.ValidationError(gettext("The day lies in the future."))
        return day


def tag(*, actor, ids, status, valid_from, source) -> Outcome:
    """State the status for each; keeps kind and moment, so that it can be taken back."""
    kind, _sign, value = status.partition("=")
    now = timezone.now()
    done = services.state_facts(
        actor=actor, kind=kind, stated=[(pk, value or None, source) for pk in ids], valid_from=valid_from, reason=source,
        now=now,
    )  # fmt: skip
    words = gettext("Has died, is restricted, or was born later.")
    refused = {pk: words for pk in ids if pk not in done}
    return Outcome(refused, {pk: [kind, now.isoformat()] for pk in done})


def untag(*, actor, kept) -> dict[int, str]:
    """What held before holds again, unless the status was changed since."""
    groups: dict[str, dict[int, datetime]] = {}
    for pk, (kind, at) in kept.items():
        groups.setdefault(kind, {})[pk] = datetime.fromisoformat(at)
    refused = {}
    for kind, at in groups.items():
        done = services.take_facts_back(actor=actor, kind=kind, at=at, reason=gettext("Taken back"))
        refused |= {pk: gettext("The status was changed again since.") for pk in at if pk not in done}
    return refused


def reassign(*, actor, ids, region_id, day, reason) -> Outcome:
    """``areas.reassign`` for a list; keeps the region before and the day."""
    done = areas.reassign(actor=actor, ids=ids, region_id=region_id, day=day, reason=reason)
    return Outcome(done.refused, {pk: [old, region_id, day.isoformat()] for pk, old in done.previous.items()})


def reassign_back(*, actor, kept) -> dict[int, str]:
    """Give each back to the region it had, unless it has gone on to another one since."""
    now_at = dict(Person.objects.filter(pk__in=kept).values_list("pk", "region_id"))
    refused = {pk: gettext("Has gone to another area since.") for pk, k in kept.items() if now_at.get(pk) != k[1]}
    groups: dict[tuple, list[int]] = {}
    for pk, (old, _new, day) in kept.items():
        if pk not in refused:
            groups.setdefault((old, day), []).append(pk)
    for (old, day), ids in groups.items():
        target = regions.region(old, current=True)
        done = areas.reassign(
            actor=actor, ids=ids, region_id=target.pk, day=date.fromisoformat(day), reason=gettext("Taken back")
        )
        refused |= done.refused
    return refused


def check(*, actor, ids, on) -> Outcome:
    """Note the check; keeps the day before."""
    before = dict(Person.objects.filter(pk__in=ids).values_list("pk", "checked_on"))
    services.confirm_checks(actor=actor, person_ids=ids, on=on)
    later = {pk for pk, day in before.items() if day is not None and day >= on}
    refused = dict.fromkeys(later, gettext("Was checked on this day or later already."))
    kept = {pk: [day and day.isoformat(), on.isoformat()] for pk, day in before.items() if pk not in later}
    return Outcome(refused, kept)


def uncheck(*, actor, kept) -> dict[int, str]:
    """Put the day before back, unless a later check was noted since."""
    return services.take_checks_back(actor=actor, days={pk: (old, new) for pk, (old, new) in kept.items()})


ACTS = [
    Bulk("tag", pgettext_lazy("people", "Status"), "people.facts", many=tag, undo_many=untag, form=TagForm, icon="tag"),
    Bulk("check", _("File checked"), "people.edit", many=check, undo_many=uncheck, form=CheckForm, icon="okc"),
    Bulk(
        "area", _("To another community"), "people.reassign", many=reassign, undo_many=reassign_back, form=AreaForm,
        icon="swap", confirm=_("Another community becomes responsible for {count} elders; home and orders stay."),
    ),
]  # fmt: skip


class DivideForm(AreaForm):
    """One part of an address a line; ``sure`` comes with the preview."""

    source = RegionField(label=_("From community"))
    addresses = forms.CharField(
        label=_("Parts of addresses"), widget=forms.Textarea(attrs={"rows": 6}), required=False, max_length=5000,
        help_text=_("One a line, for example a street with number or an estate. Empty: everyone."),
    )  # fmt: skip
    sure = forms.BooleanField(required=False, widget=forms.HiddenInput)
    field_order = ["source", "region_id", "addresses", "day", "reason"]

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].for_actor(self.actor)

    def parts(self) -> list[str]:
        return list(dict.fromkeys(p.strip() for p in self.cleaned_data["addresses"].splitlines() if p.strip()))


class DivideArea(FormPage):
    """Who of a community goes to another one, by a list of addresses: counts first, then the change (R-001)."""

    url, name, permission, title = "divide/", "divide", "people.reassign", _("Divide a community by addresses")
    form_class = DivideForm
    parent = ("people:list", _("Elders"))
    submit_label = pgettext_lazy("people", "Continue")
    wide = ("addresses",)

    def check(self, request) -> None:
        super().check(request)
        if not self.actor.may("people.view"):
            raise Forbidden("people.view")

    def form_kwargs(self):
        return {"actor": self.actor}

    def post(self, request, *args, **kwargs) -> HttpResponse:
        form = self.get_form(request.POST)
        if (
            form.is_valid()
            and not form.cleaned_data["sure"]
            and form.cleaned_data["source"] != form.cleaned_data["region_id"]
        ):
            return self.preview(form)
        return super().post(request, *args, **kwargs)

    def found(self, form) -> tuple[dict[str, list[int]], list[int]]:
        parts = form.parts()
        found = areas.by_addresses(self.actor, form.cleaned_data["source"], parts)
        return found, [pk for part, ids in found.items() if part or not parts for pk in ids]

    def save(self, form):
        data = form.cleaned_data
        if data["source"] == data["region_id"]:
            raise Invalid({"region_id": [gettext("Choose another community.")]})
        _found, going = self.found(form)
        if not going:
            raise Invalid({"addresses": [gettext("Nobody lives at these addresses.")]})
        params = {"ids": going, "region": data["region_id"], "day": data["day"].isoformat(), "reason": data["reason"]}
        return operations.start(self.actor, "people.divide", title=str(self.title), params=params)

    def preview(self, form) -> HttpResponse:
        """How many go by each line, how many stay, and what both communities then have."""
        data = form.cleaned_data
        found, going = self.found(form)
        source, target = regions.region(data["source"]), regions.region(data["region_id"])
        living = Person.objects.visible_to(self.actor).filter(died_on=None, registered_on__isnull=False)
        there = living.filter(region_id=target.pk).count()
        all_of_them = sum(len(ids) for ids in found.values())
        lines = [(part, len(ids)) for part, ids in found.items() if part]
        context = self.context(
            form=form, lines=lines, source=source, target=target, going=len(going), staying=all_of_them - len(going),
            before=(all_of_them, there), after=(all_of_them - len(going), there + len(going)),
            total=all_of_them + there, given={k: v for k, v in self.request.POST.items() if k in form.fields},
        )  # fmt: skip
        response = self.render("people/parts/divided.html" if self.partial else "people/divide_preview.html", context)
        response["X-Swap"] = "1"
        return response

    def success_url(self, result):
        return reverse("ui:operation", args=[result.pk])

    def success_message(self, result):
        count = len(result.params["ids"])
        return ngettext("%(n)d elder is being assigned.", "%(n)d elders are being assigned.", count) % {"n": count}
