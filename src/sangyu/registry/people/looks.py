"""Reading on purpose: whole numbers and guarded notes, each look logged."""

from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.services import service

from .enums import NoteTopic
from .models import Contact, GuardedNote, Person
from .restricting import refuse_restricted
from .store import locked


@service("people.reveal")
def reveal(*, actor: Actor, person_id: int, field: str, purpose: str) -> str:
    """The whole ``id_number`` or ``phone``; logged as a read of personal data. Raises NotVisible, Invalid."""
    if field not in ("id_number", "phone") or not purpose:
        raise Invalid({"field": [_("Say which number, and what for.")]})
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        raise NotVisible
    refuse_restricted(person)
    log_read(actor=actor, what=field, objects=[person], purpose=purpose)
    return getattr(person, field)


@service("people.reveal")
def reveal_contact(*, actor: Actor, contact_id: int, purpose: str) -> str:
    """The whole telephone number of a contact; logged."""
    contact = Contact.objects.select_related("person").filter(pk=contact_id).first()
    if contact is None:
        raise NotVisible
    refuse_restricted(contact.person)
    log_read(actor=actor, what="contact phone", objects=[contact], purpose=purpose)
    return contact.phone


@service("people.guarded_notes")
def write_guarded_note(
    *, actor: Actor, person_id: int, topic: str, body: str, relative: str = "", now: datetime | None = None
) -> GuardedNote:
    """Add a legal concern (R-028); ``relative`` names the guardian or the relative who owes maintenance, if it is about one."""
    if not body.strip():
        raise Invalid({"body": [_("The note is empty.")]})
    if topic not in NoteTopic.values:
        raise Invalid({"topic": [_("Choose the topic.")]})
    person = locked(person_id)
    return GuardedNote.objects.create(
        person=person,
        path=person.path,
        topic=topic,
        relative=relative.strip(),
        body=body.strip(),
        written_at=now or timezone.now(),
        account_id=actor.account_id,
        author=actor.name,
    )


@service("people.guarded_notes")
def read_guarded_notes(*, actor: Actor, person_id: int, purpose: str) -> list[GuardedNote]:
    """The person's guarded notes, newest first; the reading is logged with its ``purpose``, which must be said (R-028)."""
    if not purpose.strip():
        raise Invalid({"purpose": [_("Say why you open the notes.")]})
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        raise NotVisible
    notes = list(person.guarded_notes.order_by("-id"))
    log_read(actor=actor, what="guarded notes", objects=[person], purpose=purpose)
    return notes


@service("people.guarded_notes")
def close_guarded_note(*, actor: Actor, note_id: int, today: date | None = None) -> GuardedNote:
    """The concern is settled: the note stays, marked as closed. Raises NotVisible, Refused."""
    note = GuardedNote.objects.select_for_update().filter(pk=note_id).first()
    if note is None:
        raise NotVisible
    if note.closed_on is not None:
        raise Refused(_("The note is closed already."), code="people.note_closed")
    note.closed_on = today or timezone.localdate()
    note.save(update_fields=["closed_on"])
    return note
