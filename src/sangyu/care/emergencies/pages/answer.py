"""Screens of those who are asked to go: worker, facility, relative, person on duty. A phone in one hand."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import Audience
from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import NotVisible, Refused
from sangyu.registry.people import selectors as people
from sangyu.ui.pages import PlainPage

from .. import selectors, services
from ..enums import Answer


class Asked(PlainPage):
    """What I am asked to go to, the newest first."""

    url, name, permission, title = "asked/", "asked", "emergencies.view", _("Calls for help")
    base, template, live = "ui/base_phone.html", "emergencies/asked.html", ("emergencies",)

    def breadcrumbs(self):
        return [(gettext("Home"), "/")]

    def get_context(self) -> dict:
        rows = selectors.asked(self.actor)
        known = {row.incident.pk for row in rows}
        over = [row for row in selectors.asked(self.actor, live=False, most=20) if row.incident.pk not in known]
        return {"rows": rows, "over": over}


class AnswerPage(PlainPage):
    """One case: where, what, and the four buttons — go, do not go, on the way, there."""

    url, name, permission = "asked/<int:pk>/", "answer", "emergencies.answer"
    base, template, live = "ui/base_phone.html", "emergencies/answer.html", ("emergencies",)
    refusal = ""

    def breadcrumbs(self):
        return [(gettext("Calls for help"), reverse("emergencies:asked"))]

    @property
    def row(self):
        found = next((r for r in selectors.asked(self.actor, live=False) if r.incident.pk == self.kwargs["pk"]), None)
        if found is None:
            raise NotVisible
        return found

    def get_title(self) -> str:
        return gettext("Call for help")

    def get_context(self) -> dict:
        row = self.row
        party, live = row.party, row.incident.live
        place = row.incident.latitude is not None
        return {
            "row": row,
            "party": party,
            "incident": row.incident,
            "can_answer": live and party.answer in (Answer.WAITING, Answer.SILENT),
            "can_go": live and party.answer == Answer.ACCEPTED and party.under_way_at is None,
            "can_arrive": live and party.answer == Answer.ACCEPTED and party.arrived_at is None,
            "map_url": f"geo:{row.incident.latitude:.6f},{row.incident.longitude:.6f}" if place else "",
            "refusal": self.refusal,
        }

    def post(self, request, *args, **kwargs) -> HttpResponse:
        common = {"actor": self.actor, "incident_id": self.row.incident.pk, "now": timezone.now()}
        act = request.POST.get("act")
        try:
            if act in ("yes", "no"):
                services.answer_offer(**common, accepted=act == "yes", reason=request.POST.get("reason", ""))
            elif act == "on_the_way":
                services.on_the_way(**common)
            elif act == "arrived":
                services.arrived(**common, words=request.POST.get("reason", ""))
        except Refused as error:
            self.refusal = error.message
            return self.render(self.template, self.context(**self.get_context()), status=409)
        return self.redirect(reverse("emergencies:answer", args=[self.kwargs["pk"]]), gettext("Thank you."))


class FamilyView(PlainPage):
    """The elder's emergencies for the family: when, what, who came, how it ended. Each look is logged (R-090)."""

    url, name, permission = "people/<int:pk>/", "family", "emergencies.view"
    base, template, live = "ui/base_phone.html", "emergencies/family.html", ("emergencies",)

    def check(self, request) -> None:
        super().check(request)
        self.person = people.get_person(self.actor, self.kwargs["pk"])

    def get_title(self) -> str:
        return gettext("Emergencies of %(name)s") % {"name": self.person.name}

    def breadcrumbs(self):
        return [(gettext("Home"), "/")]

    def get_context(self) -> dict:
        rows = selectors.of_person(self.actor, self.person.pk)
        if self.actor.audience is Audience.FAMILY and rows:
            log_read(actor=self.actor, what="emergencies.family", objects=[self.person], purpose=gettext("Family view"))
        going = {i.pk: [p for p in selectors.parties_of(i) if p.answer == Answer.ACCEPTED] for i in rows}
        return {"person": self.person, "rows": [{"i": i, "going": going[i.pk]} for i in rows]}


PAGES = (Asked, AnswerPage, FamilyView)
