"""The elder lets relatives in and out, and reads what happened to the file; one question a page (R-027, X-03)."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.registry.lifeevents import selectors as lifeevents
from sangyu.registry.lifeevents import services as lifeevents_services
from sangyu.registry.people import selectors as people
from sangyu.registry.people import services
from sangyu.registry.people.enums import Part, Purpose, Relation
from sangyu.registry.privacy import selectors as privacy

from .pages import ElderPage

#: What a relative may see besides name, address and who is called; the words of a button each.
PARTS = [
    (Part.VISITS, gettext_lazy("My visits: who comes, and when")),
    (Part.VOUCHERS, gettext_lazy("My vouchers and subsidies")),
    (Part.HEALTH, gettext_lazy("My health and assessments")),
]
#: Relations that an elder chooses from.
RELATIONS = (Relation.SPOUSE, Relation.SON, Relation.DAUGHTER, Relation.GRANDCHILD, Relation.OTHER)


class Invite(ElderPage):
    """Who may look in, and at what: one form, one button."""

    url, name, title = "<int:elder>/family/invite/", "invite", gettext_lazy("Let a relative in")
    permission, template = "people.own_consent", "family/invite.html"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*super().breadcrumbs(), (_("Family"), self.url_of("family"))]

    @property
    def text(self):
        return privacy.consent_text(Purpose.FAMILY_VIEW, timezone.localdate())

    def get_context(self) -> dict:
        person = people.get_person(self.actor, self.card.id)
        seeing = set(
            person.consents.filter(purpose=Purpose.FAMILY_VIEW, withdrawn_on__isnull=True).values_list(
                "contact_id", flat=True
            )
        )
        return {
            "contacts": [c for c in people.contacts(person) if c.phone and c.pk not in seeing],
            "relations": [(r.value, r.label) for r in RELATIONS],
            "parts": [(p.value, words) for p, words in PARTS],
            "text": self.text.text,
            "given": self.request.POST,
            "chosen": self.request.POST.getlist("parts") if self.request.method == "POST" else [Part.VISITS.value],
        }

    def post(self, request, *args, **kwargs) -> HttpResponse:
        who = request.POST.get("who", "")
        given = {k: request.POST.get(k, "") for k in ("name", "relation", "phone")} if who == "new" else {}
        try:
            if who != "new" and not (who.isdecimal() and len(who) < 19):
                raise Invalid({"who": [_("Say who may look in.")]})
            services.invite_relative(
                actor=self.actor, person_id=self.card.id, parts=request.POST.getlist("parts"),
                version=self.text.version, contact_id=None if who == "new" else int(who), **given,
            )  # fmt: skip
        except (Invalid, Refused) as error:
            return self.fail(error)
        return self.redirect(self.url_of("family"), _("May look in from now on."))


class EndAccess(ElderPage):
    """A relative may look in no more."""

    url, name, permission = "<int:elder>/family/<int:pk>/end/", "end_access", "people.own_consent"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        raise NotVisible

    def post(self, request, *args, **kwargs) -> HttpResponse:
        services.end_relative_access(actor=self.actor, person_id=self.card.id, contact_id=self.kwargs["pk"])
        return self.redirect(reverse("family:family", args=[self.card.id]), _("May look in no more."))


class Notices(ElderPage):
    """What the office told: a stay in hospital, a move; one button says it was read."""

    url, name, title = "<int:elder>/notices/", "notices", pgettext_lazy("elder", "News")
    permission, template = "lifeevents.notices", "family/notices.html"

    def get_context(self) -> dict:
        return {"notices": lifeevents.notices(self.actor)[:30]}


class ReadNotice(ElderPage):
    url, name, permission = "<int:elder>/notices/<int:pk>/", "notice_read", "lifeevents.notices"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        raise NotVisible

    def post(self, request, *args, **kwargs) -> HttpResponse:
        lifeevents_services.mark_read(actor=self.actor, notice_id=self.kwargs["pk"])
        return self.redirect(reverse("family:notices", args=[self.card.id]))
