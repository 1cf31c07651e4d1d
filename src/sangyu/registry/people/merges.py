"""Two files of one human being become one, and can become two again (R-026, ADR 0013). Imported through ``services``."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.crypto import blind_indexes, decrypt_history
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.merging import journal
from sangyu.kernel.merging.models import Merge
from sangyu.kernel.merging.rules import Case, Plan, read
from sangyu.kernel.models import Share
from sangyu.kernel.scoping import as_system, say_why, take_along
from sangyu.kernel.services import service
from sangyu.registry.regions import selectors as regions

from . import events
from .merging import FIELDS
from .models import Person
from .restricting import refuse_restricted
from .sharing import PERSON_SHARES
from .store import refresh_completeness
from .values import ID_PURPOSE, read_basic

KIND = "people.Person"
KEPT, GONE = "kept", "gone"
#: A tombstone holds no number: nobody finds it by one, and the number is free for whoever it belongs to.
_FREED = {
    "id_number": None, "id_index": None, "id_tail": None, "id_kind": "", "phone": None, "phone_index": None,
    "phone_tail": None, "household_id": None,
}  # fmt: skip


@dataclass(frozen=True)
class Preview:
    """What a merge would do: the side each field is taken from, and the rooms' plan."""

    sides: dict[str, str]
    plan: Plan


def sides_of(kept: dict, gone: dict, choices: dict[str, str]) -> dict[str, str]:
    """Field → side. What the reviewer did not choose is the kept one's, the gone one's where that is empty; the register
    keeps the earlier day of registration."""
    sides = {}
    for name, columns in FIELDS.items():
        a, b = kept[columns[0]], gone[columns[0]]
        side = GONE if a in (None, "") and b not in (None, "") else KEPT
        if name == "registered_on" and a and b:
            side = GONE if b < a else KEPT
        if name == "place" and a == b and gone["address"] and not kept["address"]:
            side = GONE
        sides[name] = choices.get(name, side)
    return sides


def _pair(kept_id: int, gone_id: int, *, lock: bool) -> tuple[dict, dict]:
    """Both rows as JSON, as the actor sees them. Raises NotVisible, Invalid."""
    if kept_id == gone_id:
        raise Invalid({"": [_("A file cannot be merged with itself.")]})
    rows = Person.objects.filter(pk__in=[kept_id, gone_id]).order_by("pk")
    found = list(rows.select_for_update(of=("self",)) if lock else rows)
    if len(found) != 2:
        raise NotVisible
    for person in found:
        refuse_restricted(person)
    return read(Person, {"id": kept_id})[0], read(Person, {"id": gone_id})[0]


def _case(kept: dict, gone: dict, sides: dict[str, str], choices: dict[str, str], now: datetime) -> Case:
    prefer = {name for name, side in choices.items() if name.startswith("facts.") and side == GONE}
    if sides["place"] == GONE:
        prefer.add("facts.region")
    path = (gone if sides["place"] == GONE else kept)["path"]
    return Case(kept["id"], gone["id"], path, now, frozenset(prefer))


def _check_choices(choices: dict[str, str]) -> None:
    unknown = [n for n in choices if n not in FIELDS and not n.startswith("facts.")]
    if unknown or set(choices.values()) - {KEPT, GONE}:
        raise Invalid({"": [_("Unknown choice: %(names)s.") % {"names": ", ".join(unknown) or "…"}]})


def _check_result(row: dict, now: datetime) -> None:
    """The kept file must hold together: an ID number says birth date and sex."""
    if row["id_number"]:
        from sangyu.kernel.identity import parse_id_number

        number = parse_id_number(decrypt_history(row["id_number"], "people.person.id_number"), today=now.date())
        if number.birth_date and row["birth_date"] != number.birth_date.isoformat():
            raise Invalid({"birth_date": [_("The ID number that is kept says %(day)s.") % {"day": number.birth_date}]})
        if number.sex and row["sex"] in ("1", "2") and row["sex"] != number.sex:
            raise Invalid({"sex": [_("The ID number that is kept says otherwise (its 17th digit).")]})
    if row["died_on"] and row["birth_date"] and row["died_on"] < row["birth_date"]:
        raise Invalid({"died_on": [_("The day lies before the birth date.")]})


@service("people.merge")
def preview_merge(*, actor: Actor, kept_id: int, gone_id: int, choices: dict[str, str] | None = None) -> Preview:
    """What ``merge`` would do. Raises NotVisible, Invalid."""
    choices = choices or {}
    _check_choices(choices)
    kept, gone = _pair(kept_id, gone_id, lock=False)
    sides = sides_of(kept, gone, choices)
    return Preview(sides, journal.plan(KIND, _case(kept, gone, sides, choices, timezone.now())))


@service("people.merge")
def merge(
    *,
    actor: Actor,
    kept_id: int,
    gone_id: int,
    reason: str,
    choices: dict[str, str] | None = None,
    now: datetime | None = None,
) -> Merge:
    """Let file ``gone_id`` go into ``kept_id``: every room's rows follow by its rules; the gone file leads to the kept one.

    ``choices``: field (``merging.FIELDS``) or "facts.<kind>" → "kept" | "gone". Raises NotVisible when one of them is not
    in the actor's area, Invalid when the kept file would contradict itself; then nothing has changed.
    """
    choices, now = choices or {}, now or timezone.now()
    _check_choices(choices)
    kept, gone = _pair(kept_id, gone_id, lock=True)
    sides = sides_of(kept, gone, choices)
    case = _case(kept, gone, sides, choices, now)
    taken = {c: gone[c] for name, columns in FIELDS.items() if sides[name] == GONE for c in columns}
    if sides["place"] == GONE:
        taken["household_id"] = gone["household_id"]
    _check_result({**kept, **taken}, now)
    stamp = {"updated_at": now.isoformat()}
    own = [(gone_id, {**_FREED, "merged_into_id": kept_id, **stamp}), (kept_id, {**taken, **stamp})]
    say_why(reason or _("merge of two files"))
    record = journal.merge(
        actor=actor,
        kind=KIND,
        case=case,
        own=own,
        reason=reason,
        choices={"sides": sides, "facts": sorted(case.prefer)},
    )
    refresh_completeness(Person.objects.get(pk=kept_id))
    emit(events.MERGED, path=case.path, id=kept_id, gone=gone_id, merge=record.pk)
    if not kept["died_on"] and taken.get("died_on"):
        emit(events.DIED, path=case.path, id=kept_id, on=taken["died_on"])
    return record


