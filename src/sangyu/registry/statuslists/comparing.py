"""A list against the register: every line gets one outcome, and who stands on it no more gets a line (R-019)."""

from collections import Counter
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import bulk
from sangyu.kernel.actor import Actor
from sangyu.kernel.crypto import encrypt
from sangyu.kernel.importing.definition import Row
from sangyu.registry.people import selectors as people

from .enums import SPECS, LineState, Outcome
from .models import StatusLine, StatusList

_COLUMNS = (
    "row", "path", "name", "sex", "birth_date", "id_number", "phone", "region_text", "address", "value", "since",
    "outcome", "code", "message", "person_id", "candidates", "state", "decided_at", "decided_by",
)  # fmt: skip


def enter(
    actor: Actor, rows: list[Row], batch, kind: str, month: date, authority: str
) -> tuple[StatusList, dict[str, int]]:
    """Keep the list with its compared lines; answers it and how many lines have which outcome. Call inside the scope."""
    made = StatusList.objects.create(
        path=batch.path, kind=kind, month=month, authority=authority, batch=batch, region_name=actor.region_name,
        file_name=batch.file_name, created_by=actor.name,
    )  # fmt: skip
    spec, now = SPECS.get(kind), timezone.now()
    found, elsewhere = people.find_matches(
        people.sought(
            r.number, number=r.values.get("id_number"), name=r.values["name"], birth_date=r.values.get("birth_date")
        )
        for r in rows
    )
    known = people.brief(m.person_id for matches in found.values() for m in matches)
    facts = people.facts_of(list(known), timezone.localdate()) if spec else {}
    lines, present = [], set()
    for row in rows:
        given, number = row.values, row.values.get("id_number")
        value = given.get("value") or (spec.default if spec else "")
        since = given.get("since") or month
        outcome, code, message, person, candidates = _outcome(
            row, found.get(row.number, []), known, row.number in elsewhere
        )
        if person is not None:
            present.add(person)
            outcome, code, message = _state_of(
                outcome, code, message, known[person], facts.get(person, {}), spec, value, since
            )
        settled = outcome == Outcome.HIT
        lines.append((
            row.number, known[person].path if person else batch.path, given["name"], given.get("sex") or "",
            given.get("birth_date"), encrypt(number.number, "statuslists.line.id_number") if number else None,
            encrypt(given["phone"], "statuslists.line.phone") if given.get("phone") else None,
            given.get("region", ""), given.get("address", ""), value, since, outcome.value, code, message[:300], person,
            bulk.json_text(candidates), LineState.DONE.value if settled else LineState.OPEN.value,
            now if settled else None, actor.name if settled else "",
        ))  # fmt: skip
        present.update(candidates)
    if spec:
        lines += _ended(actor, made, spec, present)
    bulk.insert_rows(StatusLine, _COLUMNS, lines, status_list_id=made.pk)
    made.lines_count = len(lines)
    made.save(update_fields=["lines_count"])
    counts = Counter(line[11] for line in lines)
    return made, {str(o): counts.get(o.value, 0) for o in Outcome}


def _outcome(row: Row, matches, known, elsewhere: bool) -> tuple[Outcome, str, str, int | None, list[int]]:
    """Who the line is: by ID number, else by name and birth date when there is exactly one."""
    if same := next((m for m in matches if m.by_id), None):
        person = known[same.person_id]
        if person.name != row.values["name"]:
            said = _("Registered under another name: %(name)s.") % {"name": person.name}
            return Outcome.CONFLICT, "name", said, same.person_id, [same.person_id]
        return Outcome.NEW, "", "", same.person_id, []
    if elsewhere:
        return Outcome.MISS, "elsewhere", _("Registered in another area: ask for a transfer."), None, []
    likely = [m for m in matches if known[m.person_id].name == row.values["name"]]
    if likely:
        ids = sorted({m.person_id for m in likely})
        if len(ids) > 1:
            return Outcome.CONFLICT, "several", _("Several persons have this name and birth date."), None, ids
        if likely[0].other_id:
            said = _("Registered with the same name and birth date, but another ID number.")
            return Outcome.CONFLICT, "id_number", said, None, ids
        return Outcome.NEW, "", "", ids[0], []
    return Outcome.MISS, "missing", _("Nobody of this number, or name and birth date, is registered."), None, []


def _state_of(
    outcome, code, message, person, held: dict[str, str], spec, value: str, since: date
) -> tuple[Outcome, str, str]:
    """What the register says of the person that the line is about."""
    if outcome == Outcome.CONFLICT:
        return outcome, code, message
    if spec is None:
        if person.died_on is None:
            return Outcome.NEW, "", ""
        if person.died_on == since:
            return Outcome.HIT, "", ""
        return (
            Outcome.CONFLICT,
            "died_on",
            _("The register has another day of death: %(day)s.") % {"day": person.died_on},
        )
    if person.died_on is not None:
        return Outcome.CONFLICT, "dead", _("Registered as dead on %(day)s.") % {"day": person.died_on}
    if held.get(spec.fact) == value:
        return Outcome.HIT, "", ""
    return Outcome.NEW, "", ""


def _ended(actor: Actor, made: StatusList, spec, present: set[int]) -> list[tuple[Any, ...]]:
    """Lines for living persons of the list's area who have the status and do not stand on the list."""
    said = _("Has the status, but does not stand on the list any more.")
    return [
        (
            None, p.path, p.name, p.sex, p.birth_date, None, None, p.region_name, p.address, p.value, made.month,
            Outcome.ENDED.value, "", said, p.id, "[]", LineState.OPEN.value, None, "",
        )
        for p in people.holders(actor, spec.fact, spec.values, timezone.localdate())
        if p.id not in present
    ]  # fmt: skip
