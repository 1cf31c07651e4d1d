"""Chronic conditions, allergies and medicines: recorded, ended, asked for (R-015, ux.md §6A). Imported through ``services`` and ``selectors``."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.services import service

from .enums import HealthKind, Purpose
from .models import Consent, HealthNote, Person
from .models_health import MOST
from .store import locked


@service("people.health_record")
def note_health(
    *,
    actor: Actor,
    person_id: int,
    kind: str,
    words: str,
    since: date | None = None,
    evidence_id: int | None = None,
    source: str = "",
    today: date | None = None,
) -> HealthNote:
    """Record that the person has this condition, allergy or medicine.

    Raises Invalid, NotVisible, Refused: "people.dead", "people.health_consent" (none to health data holds), "people.health_known".
    """
    words, day = " ".join(words.split()), today or timezone.localdate()
    if kind not in HealthKind.values:
        raise Invalid({"kind": [_("Choose the kind.")]})
    if not 1 <= len(words) <= MOST:
        raise Invalid({"words": [_("Write 1 to %(n)d characters.") % {"n": MOST}]})
    if since is not None and since > day:
        raise Invalid({"since": [_("The day lies in the future.")]})
    person = locked(person_id)
    if person.died_on is not None:
        raise Refused(_("The person has died."), code="people.dead")
    if not Consent.objects.filter(Consent.own(Purpose.HEALTH_DATA), person=person).exists():
        raise Refused(_("The elder has not agreed to the use of health data."), code="people.health_consent")
    if any(n.kind == kind and n.words == words for n in _open(HealthNote.objects.filter(person=person), day)):
        raise Refused(_("This is recorded already."), code="people.health_known")
    return HealthNote.objects.create(
        person=person, path=person.path, kind=kind, words=words, since=since, evidence_id=evidence_id, source=source[:200],
        recorded_by=actor.name[:100],
    )  # fmt: skip


@service("people.health_record")
def end_health_note(*, actor: Actor, note_id: int, until: date | None = None, today: date | None = None) -> HealthNote:
    """The note holds no more from ``until`` (today) on. Raises NotVisible, Invalid, Refused("people.health_ended")."""
    day = today or timezone.localdate()
    note = HealthNote.objects.select_for_update(of=("self",)).filter(pk=note_id).first()
    if note is None:
        raise NotVisible
    if note.until is not None:
        raise Refused(_("The note has ended already."), code="people.health_ended")
    until = until or day
    if until > day or (note.since is not None and until < note.since):
        raise Invalid({"until": [_("The day must lie between the beginning and today.")]})
    note.until = until
    note.save(update_fields=["until"])
    return note


def health_of(actor: Actor, person_id: int, today: date | None = None) -> list[HealthNote]:
    """What holds today, by kind: conditions, allergies, medicines. Empty for whoever may not see it, and without consent to health data.

    One statement. Call inside a scope, where the look at the person is logged; elsewhere ``look_at_health``.
    """
    if not actor.may("people.health"):
        return []
    agreed = Consent.objects.filter(Consent.own(Purpose.HEALTH_DATA), person_id=OuterRef("person_id"))
    rows = HealthNote.objects.visible_to(actor).filter(Exists(agreed), person_id=person_id)
    order = list(HealthKind.values)
    return sorted(_open(rows, today or timezone.localdate()), key=lambda n: (order.index(n.kind), n.pk))


def look_at_health(actor: Actor, person: Person, purpose: str) -> list[HealthNote]:
    """``health_of`` for a page that is no logged look at the person itself: what it shows is written down as one, with ``purpose``."""
    if found := health_of(actor, person.pk):
        log_read(actor=actor, what="health", objects=[person], purpose=purpose)
    return found


def health_lines(notes: Iterable[HealthNote]) -> list[tuple[str, str, bool]]:
    """(kind, all of it, grave) for screens that have one line for each kind; ``notes`` in the order of ``health_of``. An allergy is grave:
    whoever gives a medicine must not miss it."""
    found: dict[HealthKind, list[str]] = {}
    for note in notes:
        found.setdefault(HealthKind(note.kind), []).append(note.words)
    return [(str(kind.label), "、".join(words), kind is HealthKind.ALLERGY) for kind, words in found.items()]


def _open(rows: QuerySet[HealthNote], day: date) -> QuerySet[HealthNote]:
    return rows.filter(Q(until__isnull=True) | Q(until__gt=day))