def _merge_to_undo(merge_id: int) -> Merge:
    """The record, when the kept and the gone file are in the actor's area. Raises NotVisible, Refused."""
    with as_system("a merge is seen by who sees both files, wherever they were then"):
        record = Merge.objects.select_for_update().filter(pk=merge_id, kind=KIND).first()
    if record is None:
        raise NotVisible
    both = {p.pk: p for p in Person.everyone.filter(pk__in=[record.kept_id, record.gone_id])}
    if len(both) != 2:
        raise NotVisible
    if record.undone_at is None and both[record.kept_id].merged_into_id is not None:
        raise Refused(_("The kept file was itself merged since. Undo that merge first."), code="merging.later")
    return record


@service("people.merge")
def preview_undo(*, actor: Actor, merge_id: int) -> journal.Undoing:
    """What ``undo_merge`` would put back, and what stands in its way. Raises NotVisible, Refused."""
    return journal.prepare_undo(_merge_to_undo(merge_id))


@service("people.merge")
def undo_merge(
    *, actor: Actor, merge_id: int, reason: str, partly: bool = False, now: datetime | None = None
) -> list[journal.Obstacle]:
    """Make two files of the one again. Answers what stays as it is, because it was changed since.

    ``partly=False`` refuses then. Raises NotVisible, Refused("merging.undone" | "merging.later" | "merging.obstacles").
    """
    record = _merge_to_undo(merge_id)
    list(Person.everyone.select_for_update().filter(pk__in=[record.kept_id, record.gone_id]).order_by("pk"))
    say_why(reason or _("merge undone"))
    obstacles = journal.undo(actor=actor, record=record, reason=reason, partly=partly, now=now or timezone.now())
    for person in Person.everyone.filter(pk__in=[record.kept_id, record.gone_id]):
        _follow_region(person)
        refresh_completeness(person)
    path = Person.everyone.get(pk=record.kept_id).path
    emit(events.UNMERGED, path=path, id=record.kept_id, gone=record.gone_id, merge=record.pk)
    return obstacles


def _follow_region(person: Person) -> None:
    """Regions may have been re-ordered since the merge: the journal's paths are then old. And what was written to the kept
    file since lies where that file lay: it follows the file to where it is now.
    """
    path = regions.region(person.region_id, current=True).path
    with as_system("a file goes back to the region it belongs to"):
        if path != person.path:
            person.path = path
            Person.everyone.filter(pk=person.pk).update(path=path)
        take_along(person)
        Share.objects.filter(kind__in=PERSON_SHARES, object_id=person.pk).exclude(path=path).update(path=path)


# ---------------------------------------------------------------- questions
def merges_of(actor: Actor, person_id: int) -> list[Merge]:
    """Merges in which ``person_id`` was kept or gone, newest first. Call inside a scope."""
    if not Person.everyone.filter(pk=person_id).exists():
        raise NotVisible
    with as_system("a merge is seen by who sees the file, wherever it was then"):
        rows = Merge.objects.filter(kind=KIND, kept_id=person_id) | Merge.objects.filter(kind=KIND, gone_id=person_id)
        return list(rows.order_by("-id"))


def merge_record(actor: Actor, merge_id: int) -> Merge:
    """One merge, for who sees both files. Raises NotVisible. Call inside a scope."""
    with as_system("a merge is seen by who sees both files, wherever they were then"):
        record = Merge.objects.filter(pk=merge_id, kind=KIND).first()
    if record is None or Person.everyone.filter(pk__in=[record.kept_id, record.gone_id]).count() != 2:
        raise NotVisible
    return record


def names_of(person_ids: list[int]) -> dict[int, str]:
    """Names of files, merged ones too. Call inside a scope."""
    return dict(Person.everyone.filter(pk__in=person_ids).values_list("pk", "name"))


def survivor(person_id: int) -> int:
    """The file that ``person_id`` leads to: itself, or the one it was merged into. Reads past the scope: ids only."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sangyu.person_survivor(%s)", [person_id])
        return cursor.fetchone()[0] or person_id


@dataclass(frozen=True)
class Holder:
    """Where the file of a number is."""

    pk: int
    name: str
    path: str
    region_id: int


def holder_of(id_number: str) -> Holder | None:
    """Who has ``id_number`` (whole, in its one form). Answers by the open scope: past it only under ``as_system``."""
    row = (
        Person.objects.filter(id_index__in=blind_indexes(id_number, ID_PURPOSE))
        .only("pk", "name", "path", "region_id")
        .first()
    )
    return Holder(row.pk, row.name, row.path, row.region_id) if row else None


def compared_columns(given: dict[str, Any], *, today: date) -> dict[str, Any]:
    """What of a half-filled form says who somebody is, as the register would keep it; unreadable fields are left out."""
    columns: dict[str, Any] = {}
    for field in ("id_number", "name", "sex", "birth_date", "phone"):
        with suppress(Invalid):
            columns |= {
                k: v for k, v in read_basic({field: given.get(field)}, today=today).items() if v not in ("", None)
            }
    return columns
