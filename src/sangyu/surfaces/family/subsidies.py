"""我的补贴: what the elder gets and why, what else there is, applying and objecting; one question a page."""

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from sangyu.care.applications import selectors, services
from sangyu.care.applications.enums import OPEN, TO_ANSWER, ObjectionState, State
from sangyu.care.benefits import selectors as benefits
from sangyu.care.benefits.enums import LineKind
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import Part

from .pages import ElderPage, live_vouchers


class SubsidyPage(ElderPage):
    permission = "applications.view"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*super().breadcrumbs(), (_("My subsidies"), self.url_of("subsidies"))]


class Subsidies(ElderPage):
    """What comes every month with the reason, the last payments, applications with their answer."""

    url, name, title = "<int:elder>/subsidies/", "subsidies", gettext_lazy("My subsidies")
    permission, template = "applications.view", "family/subsidies.html"

    def get_context(self) -> dict:
        actor, pk, month = self.actor, self.card.id, timezone.localdate().replace(day=1)
        person = people.get_person(actor, pk)
        found = selectors.verdicts(person, month)
        released = benefits.lines_of(actor, pk).filter(month=month, kind=LineKind.ENTITLEMENT).select_related(None)
        lines = {line.policy: line for line in released}
        applications = list(selectors.applications_of(actor, pk)[:10])
        asked = {a.policy_code for a in applications if a.state in (*OPEN, State.APPROVED)}
        names = {v.code: v.name for v in found}
        payments = list(benefits.payments_of(actor, pk).select_related(None).select_related("line")[:6])
        for p in payments:
            p.policy_name = names.get(p.policy, p.policy)
        mine = [(v, lines.get(v.code)) for v in found if v.met]
        return {
            "mine": mine,
            "month_sum": sum((line.amount if line else v.amount or 0) for v, line in mine if v.period == "month"),
            "others": [v for v in found if not v.met and v.code not in asked],
            "payments": payments,
            "vouchers": sum(v.available for v in live_vouchers(actor, pk)),
            "applications": [
                {"row": a, "open": a.state in OPEN, "refused": a.state == State.REFUSED} for a in applications
            ],
            "objections": [
                {"row": o, "open": o.state in TO_ANSWER, "may_appeal": o.state == ObjectionState.REJECTED}
                for o in selectors.objections_of(actor, pk)[:10]
            ],
            "may_apply": actor.may("applications.apply"),
            "sees_health": people.sees_part(actor, pk, Part.HEALTH),
        }


class Why(SubsidyPage):
    """One policy: why this amount, or why not; from here one applies or objects."""

    url, name = "<int:elder>/subsidies/<slug:policy>/", "subsidy"
    template = "family/subsidy.html"

    def check(self, request) -> None:
        super().check(request)
        person = people.get_person(self.actor, self.card.id)
        found = selectors.verdicts(person, timezone.localdate().replace(day=1))
        self.verdict = next((v for v in found if v.code == self.kwargs["policy"]), None)
        if self.verdict is None:
            raise NotVisible

    def get_title(self) -> str:
        return self.verdict.name

    def get_context(self) -> dict:
        rows = selectors.applications_of(self.actor, self.card.id).filter(policy_code=self.verdict.code)
        return {
            "v": self.verdict,
            "application": rows.first(),
            "offer": selectors.offer(self.card.path, self.verdict.code, timezone.localdate()),
            "may_apply": self.actor.may("applications.apply"),
            "given": self.request.POST,
        }

    def post(self, request, *args, **kwargs) -> HttpResponse:
        """``act``: apply, object, or withdraw the open application."""
        act, text = request.POST.get("act", ""), request.POST.get("text", "")
        about = {"actor": self.actor, "person_id": self.card.id}
        last = selectors.applications_of(self.actor, self.card.id).filter(policy_code=self.verdict.code).first()
        try:
            if act == "apply":
                services.apply(policy_code=self.verdict.code, text=text, **about)
                told = _("We have your application.")
            elif act == "object" and last is not None and last.state == State.REFUSED:
                services.object_to(application_id=last.pk, text=text, **about)
                told = _("We have your objection.")
            elif act == "object":
                month = timezone.localdate().replace(day=1)
                services.object_to(policy_code=self.verdict.code, month=month, text=text, **about)
                told = _("We have your objection.")
            elif act == "withdraw" and last is not None:
                services.withdraw(actor=self.actor, application_id=last.pk)
                told = _("Taken back.")
            else:
                raise NotVisible
        except (Invalid, Refused) as error:
            return self.fail(error)
        return self.redirect(self.url_of("subsidies"), told)


class Appeal(SubsidyPage):
    """Do not accept the answer to an objection."""

    url, name, title = "<int:elder>/objections/<int:pk>/appeal/", "appeal", pgettext_lazy("family", "Appeal")
    template = "family/appeal.html"
    permission = "applications.apply"

    def check(self, request) -> None:
        super().check(request)
        rows = selectors.objections_of(self.actor, self.card.id)
        self.objection = rows.filter(pk=self.kwargs["pk"]).first()
        if self.objection is None:
            raise NotVisible

    def get_context(self) -> dict:
        return {"objection": self.objection, "given": self.request.POST}

    def post(self, request, *args, **kwargs) -> HttpResponse:
        try:
            services.appeal(actor=self.actor, objection_id=self.objection.pk, text=request.POST.get("text", ""))
        except (Invalid, Refused) as error:
            return self.fail(error)
        return self.redirect(self.url_of("subsidies"), _("We have your appeal."))
