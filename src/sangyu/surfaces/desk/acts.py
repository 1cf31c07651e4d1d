"""Acts of the desk. Each is a form of the case's pane; it answers with the pane as it is then, or says why not."""

from datetime import timedelta
from typing import ClassVar

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django_htmx.http import trigger_client_event

from sangyu.care.emergencies import selectors, services
from sangyu.care.emergencies.enums import Cause, Outcome, PartyKind, Verified
from sangyu.kernel.errors import Invalid

from .pages import DeskPage, case_context


class Act(DeskPage):
    """One service on one case: ``form_class`` cleans what was posted, ``act`` calls."""

    form_class: ClassVar[type[forms.Form]] = forms.Form
    template = "desk/parts/case.html"
    #: Name of the service.
    does: ClassVar[str] = ""
    said: ClassVar[str] = ""

    def check(self, request) -> None:
        """What the actor does not see is not there, whatever is posted."""
        super().check(request)
        selectors.get_incident(self.actor, self.kwargs["pk"])

    def get(self, request, pk: int) -> HttpResponse:
        return self.redirect(f"{reverse('desk:desk')}?case={pk}")

    def act(self, pk: int, given: dict) -> None:
        getattr(services, self.does)(actor=self.actor, incident_id=pk, now=self.now, **given)

    def post(self, request, pk: int) -> HttpResponse:
        form = self.form_class(request.POST)
        if not form.is_valid():
            raise Invalid({k: [str(m) for m in v] for k, v in form.errors.items()})
        self.act(pk, form.cleaned_data)
        if not self.partial:
            return self.redirect(f"{reverse('desk:desk')}?case={pk}", str(self.said))
        answer = self.render(self.template, self.context(**case_context(self, pk)))
        trigger_client_event(answer, "desk:changed", {"case": pk})
        answer["HX-Push-Url"] = f"{reverse('desk:desk')}?case={pk}"
        return answer


class Claim(Act):
    """The first one has it; the others are told who."""

    url, name, does = "<int:pk>/claim/", "claim", "claim"


class Release(Act):
    class form_class(forms.Form):
        reason = forms.CharField(required=False, max_length=300)

    url, name, does = "<int:pk>/release/", "release", "release"


class Verify(Act):
    class form_class(forms.Form):
        result = forms.ChoiceField(required=False, choices=[("", ""), *Verified.choices])
        words = forms.CharField(required=False, max_length=300)

    url, name, does = "<int:pk>/verify/", "verify", "verify"


class Offer(Act):
    """Ask somebody to go: one of the candidates."""

    class form_class(forms.Form):
        kind = forms.ChoiceField(choices=PartyKind.choices)
        subject_id = forms.IntegerField()

    url, name, does = "<int:pk>/offer/", "offer", "offer"


class PartyForm(forms.Form):
    party_id = forms.IntegerField()


class Answer(Act):
    """What somebody said who was asked by telephone."""

    class form_class(PartyForm):
        accepted = forms.ChoiceField(choices=[("1", ""), ("0", "")])
        reason = forms.CharField(required=False, max_length=300)

    url, name = "<int:pk>/answer/", "answer"

    def act(self, pk: int, given: dict) -> None:
        services.answer_offer(
            actor=self.actor, incident_id=pk, party_id=given["party_id"], accepted=given["accepted"] == "1",
            reason=given["reason"], now=self.now,
        )  # fmt: skip


class OnTheWay(Act):
    form_class = PartyForm
    url, name, does = "<int:pk>/on-the-way/", "on_the_way", "on_the_way"


class Arrived(Act):
    form_class = PartyForm
    url, name, does = "<int:pk>/arrived/", "arrived", "arrived"


class Note(Act):
    class form_class(forms.Form):
        text = forms.CharField(max_length=500)

    url, name, does = "<int:pk>/note/", "note", "note"


class Emergency(Act):
    class form_class(forms.Form):
        number = forms.ChoiceField(choices=[(n, n) for n in ("120", "110", "119")])
        words = forms.CharField(required=False, max_length=300)

    url, name, does = "<int:pk>/emergency/", "emergency", "escalate_120"


class Close(Act):
    """How it ended; nothing is closed without that."""

    class form_class(forms.Form):
        outcome = forms.ChoiceField(choices=Outcome.choices)
        cause = forms.ChoiceField(choices=Cause.choices)
        words = forms.CharField(required=False, max_length=500)
        follow_up = forms.CharField(required=False, max_length=40)

    url, name, does = "<int:pk>/close/", "close", "close"
    said = _("The case is closed.")

    def act(self, pk: int, given: dict) -> None:
        code = given.pop("follow_up")
        if code:
            begin = (localtime(self.now) + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
            given["follow_up"] = {"item_code": code, "planned_start": begin}
        super().act(pk, given)


ACTS = (Claim, Release, Verify, Offer, Answer, OnTheWay, Arrived, Note, Emergency, Close)
