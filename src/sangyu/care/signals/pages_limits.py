"""Screens: personal limits and fences of one person (R-090, R-091)."""

from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.registry.people import selectors as people
from sangyu.registry.people.fields import ForPerson
from sangyu.ui.pages import ActionPage, Link, PlainPage

from . import forms, selectors, services
from .models import Fence, Limit
from .pages import map_data
from .words import limit_line


class Limits(PlainPage):
    """What holds for one person alone, and what held earlier: who set it and why."""

    url, name, permission, template = "person/<int:pk>/limits/", "limits", "signals.view", "signals/limits.html"

    def get_title(self) -> str:
        return gettext("Limits and fences of %(name)s") % {"name": self.person.name}

    def breadcrumbs(self):
        return [(self.person.name, reverse("casefile:devices", args=[self.person.pk]))]

    def check(self, request) -> None:
        super().check(request)
        self.person = people.get_person(self.actor, self.kwargs["pk"])

    def links(self) -> list[Link]:
        return [Link(_("Measurements"), "signals:person", "chart", "signals.view", args=lambda _obj: [self.person.pk])]

    def get_context(self) -> dict:
        fences = selectors.limits_of(self.actor, self.person.pk)[1]
        ended = [line for line in selectors.lines_ever(self.actor, self.person.pk) if not line.holds]
        held = selectors.agreed([self.person.pk]).get(self.person.pk, frozenset())
        return selectors.limit_lines(self.actor, self.person.pk) | {
            "person": self.person,
            "earlier": sorted(ended, key=lambda line: line.until, reverse=True),
            "health": selectors.HEALTH in held, "position": selectors.POSITION in held,
            "data": map_data(circles=circles(fences), points=home(self.person)),
        }  # fmt: skip


def circles(fences) -> list[dict]:
    return [{"lat": f.latitude, "lon": f.longitude, "radius": f.radius, "words": f.name} for f in fences]


def home(person) -> list[dict]:
    if person.latitude is None:
        return []
    return [{"lat": person.latitude, "lon": person.longitude, "words": gettext("Home"), "tone": "ok"}]


class SetLimit(ForPerson):
    url, name, permission, title = "person/<int:pk>/limits/new/", "limit-new", "signals.limits", _("Set a limit")
    form_class, service, back = forms.LimitForm, services.set_limit, "signals:limits"
    intro = _("From today on this value counts instead of the common one. What held for the same rule before ends.")
    wide = ("rule", "reason")

    def form_kwargs(self) -> dict:
        return {"path": self.person.path}

    def get_initial(self) -> dict:
        return {"rule": self.request.GET.get("rule", "")}


class DrawFence(ForPerson):
    url, name, permission, title = "person/<int:pk>/fences/new/", "fence-new", "signals.limits", _("Draw a fence")
    form_class, service, back, template = forms.FenceForm, services.draw_fence, "signals:limits", "signals/fence.html"
    intro = _("A circle around a place. Click on the map to move its middle; without a map, type the place.")
    wide = ("reason",)

    def get_initial(self) -> dict:
        return {
            "latitude": self.person.latitude,
            "longitude": self.person.longitude,
            "name": gettext("Around the home"),
        }

    def context(self, **extra) -> dict:
        region = self.person.region
        drawn = selectors.limits_of(self.actor, self.person.pk)[1]
        view = None if region.latitude is None else [region.latitude, region.longitude]
        agreed = selectors.POSITION in selectors.agreed([self.person.pk]).get(self.person.pk, ())
        return super().context(
            data=map_data(points=home(self.person), circles=circles(drawn), view=view), agreed=agreed, **extra
        )


class _End(ActionPage):
    permission, title, submit_label, success = (
        "signals.limits",
        pgettext_lazy("limits", "End"),
        pgettext_lazy("limits", "End"),
        _("Ended."),
    )
    detail, owner, leaves = "signals:limits", "person_id", True


class EndLimit(_End):
    url, name, model, service, argument = "limits/<int:pk>/end/", "limit-end", Limit, services.end_limit, "limit_id"

    def confirm_text(self) -> str:
        line = limit_line(self.object)
        return gettext("“%(rule)s: %(says)s” holds no more; the common value counts again.") % {
            "rule": line.title, "says": line.says,
        }  # fmt: skip


class EndFence(_End):
    url, name, model, service, argument = "fences/<int:pk>/end/", "fence-end", Fence, services.end_fence, "fence_id"

    def confirm_text(self) -> str:
        return gettext("The fence “%(name)s” is watched no more.") % {"name": self.object.name}


PAGES = [Limits, SetLimit, DrawFence, EndLimit, EndFence]
