"""The what-if page: a rule's numbers and conditions, turned on screen, and what would come of it."""

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.engines.policy import Policy, sentence
from sangyu.kernel import operations
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.models import Operation
from sangyu.registry.people import selectors as people
from sangyu.ui.pages import FilePage, Made, PlainPage

from . import budgets, selectors, services, trials, whatif
from .enums import PeriodKind, State, Subject
from .knobs import knobs, turned
from .models import PolicyVersion, Trial
from .pages_editor import policy_names, problem_rows
from .plain import describe

#: Widths of the bars in pixels.
PEOPLE, COST, MOVED = 60, 112, 62
WHATIF = ("policies:whatif", gettext_lazy("What-if"))


class Choose(PlainPage):
    """Which rule to try: what is in force, what begins later, drafts; and one's own last trials."""

    url, name, permission, title = "what-if/", "whatif", "policies.edit", gettext_lazy("What-if")
    template, parent = "policies/choose.html", None

    def get_context(self) -> dict:
        today = timezone.localdate()
        rows = selectors.versions(self.actor)
        own = Trial.objects.visible_to(self.actor).filter(account_id=self.actor.account_id, actor=self.actor.name[:100])
        return {
            "groups": [
                (_("Drafts"), rows.filter(state=State.DRAFT).order_by("-id")[:50]),
                (_("In force today"), rows.in_force(today).order_by("name")[:100]),
                (_("Begins later"), rows.approved().filter(valid_from__gt=today).order_by("valid_from")[:50]),
            ],
            "trials": own.exclude(figures=None).select_related("version").order_by("-id")[:10],
        }


