"""我的评估: how the elder was assessed, in plain words; when somebody comes again; “I do not agree” (R-029, R-030, R-037)."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.care.assessments import selectors, services
from sangyu.care.assessments.enums import Reason, State
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import Part
from sangyu.ui import format as fmt

from .pages import ElderPage

#: Ability level → what it means in everyday words; never a verdict.
KIND = {
    0: gettext_lazy("Daily life goes well without help."),
    1: gettext_lazy("Most things go well; now and then a helping hand is good."),
    2: gettext_lazy("Some things each day go better with help."),
    3: gettext_lazy("Most things each day need a helping hand."),
    4: gettext_lazy("Somebody should be there all day."),
}
#: States in which the next step is somebody else's.
UNDER_WAY = (State.APPLIED, State.ASSIGNED, State.VISITED, State.REVIEWED, State.PUBLISHED)


def step(row) -> str:
    """Where an assessment under way stands, and what comes next."""
    if row.state == State.APPLIED:
        return _("We have the application. We will agree on a day with you.")
    if row.state == State.ASSIGNED and row.planned_on:
        return _("Two assessors come to your home on %(day)s.") % {"day": fmt.day(row.planned_on)}
    if row.state == State.ASSIGNED:
        return _("Two assessors will come to your home. They call before.")
    if row.state == State.PUBLISHED:
        return _("The result is “%(level)s”. It hangs out until %(day)s, the name half hidden; then it holds.") % {
            "level": row.level_name, "day": fmt.day(row.notice_to),
        }  # fmt: skip
    return _("The visit is over. The result is being looked at again.")


class Assessed(ElderPage):
    """What holds, what is under way, what is needed; one form to disagree."""

    url, name, title = "<int:elder>/assessment/", "assessed", gettext_lazy("My assessment")
    permission, template = "assessments.own", "family/assessed.html"

    def check(self, request) -> None:
        super().check(request)
        if not people.sees_part(self.actor, self.card.id, Part.HEALTH):
            raise NotVisible

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*super().breadcrumbs(), (_("My subsidies"), self.url_of("subsidies"))]

    def rows(self) -> list:
        return list(selectors.of_person(self.actor, self.card.id).exclude(reason=Reason.SAMPLE)[:20])

    def get_context(self) -> dict:
        rows = self.rows()
        now = next((r for r in rows if r.current), None)
        doubted = next((r for r in rows if r.state == State.OBJECTED), None)
        return {
            "now": now,
            "kind": KIND.get(now.level, "") if now and now.version.instrument.purpose == "care" else "",
            "under_way": [{"row": r, "step": step(r)} for r in rows if r.state in UNDER_WAY],
            "doubted": doubted,
            "may_object": next((r for r in rows if r.state == State.PUBLISHED or r.current), None),
            "needs": [n.get_kind_display() for n in selectors.needs_of_person(self.actor, self.card.id)[:5]],
            "given": self.request.POST,
        }

    def post(self, request, *args, **kwargs) -> HttpResponse:
        row = next((r for r in self.rows() if str(r.pk) == request.POST.get("assessment", "")), None)
        if row is None:
            raise NotVisible
        try:
            services.object_to_own(actor=self.actor, assessment_id=row.pk, objection=request.POST.get("text", ""))
        except (Invalid, Refused) as error:
            return self.fail(error)
        return self.redirect(
            reverse("family:assessed", args=[self.card.id]), _("We have heard you. Other assessors will come.")
        )
