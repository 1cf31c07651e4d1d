"""Taking settled lines back, and asking another county for the file (R-019, R-026). Imported through ``services``."""

from collections.abc import Sequence
from datetime import date, datetime

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused, SangyuError
from sangyu.kernel.services import service
from sangyu.registry.lifeevents import selectors as lifeevents
from sangyu.registry.lifeevents import services as lifeevents_services
from sangyu.registry.people import selectors as people
from sangyu.registry.people import services as people_services
from sangyu.registry.transfers import services as transfers

from .enums import SPECS, LineState, ListKind, Outcome
from .models import StatusLine
from .settling import line_to_settle, locked_lines, settle


@service("statuslists.settle")
def take_back(*, actor: Actor, ids: Sequence[int], reason: str, now: datetime | None = None) -> dict[int, str]:
    """Take settled lines back: what held before holds again, and the lines are to do once more.

    Answers line → why it was refused: nothing was changed by it, it made a new file, or something newer stands on it (the
    status was changed again, the day of death corrected, the file merged). Raises Invalid without a reason.
    """
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    lines = locked_lines(ids)
    refused = {pk: _("This line does not exist any more.") for pk in set(ids) - {line.pk for line in lines}}
    back = []
    for line in lines:
        if line.state == LineState.OPEN:
            refused[line.pk] = _("This line is not settled.")
        elif line.state == LineState.DISMISSED:
            back.append(line)
        elif line.outcome == Outcome.HIT:
            refused[line.pk] = _("This line changed nothing.")
        elif line.outcome == Outcome.MISS:
            refused[line.pk] = _("A file was made from this line. It stays; end the status there.")
        elif line.status_list.kind == ListKind.DEATH:
            back += _death_back(actor, line, reason, refused)
    for status_list in {line.status_list for line in lines}:
        if status_list.kind != ListKind.DEATH:
            own = [
                ln for ln in lines if ln.status_list_id == status_list.pk and ln.pk not in refused and ln not in back
            ]
            back += _statuses_back(actor, own, reason, refused, now)
    chosen = [line.pk for line in back if line.outcome == Outcome.CONFLICT]
    StatusLine.objects.filter(pk__in=chosen).update(person=None)
    StatusLine.objects.filter(pk__in=[line.pk for line in back]).update(
        state=LineState.OPEN, decided_at=None, decided_by="", reason=""
    )
    return refused


def _statuses_back(actor: Actor, lines: list[StatusLine], reason: str, refused: dict, now) -> list[StatusLine]:
    if not lines:
        return []
    kind = SPECS[lines[0].status_list.kind].fact
    at = {line.person_id: line.decided_at for line in lines}
    undone = people_services.take_facts_back(actor=actor, kind=kind, at=at, reason=reason, now=now)
    for line in lines:
        if line.person_id not in undone:
            refused[line.pk] = _("Something newer stands on this status, or the person is not in your area any more.")
    return [line for line in lines if line.person_id in undone]


def _death_back(actor: Actor, line: StatusLine, reason: str, refused: dict[int, str]) -> list[StatusLine]:
    card = people.person_cards(actor, [line.person_id]).get(line.person_id)
    if card is None or card.died_on != line.since:
        refused[line.pk] = _("The day of death was changed since, or the person is not in your area any more.")
        return []
    event = lifeevents.death_of(actor, line.person_id)
    try:
        if event is not None:
            lifeevents_services.withdraw(actor=actor, event_id=event.pk, reason=reason)
        else:
            people_services.revoke_death(actor=actor, person_id=line.person_id, reason=reason)
    except SangyuError as error:
        refused[line.pk] = str(error.message or error)
        return []
    return [line]


@service("statuslists.settle")
def ask_transfer(
    *,
    actor: Actor,
    line_id: int,
    region_id: int,
    moved_on: date,
    evidence: str,
    address: str = "",
    paper: UploadedFile | None = None,
    now: datetime | None = None,
) -> StatusLine:
    """Ask the county that holds the file for it; the line is settled with the number of the request.

    Raises Refused for a line that is not registered elsewhere, and what ``transfers.request`` raises.
    """
    line = line_to_settle(line_id)
    if line.code != "elsewhere":
        raise Refused(_("Only somebody registered in another area is asked for."), code="statuslists.outcome")
    asked = transfers.request(
        actor=actor, id_number=line.id_number, name=line.name, region_id=region_id, moved_on=moved_on,
        reason=line.status_list.source_of(line.row), evidence=evidence, address=address, paper=paper, now=now,
    )  # fmt: skip
    settle([line], LineState.DISMISSED, actor, _("Asked for the file: %(number)s") % {"number": asked.number}, now)
    return line