class WhatIf(PlainPage):
    """Left the rule with its knobs, right the figures. Nothing but the trial's own row is written."""

    url, name, permission, title = "<int:pk>/try/", "try", "policies.edit", gettext_lazy("What-if")
    template, fragment, parent = "policies/whatif.html", "policies/whatif_body.html", WHATIF
    version: PolicyVersion

    def breadcrumbs(self):
        own = (self.version.name, reverse("policies:detail", args=[self.version.pk]))
        return [*super().breadcrumbs(), own]

    def get_title(self) -> str:
        return _("%(name)s: what if") % {"name": self.version.name}

    # -- asking
    def get(self, request, *args, **kwargs) -> HttpResponse:
        self.version = selectors.version(self.actor, kwargs["pk"])
        trial = request.GET.get("trial", "")
        if trial.isdigit():
            found = trials.find(self.actor, int(trial), self.version)
            return self.shown(found.text, found.against, found.month, trial=found)
        text = request.GET.get("text", self.version.text)
        return self.shown(text, whatif.in_place_of(self.version, timezone.localdate()), timezone.localdate(), load=True)

    def post(self, request, *args, **kwargs) -> HttpResponse:
        self.version = selectors.version(self.actor, kwargs["pk"])
        text = self.text()
        month, against = self.month(), self.against()
        policy, problems = services.check(text)
        if policy is None:
            return self.shown(text, against, month, problems=problem_rows(problems), status=422)
        if "save" in request.POST:
            return self.save(text, against, month)
        trial = trials.ask(
            actor=self.actor, version_id=self.version.pk, text=text, against_id=against.pk if against else None, month=month,
            seed=int(request.POST.get("seed", "0")) if request.POST.get("seed", "0").isdigit() else 0,
        )  # fmt: skip
        return self.shown(text, against, month, trial=trial)

    def save(self, text: str, against: PolicyVersion | None, month: date) -> HttpResponse:
        try:
            saved = services.draft(actor=self.actor, text=text, based_on=self.version.pk)
        except (Invalid, Refused) as error:
            return self.shown(text, against, month, refusal=str(error), status=error.status)
        return self.redirect(reverse("policies:try", args=[saved.pk]), _("Saved as a draft."))

    def text(self) -> str:
        """The text with the knobs that were turned."""
        text = self.request.POST.get("text", self.version.text).replace("\r\n", "\n")
        policy, _problems = services.check(text)
        if policy is None:
            return text
        given = {k[5:]: v for k, v in self.request.POST.items() if k.startswith("knob.")}
        moved = {k: v for k, v in given.items() if v != self.request.POST.get(f"was.{k}", v)}
        return turned(policy, moved) if moved else text

    def month(self) -> date:
        try:
            return date.fromisoformat(f"{self.request.POST.get('month', '')}-01")
        except ValueError:
            return timezone.localdate().replace(day=1)

    def against(self) -> PolicyVersion | None:
        chosen = self.request.POST.get("against", "")
        if chosen.isdigit():
            return selectors.version(self.actor, int(chosen))
        return None if chosen == "none" else whatif.in_place_of(self.version, timezone.localdate())

    # -- showing
    def shown(
        self,
        text: str,
        against: PolicyVersion | None,
        month: date,
        *,
        trial: Trial | None = None,
        status: int = 200,
        **more: Any,
    ) -> HttpResponse:
        policy, problems = services.check(text)
        op = None
        if trial is not None and trial.figures is None and trial.operation_id:
            op = operations.as_dict(Operation.objects.get(pk=trial.operation_id), self.actor)
        context = self.context(
            version=self.version,
            standing=self.version.standing,
            text=text,
            policy=policy,
            problems=more.pop("problems", problem_rows(problems)),
            sections=[s for s in describe(policy, policy_names(self.version.path)) if s.key not in ("amount", "who")]
            if policy
            else [],
            knobs=self.knobs(policy),
            changed=text.strip() != self.version.text.strip(),
            against=against,
            others=selectors.siblings(self.version).visible_to(self.actor).exclude(state=State.DISCARDED),
            month=f"{month:%Y-%m}",
            trial=trial,
            op=op,
            result=self.result(trial, policy) if trial is not None and trial.figures else None,
            **more,
        )
        response = self.render(self.fragment if self.partial else self.template, context, status=status)
        response["X-Swap"] = "1"
        return response

    def knobs(self, policy: Policy | None) -> dict[str, list[dict]]:
        """Per group: label, value, what stood there in the stored version."""
        found: dict[str, list[dict]] = {"who": [], "when": [], "amount": []}
        if policy is None:
            return found
        stored, _problems = services.check(self.version.text)
        was = {k.key: k.value for k in knobs(stored)} if stored else {}
        said = {f"who.{n}": sentence(c.expr) for n, c in enumerate(policy.who)}
        labels = {"minimum": _("At least"), "maximum": _("At most"), "formula": _("Formula"), "": _("Amount")}
        for knob in knobs(policy):
            label = labels.get(knob.label, knob.label) if knob.group == "amount" else knob.label
            if knob.group == "amount" and not knob.label and "." in knob.key:
                label = _("All others")
            found[knob.group].append(
                {
                    "key": knob.key,
                    "label": label,
                    "value": knob.value,
                    "unit": knob.unit,
                    "was": was.get(knob.key, "") if was.get(knob.key) != knob.value else "",
                    "said": said.get(knob.key, "") if len(said) == sum(k.group == "who" for k in knobs(policy)) else "",
                }
            )
        return found

    def result(self, trial: Trial, policy: Policy | None) -> dict:
        figures = trial.figures
        total = figures["total"]
        times = PeriodKind(figures["period"]).times_a_year
        return {
            "figures": figures,
            "total": total,
            "period": PeriodKind(figures["period"]).label,
            "subject": Subject(figures["subject"]).label,
            "monthly": times == 12,
            "year": _wan(total["after_year"]),
            "year_change": _signed(total["after_year"] - total["before_year"]),
            "share": _share(total["before_year"], total["after_year"]),
            "once": _wan(total["after"]),
            "once_change": _signed(total["after"] - total["before"]),
            "people_change": total["after_people"] - total["before_people"],
            "others": _signed(figures["others"]) if figures["others"] else "",
            "ratio": f"{total['less'] / total['more']:.1f}" if total["more"] and total["less"] > total["more"] else "",
            "sum": _bars([total | {"label": _("In all")}], total)[0],
            "tables": [
                {"key": key, "heading": heading, "rows": _bars(figures[key], total)}
                for key, heading in (("places", _("By area")), ("levels", _("By payment level")), ("ages", _("By age")))
                if figures.get(key)
            ],
            "funds": [_fund(row) for row in figures.get("funds", ())],
            "people": self.people(figures, policy),
        }

    def people(self, figures: dict, policy: Policy | None) -> list[dict]:
        """The sampled people with their names, for whoever may see persons."""
        if figures["subject"] not in ("person", "resident") or not self.actor.may("people.view"):
            return []
        cards = people.person_cards(self.actor, [row["subject_id"] for row in figures["sample"]])
        return [
            {
                "card": card,
                "before": row["before"],
                "after": row["after"],
                "change": row["change"],
                "because": _because(policy, row["after_row"]),
            }
            for row in figures["sample"]
            if (card := cards.get(row["subject_id"])) is not None
        ]


