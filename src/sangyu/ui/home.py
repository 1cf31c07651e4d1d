"""``/``: everyone's own home."""

from django.urls import reverse

from sangyu.kernel.actor import Actor

from .context import url_or_blank
from .nav import entries, nav_for
from .pages import PlainPage

#: Role or audience → url names tried in order; the role goes first. A page that is missing or not allowed is skipped.
HOMES: dict[str, tuple[str, ...]] = {
    "operator": ("hotline:desk",),
    "staff": ("bureau:home",),
    "provider": ("provider:home",),
    "worker": ("worker:today",),
    "family": ("family:home",),
}


def home_url(actor: Actor) -> str:
    """Address of the first page of ``actor``: its role's home, its audience's, the first entry of its navigation, the
    own account.
    """
    shown = {e.url_name: e.shown_to(actor) for e in entries()}
    for name in HOMES.get(actor.role, ()) + HOMES.get(actor.audience.value, ()):
        url = url_or_blank(name)
        if url and shown.get(name, True):
            return url
    groups = nav_for(actor, "", {})
    return groups[0]["items"][0]["url"] if groups else reverse("accounts:me")


class Home(PlainPage):
    """Leads each role to its own home."""

    url, name, permission = "", "home", ""

    def get(self, request, *args, **kwargs):
        return self.redirect(home_url(self.actor))
