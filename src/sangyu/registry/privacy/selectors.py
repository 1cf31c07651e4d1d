"""Questions about requests and consents, in the actor's scope."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from django.apps import apps
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.models import DataRead
from sangyu.kernel.scoping import as_system
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import Purpose

from . import rules
from .enums import OPEN
from .models import Request


def consent_text(purpose: str, day: date) -> rules.Text | None:
    """The text to which one consents on ``day``, with its version."""
    return rules.text_on(purpose, day)


def requests_visible(actor: Actor) -> QuerySet[Request]:
    """Requests of the actor's area; of a family account its own."""
    return Request.objects.visible_to(actor)


def own_requests(actor: Actor, person_id: int) -> QuerySet[Request]:
    """What this family account has asked about the person, newest first."""
    return Request.objects.visible_to(actor).filter(person_id=person_id).order_by("-id")


def overdue(actor: Actor, today: date) -> int:
    """Open requests whose day has passed."""
    return Request.objects.visible_to(actor).filter(state__in=OPEN, due_on__lt=today).count()


def waiting(actor: Actor) -> QuerySet:
    """Requests that are open; counted for the badge."""
    return Request.objects.visible_to(actor).filter(state__in=OPEN)


@dataclass(frozen=True)
class LedgerLine:
    """Consents to one purpose under one version of the text."""

    purpose: str
    label: str
    version: str
    holding: int
    withdrawn: int
    current: bool


def ledger(actor: Actor, day: date) -> list[LedgerLine]:
    """Counts by purpose and version in the actor's area; in the order of the purposes, newest version first."""
    consents = apps.get_model("people.Consent").objects.visible_to(actor)
    rows = (
        consents.values("purpose", "version")
        .annotate(holding=Count("pk", filter=Q(withdrawn_on=None)), withdrawn=Count("pk", filter=~Q(withdrawn_on=None)))
        .order_by("-version")
    )
    found: dict[str, list] = {p: [] for p in Purpose.values}
    for row in rows:
        found[row["purpose"]].append(row)
    lines = []
    for purpose, versions in found.items():
        text = rules.text_on(purpose, day)
        known = {v["version"] for v in versions}
        if text and text.version not in known:
            versions = [{"version": text.version, "holding": 0, "withdrawn": 0}, *versions]
        lines += [
            LedgerLine(
                purpose, str(Purpose(purpose).label), v["version"], v["holding"], v["withdrawn"],
                bool(text and v["version"] == text.version),
            )
            for v in versions
        ]  # fmt: skip
    return lines


def totals(lines: list[LedgerLine]) -> Counter:
    """holding, withdrawn, old (holding under an old text)."""
    return Counter(
        holding=sum(line.holding for line in lines),
        withdrawn=sum(line.withdrawn for line in lines),
        old=sum(line.holding for line in lines if not line.current),
    )


# ---------------------------------------------------------------- who looked
#: What was looked at → words.
_LOOKS = {
    "id_number": _("ID number"),
    "phone": _("Phone"),
    "casefile": _("the whole file, printed"),
    "card": _("the file, by the card's code"),
    "file": _("a file"),
    "copy": _("a copy of all data"),
    "position": _("the place of a device"),
    "signals": _("measurements of a device"),
    "health": _("conditions, allergies, medicines"),
    "listen_in": _("silent listening-in through a device"),
    "emergencies.case": _("an emergency of the person"),
    "emergencies.family": _("an emergency of the person"),
    "people.roster": _("an export of the register"),
}


def look_label(what: str) -> str:
    """What was looked at, in words; what has none by its name."""
    return str(_LOOKS.get(what, what))


def look_reason(purpose: str) -> str:
    """Why somebody looked; pages that ask for no reason say only where."""
    return "" if purpose.startswith("page") or purpose in ("print", "card scanned", "locate_now") else purpose


def looks_of(person_id: int) -> QuerySet[DataRead]:
    """Looks at the person's data on purpose; what guards itself (guarded notes) is not told (R-028). Call inside a scope."""
    return DataRead.objects.filter(table_name="people_person", row_id=person_id).exclude(what="guarded notes")


def looks_for_family(actor: Actor, person_id: int, most: int = 30) -> list[DataRead]:
    """The latest looks, for the elder and the relatives who see the file (R-090). Raises NotVisible."""
    people.get_person(actor, person_id)
    with as_system("who looked at the elder's data is told to the elder"):
        return list(looks_of(person_id).order_by("-id")[:most])