class Export(FilePage):
    """The figures of one trial as a workbook."""

    url, name, permission, title = "trials/<int:pk>/export/", "trial-export", "policies.edit", gettext_lazy("What-if")

    def make(self) -> Made:
        trial = trials.find(self.actor, self.kwargs["pk"])
        name = _("What-if %(name)s %(month)s") % {"name": trial.version.name, "month": f"{trial.month:%Y-%m}"}
        return Made(trials.workbook(self.actor, trial), f"{name}.xlsx")


# ---------------------------------------------------------------- words and bars
def _fund(row: dict) -> dict:
    """One fund with the lines of its year, and by how much the tried rule exceeds what it has."""
    if "missing" in row:
        return row
    rows = budgets.told(row)
    left = rows[-1].after if rows[-1].result else 0
    return row | {
        "over": _wan(-left, 2) if left < 0 else "",
        "share": shares[1] if (shares := budgets.shares(row)) else None,
        "rows": [
            (r.label, _wan(r.before, 2), _wan(r.after, 2), _signed(r.change, 2) if r.change else "", r.result) for r in rows
        ],
    }  # fmt: skip


def _wan(fen: int, digits: int = 1) -> str:
    """Fen as ten thousand yuan."""
    return f"{fen / 1_000_000:,.{digits}f}"


def _signed(fen: int, digits: int = 1) -> str:
    return f"{fen / 1_000_000:+,.{digits}f}"


def _share(before: int, after: int) -> str:
    return f"{(after - before) * 100 / before:+.1f}%" if before else ""


def _because(policy: Policy | None, row: int | None) -> str:
    """The condition of the row of the table that gave the amount."""
    if policy is None or row is None or not 0 <= row < len(policy.amount.rows):
        return ""
    when = policy.amount.rows[row].when
    return sentence(when.expr) if when else _("All others")


def _bars(rows: list[dict], total: dict) -> list[dict]:
    """Rows of a table with the lengths of their bars, to scale within the table."""
    people_most = max((max(r["before_people"], r["after_people"]) for r in rows), default=0) or 1
    cost_most = max((max(r["before_year"], r["after_year"]) for r in rows), default=0) or 1
    moved_most = max((max(r["more"], r["less"]) for r in rows), default=0) or 1
    return [
        row
        | {
            "label": row["label"] or _("unknown"),
            "people_w": _length(row["after_people"], people_most, PEOPLE),
            "people_x": _length(row["after_people"], people_most, PEOPLE) + 6,
            "before_w": _length(row["before_year"], cost_most, COST),
            "after_w": _length(row["after_year"], cost_most, COST),
            "before_wan": _wan(row["before_year"]),
            "after_wan": _wan(row["after_year"]),
            "change_wan": _signed(row["after_year"] - row["before_year"]),
            "less_w": (less := _length(row["less"], moved_most, MOVED)),
            "less_x": 110 - less,
            "less_t": 104 - less,
            "more_w": (more := _length(row["more"], moved_most, MOVED)),
            "more_t": 117 + more,
        }
        for row in rows
    ]


def _length(value: int, most: int, width: int) -> int:
    return max(1, round(value * width / most)) if value else 0
