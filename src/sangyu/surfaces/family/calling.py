"""A call for help from the telephone: one press on the home page, one here; then what happens (R-094)."""

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.care.emergencies import selectors, services
from sangyu.care.emergencies.enums import Answer, Source, State
from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.registry.people import selectors as people

from .pages import ElderPage

#: Seconds after which the page of an open call is loaded anew, without a script.
AGAIN = 15
_SEEN = "emergency_seen"


class Emergency(ElderPage):
    """The second step: who presses here means it. Numbers to dial stand below, for when the network is away."""

    url, name, title = "<int:elder>/emergency/", "emergency", gettext_lazy("Emergency call")
    template = "family/emergency.html"

    def get_context(self) -> dict:
        person = people.get_person(self.actor, self.card.id)
        calls = selectors.of_person(self.actor, self.card.id, most=5) if self.actor.may("emergencies.view") else []
        return {
            "contacts": [c for c in people.contacts(person) if c.phone][:2], "address": self.card.address,
            "may_call": self.actor.may("emergencies.raise") and self.card.died_on is None,
            "open": next((i for i in calls if i.live), None), "earlier": bool(calls),
        }  # fmt: skip

    def post(self, request, *args, **kwargs) -> HttpResponse:
        who = _("Pressed by the elder on the telephone") if self.own else _("%(name)s asks for help for the elder")
        try:
            case = services.raise_by_hand(
                actor=self.actor, source=Source.APP, person_id=self.card.id, text=who % {"name": self.actor.name},
                now=timezone.now(),
            )  # fmt: skip
        except (Invalid, Refused) as error:
            return self.fail(error)
        return self.redirect(self.url_of("called", case))


class Called(ElderPage):
    """What happens now, in plain words. While the call is open the page comes anew by itself."""

    url, name, permission = "<int:elder>/emergency/<int:pk>/", "called", "emergencies.view"
    template = "family/called.html"

    def get_title(self) -> str:
        return _("Help is being called") if self.case.live else _("This call is closed")

    def get(self, request, *args, **kwargs) -> HttpResponse:
        self.case = selectors.get_incident(self.actor, kwargs["pk"])
        if self.case.person_id != self.card.id:
            raise NotVisible
        if not self.own and request.session.get(_SEEN) != self.case.pk:  # the page that comes anew is the same look
            log_read(actor=self.actor, what="emergencies.family", objects=[self.case], purpose=_("a relative's look"))
            request.session[_SEEN] = self.case.pk
        response = super().get(request, *args, **kwargs)
        if self.case.live:
            response["Refresh"] = str(AGAIN)
        return response

    def get_context(self) -> dict:
        case = self.case
        person = people.get_person(self.actor, self.card.id)
        return {
            "case": case, "waiting": case.state == State.OPEN,
            "going": [p for p in selectors.parties_of(case) if p.answer == Answer.ACCEPTED] if case.live else [],
            "contacts": [c for c in people.contacts(person) if c.phone][:2],
        }  # fmt: skip
