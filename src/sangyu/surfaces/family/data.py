"""What is kept about the elder: ask to see it, for a copy, a correction or a deletion; one question a page (PIPL 44–47)."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.registry.privacy import selectors, services
from sangyu.registry.privacy.enums import OPEN, Kind
from sangyu.registry.privacy.fields import CORRECTABLE

from .pages import ElderPage

#: Kind of request → what the button says and one line below it.
WORDS = {
    Kind.ACCESS: (gettext_lazy("See what is kept"), gettext_lazy("You get everything to read.")),
    Kind.COPY: (gettext_lazy("Receive a copy"), gettext_lazy("As paper, and as a file for another office.")),
    Kind.CORRECTION: (pgettext_lazy("elder", "Something is wrong"), gettext_lazy("Say what, and how it should be.")),
    Kind.DELETION: (gettext_lazy("Have data deleted"), gettext_lazy("What the law lets us delete.")),
}


class DataPage(ElderPage):
    permission = "privacy.ask"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*super().breadcrumbs(), (_("My data"), self.url_of("data"))]


class Data(ElderPage):
    """The four questions, what was asked before with its answer, and who looked."""

    url, name, title = "<int:elder>/data/", "data", gettext_lazy("My data")
    permission, template = "privacy.ask", "family/data.html"

    def get_context(self) -> dict:
        return {
            "kinds": [(kind.value, *words) for kind, words in WORDS.items()],
            "looks": [
                (r, selectors.look_label(r.what), selectors.look_reason(r.purpose))
                for r in selectors.looks_for_family(self.actor, self.card.id)
            ],
            "requests": [
                {"request": r, "open": r.state in OPEN} for r in selectors.own_requests(self.actor, self.card.id)[:20]
            ],
        }


class AskData(DataPage):
    """One question: what, in own words, and one button."""

    url, name = "<int:elder>/data/<slug:kind>/", "data_ask"
    template = "family/data_ask.html"

    def check(self, request) -> None:
        super().check(request)
        if self.kwargs["kind"] not in Kind.values:
            raise NotVisible
        self.kind = Kind(self.kwargs["kind"])

    def get_title(self) -> str:
        return str(WORDS[self.kind][0])

    def get_context(self) -> dict:
        return {
            "kind": self.kind.value,
            "line": WORDS[self.kind][1],
            "days": services.WORKING_DAYS,
            "fields": [(name, f.label) for name, f in CORRECTABLE.items()],
            "given": self.request.POST,
        }

    def post(self, request, *args, **kwargs) -> HttpResponse:
        given = {k: request.POST.get(k, "") for k in ("details", "field", "wanted")}
        try:
            services.ask(actor=self.actor, person_id=self.card.id, kind=self.kind.value, **given)
        except (Invalid, Refused) as error:
            return self.fail(error)
        return self.redirect(self.url_of("data"), _("We have your request."))


class WithdrawData(DataPage):
    """Take a request back."""

    url, name = "<int:elder>/data/<int:pk>/withdraw/", "data_withdraw"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        raise NotVisible

    def post(self, request, *args, **kwargs) -> HttpResponse:
        services.withdraw(actor=self.actor, request_id=self.kwargs["pk"])
        return self.redirect(reverse("family:data", args=[self.card.id]), _("Taken back."))
