"""The form in the home: one part a page, big targets; assess.js keeps the answers on the tablet and sends them when it can."""

from uuid import uuid4

from django.http import HttpResponse
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.ui.offline import OfflineShell, read_client_id, read_moment, read_signature
from sangyu.ui.pages import ActionPage, PlainPage

from .. import selectors, services
from ..enums import Informant, NeedKind, Special, State
from ..models import Assessment
from .acts import OfAssessment, told

#: How many needs are ranked.
RANKS = 5


def read_form(given, files) -> dict:
    """What ``save_sheet`` takes, from the fields of the form. Raises Invalid."""
    answers = {k[2:]: v for k, v in given.items() if k.startswith("a-") and v}
    findings = {k[2:]: v for k, v in given.items() if k.startswith("f-") and v}
    needs = [n for n in (given.get(f"need-{rank}", "") for rank in range(1, RANKS + 1)) if n]
    return {
        "answers": answers,
        "findings": findings,
        "special": given.getlist("special"),
        "needs": list(dict.fromkeys(needs)),
        "remark": given.get("remark", ""),
        "informant": given.get("informant", ""),
        "informant_name": given.get("informant_name", ""),
        "base": _whole(given.get("base", "")),
        "client_id": read_client_id(given.get("client_id", "")),
        "entered_at": read_moment(given.get("entered_at", "")),
        "signatures": {
            who: data
            for who in ("lead", "second", "informant")
            if (data := read_signature(given.get(f"sign-{who}", "")))
        },
    }


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 18 else 0


class SheetForm(PlainPage):
    """All parts in one page; without scripts one after another, with them one at a time. A post keeps one version."""

    url, name, permission, title = "<int:pk>/form/", "form", "assessments.assess", gettext_lazy("Assessment form")
    base, template = "assessments/base_form.html", "assessments/form.html"
    problem = ""

    @property
    def row(self) -> Assessment:
        if "_row" not in self.__dict__:
            self._row = selectors.get_assessment(self.actor, self.kwargs["pk"])
        return self._row

    def get_title(self) -> str:
        return f"{self.row.person_name}　{self.row.version.name}"

    def breadcrumbs(self):
        mine = self.actor.audience.value == "staff"
        return [(_("Assessments"), reverse("assessments:mine" if mine else "assessments:list"))]

    def get_context(self) -> dict:
        row = self.row
        sheet, instrument = row.sheet, row.version.instrument
        answers, findings = (sheet.answers, sheet.findings) if sheet else ({}, {})
        groups = [("diagnosis", _("Diagnoses")), ("events", _("Events of the last 30 days"))]
        names = {f.group for f in instrument.findings}
        return {
            "row": row,
            "open": row.state == State.ASSIGNED,
            "version": sheet.number if sheet else 0,
            "client_id": str(uuid4()),
            "problem": self.problem,
            "parts": [{"part": p, "items": [(i, answers.get(i.code, "")) for i in p.items]} for p in instrument.parts],
            "groups": [
                (label, [(f, str(findings.get(f.code, ""))) for f in instrument.findings if f.group == key])
                for key, label in groups
                if key in names
            ],
            "total": len(instrument.items),
            "special": [(s.value, s.label, sheet is not None and s.value in sheet.special) for s in Special],
            "needs": [
                (n, (sheet.needs[n - 1] if sheet and len(sheet.needs) >= n else "")) for n in range(1, RANKS + 1)
            ],
            "need_kinds": NeedKind.choices,
            "informants": Informant.choices,
            "sheet": sheet,
            "signers": [
                ("lead", row.lead.name if row.lead else "", sheet.signed_lead_id if sheet else None),
                *([("second", row.second.name, sheet.signed_second_id if sheet else None)] if row.second else []),
                ("informant", _("Informant"), sheet.signed_informant_id if sheet else None),
            ],
            "conflicts": selectors.conflicts(row),
        }

    def post(self, request, *args, **kwargs) -> HttpResponse:
        queued = "X-Queue" in request.headers
        try:
            made = services.save_sheet(
                actor=self.actor, assessment_id=self.row.pk, **read_form(request.POST, request.FILES)
            )
        except (Invalid, Refused) as error:
            self.problem = str(error.message)
            if queued:
                return HttpResponse(status=error.status, headers={"X-Message": iri_to_uri(self.problem)})
            return self.render(self.template, self.context(**self.get_context()), status=error.status)
        if queued:
            return HttpResponse(
                status=204, headers={"X-Version": str(made.number), "X-Conflict": "1" if made.conflict else ""}
            )
        words = _("Kept as version %(n)d.") % {"n": made.number}
        return self.redirect(reverse("assessments:form", args=[self.row.pk]), words)


class Finish(OfAssessment, ActionPage):
    """Hand the signed sheet in for the second look."""

    url, name, permission, title = "<int:pk>/finish/", "finish", "assessments.assess", gettext_lazy("Hand in")
    submit_label, success = gettext_lazy("Hand in"), gettext_lazy("Handed in for the second look.")
    service, form_class = services.finish_visit, ActionPage.form_class

    def arguments(self, form):
        return {}

    def confirm_text(self):
        sheet = self.object.sheet
        if sheet is None or not sheet.complete:
            return _("Some items have no answer yet.")
        return _("%(name)s: %(total)d points, %(level)s. After this the answers cannot be changed here.") % {
            "name": self.object.person_name, "total": sheet.result["total"], "level": sheet.result["level_name"],
        }  # fmt: skip

    def success_url(self):
        return reverse("assessments:detail" if self.actor.may("assessments.view") else "assessments:mine",
                       args=[self.object.pk] if self.actor.may("assessments.view") else [])  # fmt: skip


class Choose(PlainPage):
    """Two versions of the answers side by side; a person chooses, both stay."""

    url, name, permission, title = "<int:pk>/choose/", "choose", "assessments.assess", gettext_lazy("Choose a version")
    template = "assessments/choose.html"

    @property
    def row(self) -> Assessment:
        if "_row" not in self.__dict__:
            self._row = selectors.get_assessment(self.actor, self.kwargs["pk"])
        return self._row

    def breadcrumbs(self):
        return [(self.row.number, reverse("assessments:form", args=[self.row.pk]))]

    def get_context(self) -> dict:
        row = self.row
        sheets = ([row.sheet] if row.sheet else []) + selectors.conflicts(row)
        differ = []
        for code, item in row.version.instrument.items.items():
            said = [s.answers.get(code, "") for s in sheets]
            if len(set(said)) > 1:
                differ.append((item, [item.option(v).text if v else "—" for v in said]))
        return {"row": row, "sheets": [told(row, s) for s in sheets], "differ": differ}

    def post(self, request, *args, **kwargs) -> HttpResponse:
        chosen = _whole(request.POST.get("sheet", "").rpartition("-")[2]) or None
        if chosen is None:
            raise NotVisible
        services.choose_sheet(actor=self.actor, assessment_id=self.row.pk, sheet_id=chosen)
        return self.redirect(reverse("assessments:form", args=[self.row.pk]), _("Chosen. The other version is kept."))


class Shell(OfflineShell):
    """The service worker of the form pages."""

    url, name = "sw.js", "sw"
