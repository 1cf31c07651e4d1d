"""Two files side by side: what differs, what is chosen, what will move; merge, and undo (R-026, ADR 0013)."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django import forms
from django.apps import apps
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import Invalid, Refused
from sangyu.registry.duplicates import selectors as duplicates
from sangyu.registry.duplicates import services as duplicates_services
from sangyu.registry.duplicates.enums import REASONS
from sangyu.registry.people import selectors as people
from sangyu.registry.people import services
from sangyu.registry.people.enums import FactKind, fact_label
from sangyu.ui.pages import ActionPage, PlainPage

KEPT, GONE = "kept", "gone"
#: Rows of the page: choice → (words, how a file shows it).
SHOWN: dict[str, tuple[Any, Any]] = {
    "name": (_("Name"), lambda p, c: p.name),
    "sex": (_("Sex"), lambda p, c: p.get_sex_display()),
    "birth_date": (_("Birth date"), lambda p, c: _day(p.birth_date)),
    "id_number": (_("ID number"), lambda p, c: c.id_masked),
    "phone": (_("Phone"), lambda p, c: c.phone_masked),
    "place": (_("Area and address"), lambda p, c: " ".join(x for x in (p.region.full_name, p.address) if x)),
    "registered_address": (_("Registered address"), lambda p, c: p.registered_address),
    "marriage": (_("Marriage"), lambda p, c: p.get_marriage_display()),
    "education": (_("Education"), lambda p, c: p.get_education_display()),
    "ethnicity": (_("Ethnicity"), lambda p, c: p.ethnicity),
    "needs": (_("Needs"), lambda p, c: p.needs),
    "photo": (_("Photo"), lambda p, c: pgettext_lazy("casefile", "yes") if p.photo_id else ""),
    "registered_on": (_("Registered on"), lambda p, c: _day(p.registered_on)),
    "checked_on": (_("Last check"), lambda p, c: _day(p.checked_on)),
    "died_on": (_("Day of death"), lambda p, c: _day(p.died_on)),
}
#: Fields whose whole value is shown on purpose only.
REVEAL = {"id_number": "people:reveal_id", "phone": "people:reveal_phone"}


def _day(day) -> str:
    return f"{day:%Y-%m-%d}" if day else ""


@dataclass
class Line:
    """One row of the comparison. ``side`` is what is taken; ``choice`` False when both say the same or one says nothing."""

    name: str
    words: str
    kept: str
    gone: str
    side: str
    choice: bool = field(init=False)
    differs: bool = field(init=False)
    reveal_kept: str = ""
    reveal_gone: str = ""

    def __post_init__(self) -> None:
        self.differs = self.kept != self.gone
        self.choice = self.differs and bool(self.kept and self.gone)


def table_words(label: str) -> str:
    """What rows of a model are called."""
    return capfirst(str(apps.get_model(label)._meta.verbose_name))


class Compare(PlainPage):
    """``?keep=`` names the file that stays; without it the one with an ID number, then the fuller, then the older one."""

    url, name, permission, title = "<int:pk>/compare/<int:other>/", "compare", "people.merge", _("Compare two files")
    template = "casefile/compare.html"
    parent = ("duplicates:list", _("Duplicates"))

    @cached_property
    def files(self) -> tuple:
        """(kept, gone) as chosen, as persons."""
        if self.kwargs["pk"] == self.kwargs["other"]:
            raise Invalid({"": [gettext("A file cannot be merged with itself.")]})
        both = [people.get_person(self.actor, pk) for pk in (self.kwargs["pk"], self.kwargs["other"])]
        both.sort(key=lambda p: (p.id_index is None, -p.completeness, p.pk))
        keep = self.request.POST.get("keep") or self.request.GET.get("keep", "")
        if keep == str(both[1].pk):
            both.reverse()
        return tuple(both)

    @cached_property
    def choices(self) -> dict[str, str]:
        """What the reviewer ticked."""
        given = {k.removeprefix("c:"): v for k, v in self.request.POST.items() if k.startswith("c:")}
        return {k: v for k, v in given.items() if v in (KEPT, GONE)}

    def get_context(self, refusal: str = "") -> dict:
        kept, gone = self.files
        preview = services.preview_merge(actor=self.actor, kept_id=kept.pk, gone_id=gone.pk)
        cards = people.person_cards(self.actor, [kept.pk, gone.pk])
        pair = duplicates.of_pair(kept.pk, gone.pk)
        sides = {**preview.sides, **self.choices}
        return {
            "kept": kept,
            "gone": gone,
            "kept_card": cards[kept.pk],
            "gone_card": cards[gone.pk],
            "lines": self.lines(cards, sides),
            "facts": self.facts(preview.plan),
            "moved": [(table_words(label), n) for label, n in preview.plan.moved.items()],
            "left": self.left(preview.plan.left),
            "pair": pair,
            "reasons": [REASONS[x] for x in pair.levels if x in REASONS] if pair else [],
            "two_numbers": kept.id_index is not None and gone.id_index is not None,
            "swap": f"{self.request.path}?keep={gone.pk}",
            "refusal": refusal,
            "reason": self.request.POST.get("reason", ""),
        }

    def lines(self, cards, sides) -> list[Line]:
        kept, gone = self.files
        made = []
        for name, (words, shown) in SHOWN.items():
            line = Line(
                name, words, str(shown(kept, cards[kept.pk]) or ""), str(shown(gone, cards[gone.pk]) or ""), sides[name]
            )
            if name == "id_number" and line.kept and line.gone:
                line.differs = line.choice = True  # masks may look the same
            if name in REVEAL and self.actor.may("people.reveal"):
                line.reveal_kept = reverse(REVEAL[name], args=[kept.pk]) if line.kept else ""
                line.reveal_gone = reverse(REVEAL[name], args=[gone.pk]) if line.gone else ""
            if line.kept or line.gone:
                made.append(line)
        return made

    def facts(self, plan) -> list[dict]:
        """Kinds for which both files state something else for the same days."""
        by_kind: dict[str, list] = {}
        for c in plan.conflicts:
            if c["kind"] != FactKind.REGION:
                by_kind.setdefault(c["kind"], []).append(c)
        return [
            {
                "name": f"facts.{kind}",
                "words": FactKind(kind).label,
                "kept": self.stated(kind, [c["kept"] for c in found]),
                "gone": self.stated(kind, [c["gone"] for c in found]),
                "side": self.choices.get(f"facts.{kind}", KEPT),
            }
            for kind, found in by_kind.items()
        ]

    @staticmethod
    def stated(kind: str, rows: list[dict]) -> list[str]:
        words = (
            f"{fact_label(kind, r['value'])} {r['valid_from']} – {r['valid_to'] or ''} {r['source']}" for r in rows
        )
        return list(dict.fromkeys(words))

    @staticmethod
    def left(rows: list[dict]) -> list[tuple[str, int]]:
        counts: dict[str, int] = {}
        for row in rows:
            counts[row["model"]] = counts.get(row["model"], 0) + 1
        return [(table_words(label), n) for label, n in counts.items()]

    def post(self, request, *args, **kwargs):
        kept, gone = self.files
        reason = request.POST.get("reason", "").strip()
        try:
            if not reason:
                raise Invalid({"reason": [gettext("Say how you know that they are one person.")]})
            record = services.merge(
                actor=self.actor, kept_id=kept.pk, gone_id=gone.pk, reason=reason, choices=self.choices
            )
        except (Invalid, Refused) as error:
            refusal = error.message if isinstance(error, Refused) else str(error)
            return self.render(self.template, self.context(**self.get_context(refusal)), status=error.status)
        if self.actor.may("duplicates.review"):
            duplicates_services.note_merge(self.actor, kept.pk, gone.pk, record.pk, reason)
        words = gettext("Merged: the file of %(gone)s leads to %(kept)s from now on.") % {
            "gone": gone.name,
            "kept": kept.name,
        }
        return self.redirect(reverse("casefile:merges", args=[kept.pk]), words)


class Merges(PlainPage):
    """The merges of one file, and the way back."""

    url, name, permission, title = "<int:pk>/merges/", "merges", "people.merge", _("Merged files")
    template = "casefile/merges.html"

    @cached_property
    def person(self):
        return people.get_person(self.actor, self.kwargs["pk"])

    def breadcrumbs(self):
        return [
            (str(_("Elders")), reverse("people:list")),
            (self.person.name, reverse("casefile:page", args=[self.person.pk])),
        ]

    def get_context(self) -> dict:
        rows = people.merges_of(self.actor, self.person.pk)
        names = people.names_of([r.gone_id for r in rows] + [r.kept_id for r in rows])
        for row in rows:
            row.gone_name, row.kept_name = names.get(row.gone_id, ""), names.get(row.kept_id, "")
            row.moved = [(table_words(label), n) for label, n in row.counts.items()]
            row.stayed = Compare.left(row.left)
            row.undoable = row.undone_at is None and row.kept_id == self.person.pk
            row.kept_back = [obstacle_words(o) for o in row.not_restored]
        return {
            "rows": rows,
            "person": self.person,
            "pairs": duplicates.of_person(self.actor, self.person.pk) if self.actor.may("duplicates.review") else [],
        }


def obstacle_words(given: dict) -> str:
    """One sentence: row, fields, who and when."""
    model = next((m for m in apps.get_models() if m._meta.db_table == given["table"]), None)
    what = capfirst(str(model._meta.verbose_name)) if model else given["table"]
    labels = {f.column: str(f.verbose_name) for f in model._meta.concrete_fields} if model else {}
    fields = "、".join(labels.get(c, c) for c in given["columns"])
    at = f"{timezone.localtime(datetime.fromisoformat(given['at'])):%Y-%m-%d %H:%M}" if given["at"] else ""
    told = {"what": f"{what} {given['row']}", "fields": fields, "by": given["by"] or "—", "at": at}
    if given["why"] == "deleted":
        return gettext("%(what)s: deleted by %(by)s %(at)s") % told
    if given["why"] == "taken":
        return gettext("%(what)s: %(fields)s — belongs to another file now") % told
    return gettext("%(what)s: %(fields)s — changed by %(by)s %(at)s") % told


class UndoForm(forms.Form):
    reason = forms.CharField(label=_("Why are they two persons?"), max_length=300)
    partly = forms.BooleanField(label=_("What was changed since may stay as it is"), required=False)


class UndoMerge(ActionPage):
    """Says first what cannot be put back; then puts back the rest."""

    url, name, permission, title = "merges/<int:pk>/undo/", "undo_merge", "people.merge", _("Undo the merge")
    form_class, leaves, irreversible, submit_label = UndoForm, True, False, _("Undo the merge")

    @cached_property
    def prepared(self):
        return services.preview_undo(actor=self.actor, merge_id=self.kwargs["pk"])

    def get(self, request, *args, **kwargs):
        self.prepared  # noqa: B018  404 and refusals before the dialog
        return super().get(request, *args, **kwargs)

    def confirm_text(self):
        rows = len({(table, row) for table, row, _patch, _group in self.prepared.steps})
        words = ngettext("%(n)d row goes back to how it was.", "%(n)d rows go back to how they were.", rows) % {
            "n": rows
        }
        if self.prepared.obstacles:
            stay = "; ".join(obstacle_words(vars(o)) for o in self.prepared.obstacles[:8])
            words += " " + gettext("These stay as they are now: %(stay)s.") % {"stay": stay}
        return words

    def act(self, form):
        left = services.undo_merge(actor=self.actor, merge_id=self.kwargs["pk"], **form.cleaned_data)
        record = people.merge_record(self.actor, self.kwargs["pk"])
        if self.actor.may("duplicates.review"):
            duplicates_services.note_merge(
                self.actor, record.kept_id, record.gone_id, None, form.cleaned_data["reason"]
            )
        words = gettext("There are two files again.")
        if left:
            words += " " + ngettext("%(n)d value stays.", "%(n)d values stay.", len(left)) % {"n": len(left)}
        return self.redirect(reverse("casefile:merges", args=[record.kept_id]), words)

    def success_url(self):
        record = people.merge_record(self.actor, self.kwargs["pk"])
        return reverse("casefile:merges", args=[record.kept_id])
