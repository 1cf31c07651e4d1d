"""A call for help from the telephone: one press on the home page, one here; then what happens (R-094)."""

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.care.emergencies import selectors, services
from sangyu.care.emergencies.enums import Answer, Source, State
from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.geo import Point
from sangyu.registry.people import selectors as people

from .pages import ElderPage

#: Seconds after which the page of an open call is loaded anew, without a script.
AGAIN = 15
_SEEN = "emergency_seen"
#: Metres: who claims less than this knows nothing of where it is.
VAGUE = 5_000.0


def told_place(given) -> Point | None:
    """The place that the browser filled in; None without one, and for nonsense: a call for help is never refused for it."""
    try:
        place = Point(*(float(given.get(name, "")) for name in ("latitude", "longitude", "accuracy")))
    except ValueError:
        return None
    return place if place.accuracy <= VAGUE else None


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
        place = told_place(request.POST) if self.own else None  # a relative's telephone is elsewhere
        if place:
            who = _("Pressed by the elder on the telephone, which was allowed to say where it is")
        elif self.own:
            who = _("Pressed by the elder on the telephone")
        else:
            who = _("%(name)s asks for help for the elder")
        try:
            case = services.raise_by_hand(
                actor=self.actor, source=Source.APP, person_id=self.card.id, text=who % {"name": self.actor.name},
                now=timezone.now(), latitude=place and place.latitude, longitude=place and place.longitude,
                accuracy=place and place.accuracy,
            )  # fmt: skip
        except (Invalid, Refused) as error:
            return self.fail(error)
        return self.redirect(self.url_of("called", case))


class TellPlace(ElderPage):
    """The elder's own telephone says where it is, once it knows: what the page of the open call sends by itself."""

    url, name, permission = "<int:elder>/emergency/<int:pk>/place/", "tell_place", "emergencies.raise"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        return self.redirect(self.url_of("called", kwargs["pk"]))

    def post(self, request, *args, **kwargs) -> HttpResponse:
        if selectors.get_incident(self.actor, kwargs["pk"]).person_id != self.card.id:
            raise NotVisible
        if not self.own:
            raise Forbidden(self.permission)
        if place := told_place(request.POST):
            services.tell_place(actor=self.actor, incident_id=kwargs["pk"], place=place, now=timezone.now())
        return HttpResponse(status=204)


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
            log_read(
                actor=self.actor, what="emergencies.family", objects=[self.case.person], purpose=_("a relative's look")
            )
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
            "tells": self.own and case.live and self.actor.may("emergencies.raise"),
        }  # fmt: skip
