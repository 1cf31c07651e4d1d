"""Reviews: the work list of a street or county, and finishing one."""

from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.ui import format as fmt
from sangyu.ui.pages import ActionPage, Choice, ListPage, Money, Number, Text

from .. import forms, selectors, services
from ..enums import Level
from ..models import Review
from .runs import REVIEW_LINKS, Month


class ReviewList(ListPage):
    """The work list: reviews of the actor's level that wait."""

    url, name, permission, title = "reviews/", "reviews", "benefits.review_street", _("Reviews to do")
    model = Review
    unit = _("reviews")
    sort = "-run_id"
    related = ("run", "region")
    columns = [
        Text("run.number", _("Run"), link=lambda r: reverse("benefits:detail", args=[r.run_id])),
        Month("run.month", _("Month")),
        Choice("level", _("Level"), enum=Level),
        Text("region.name", _("Region")),
        Number("line_count", pgettext_lazy("benefits", "Lines"), sort=True),
        Money("total", _("Amount"), sort=True),
    ]
    row_actions = REVIEW_LINKS
    empty_text = _("Nothing waits for your review.")

    def get_queryset(self):
        return selectors.reviews_waiting(self.actor)


class _Review(ActionPage):
    model, related, parent = Review, ("run", "region"), ("benefits:reviews", _("Reviews to do"))
    argument, form_class, submit_label, success = "review_id", forms.NoteForm, _("Finish the review"), _("Reviewed.")
    level = ""
    leaves = True

    def get_queryset(self):
        return Review.objects.filter(level=self.level)

    def confirm_text(self) -> str:
        r = self.object
        return gettext("%(region)s: %(lines)s lines, %(total)s of %(number)s. Withhold what is in doubt before you finish.") % {
            "region": r.region.name, "lines": r.line_count, "total": fmt.money(r.total), "number": r.run.number,
        }  # fmt: skip

    def success_url(self) -> str:
        return reverse("benefits:detail-reviews", args=[self.object.run_id])


class ReviewStreet(_Review):
    url, name, permission, title = (
        "reviews/<int:pk>/street/",
        "review_street",
        "benefits.review_street",
        _("Review of a street"),
    )
    service, level = services.review_street, Level.STREET


class ReviewCounty(_Review):
    url, name, permission, title = (
        "reviews/<int:pk>/county/",
        "review_county",
        "benefits.review",
        _("Review of a county"),
    )
    service, level = services.review_county, Level.COUNTY
