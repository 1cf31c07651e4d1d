"""Questions about pairs. All run in the actor's scope."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from sangyu.kernel.actor import Actor
from sangyu.kernel.scoping import scope
from sangyu.registry.people import selectors as people

from . import finding
from .enums import REASONS, State
from .models import Candidate, Pass
from .rules import rules_on


def pairs() -> QuerySet[Candidate]:
    """Pairs of files that both still stand for themselves, or were merged through the queue."""
    return Candidate.objects.exclude(state__in=[State.OPEN, State.LATER], first__merged_into__isnull=False).exclude(
        state__in=[State.OPEN, State.LATER], second__merged_into__isnull=False
    )


def waiting(actor: Actor) -> QuerySet:
    """Pairs to review in the actor's area; counted for the badge."""
    return pairs().visible_to(actor).filter(state=State.OPEN)


def of_pair(first_id: int, second_id: int) -> Candidate | None:
    """The pair of these two files, in either order. Call inside a scope."""
    low, high = sorted((first_id, second_id))
    return Candidate.objects.filter(first_id=low, second_id=high).first()


def of_person(actor: Actor, person_id: int) -> list[Candidate]:
    """Open pairs in which the person stands, most likely first."""
    rows = pairs().visible_to(actor).filter(state=State.OPEN).select_related("first", "second")
    return list((rows.filter(first_id=person_id) | rows.filter(second_id=person_id)).order_by("-score")[:5])


@dataclass(frozen=True)
class Similar:
    """A file that somebody about to be registered may be."""

    card: people.PersonCard
    score: float
    reasons: tuple[str, ...]


def similar(actor: Actor, given: dict[str, Any], *, path: str = "", today: date | None = None) -> list[Similar]:
    """Files of the actor's area that the person on a half-filled form may be (R-026: the check before registering).

    ``given``: name, birth_date, sex, id_number, phone, address as typed; ``path`` of the community, when it is known.
    """
    today = today or timezone.localdate()
    with scope(actor), transaction.atomic():
        asked = people.compared_columns(given, today=today)
        wanted = ("name", "pinyin", "birth_date", "sex", "phone_index", "phone_tail", "id_index")
        asked = {k: asked.get(k) for k in wanted} | {"path": path, "address": given.get("address") or ""}
        asked["sex"] = asked["sex"] or ""
        found = finding.similar(rules_on(today), asked)
        cards = people.person_cards(actor, [pk for pk, _score, _levels in found], day=today)
    return [
        Similar(cards[pk], score, tuple(str(REASONS[x]) for x in levels if x in REASONS))
        for pk, score, levels in found
        if pk in cards
    ]


def last_pass(actor: Actor) -> Pass | None:
    """The newest search of exactly the actor's area."""
    return Pass.objects.filter(path=actor.path).order_by("-until").first()
