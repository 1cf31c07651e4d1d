"""Settling the lines of a list: begin, end, record a death, register, or leave as it is, with a reason (R-019).

Many lines at once take few statements; the answer names the lines that were refused, and why.
"""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused, SangyuError
from sangyu.kernel.services import service
from sangyu.registry.people import services as people

from .enums import SPECS, LineState, ListKind, Outcome
from .models import StatusLine
from .settling import line_to_settle, locked_lines, settle
from .undoing import ask_transfer, take_back

__all__ = ["apply", "ask_transfer", "choose", "dismiss", "register", "take_back"]

#: Outcomes that ``apply`` can carry out by itself.
APPLICABLE = (Outcome.NEW, Outcome.ENDED)


@service("statuslists.settle")
def apply(*, actor: Actor, ids: Sequence[int], reason: str = "", now: datetime | None = None) -> dict[int, str]:
    """Carry out what open lines of the outcomes “to begin” and “to end” say; deaths are recorded one by one.

    The list is the evidence: it is named as the source of each status. Answers line → why it was refused.
    """
    now = now or timezone.now()  # one moment for the statuses and the lines: ``take_back`` finds them by it
    lines = locked_lines(ids)
    refused = {pk: _("This line does not exist any more.") for pk in set(ids) - {line.pk for line in lines}}
    ready = []
    for line in lines:
        if line.state != LineState.OPEN:
            refused[line.pk] = _("This line is settled already.")
        elif line.outcome not in APPLICABLE:
            refused[line.pk] = _("This line needs a decision of its own.")
        else:
            ready.append(line)
    done: list[StatusLine] = []
    for status_list in {line.status_list for line in ready}:
        own = [line for line in ready if line.status_list_id == status_list.pk]
        if status_list.kind == ListKind.DEATH:
            done += _deaths(actor, own, reason, refused)
        else:
            done += _statuses(actor, own, reason, refused, now)
    settle(done, LineState.DONE, actor, reason, now)
    return refused


def _deaths(actor: Actor, lines: list[StatusLine], reason: str, refused: dict[int, str]) -> list[StatusLine]:
    done = []
    for line in lines:
        try:
            people.record_death(
                actor=actor, person_id=line.person_id, died_on=line.since, source=line.status_list.source_of(line.row),
                reason=reason,
            )  # fmt: skip
            done.append(line)
        except SangyuError as error:
            refused[line.pk] = str(error) or _("The person is not in your area any more.")
    return done


def _statuses(actor: Actor, lines: list[StatusLine], reason: str, refused: dict[int, str], now) -> list[StatusLine]:
    done = []
    kind = SPECS[lines[0].status_list.kind].fact
    by_day: dict = {}
    for line in lines:
        by_day.setdefault(line.since, []).append(line)
    for day, own in sorted(by_day.items()):
        stated = [
            (line.person_id, line.value if line.outcome == Outcome.NEW else None, line.status_list.source_of(line.row))
            for line in own
        ]
        reached = people.state_facts(
            actor=actor, kind=kind, stated=stated, valid_from=day, reason=reason or own[0].status_list.source_of(None),
            now=now,
        )  # fmt: skip
        for line in own:
            if line.person_id in reached:
                done.append(line)
            else:
                refused[line.pk] = _("The person has died, is restricted, or is not in your area any more.")
    return done


@service("statuslists.settle")
def dismiss(*, actor: Actor, ids: Sequence[int], reason: str, now: datetime | None = None) -> dict[int, str]:
    """Leave the register as it is for these lines, and say why ("forwarded to …"). Answers line → why it was refused."""
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    lines = locked_lines(ids)
    open_ones = [line for line in lines if line.state == LineState.OPEN]
    settle(open_ones, LineState.DISMISSED, actor, reason.strip(), now)
    refused = {line.pk: _("This line is settled already.") for line in lines if line not in open_ones}
    return refused | {pk: _("This line does not exist any more.") for pk in set(ids) - {line.pk for line in lines}}


@service("statuslists.settle")
def choose(*, actor: Actor, line_id: int, person_id: int, reason: str, now: datetime | None = None) -> StatusLine:
    """Settle a contradiction: the line is ``person_id``, one of its candidates, and its status begins.

    Raises Refused when it cannot begin, Invalid.
    """
    line = line_to_settle(line_id)
    if line.outcome != Outcome.CONFLICT or person_id not in line.candidates:
        raise Invalid({"person_id": [_("Choose one of the persons.")]})
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    line.person_id = person_id
    line.save(update_fields=["person"])
    _begin(actor, line, reason, now)
    return line


@service("statuslists.settle")
def register(
    *,
    actor: Actor,
    line_id: int,
    region_id: int,
    sex: str = "",
    address: str = "",
    reason: str = "",
    now: datetime | None = None,
) -> StatusLine:
    """Register whom the line is about as an elder of ``region_id``, and begin the status.

    Raises Refused for a line of another outcome or of deaths, Invalid, and what ``people.register`` raises.
    """
    line = line_to_settle(line_id)
    if line.outcome != Outcome.MISS or line.status_list.kind == ListKind.DEATH or line.code == "elsewhere":
        raise Refused(_("Only somebody whom nobody has registered can be registered."), code="statuslists.outcome")
    person = people.register(
        actor=actor, name=line.name, region_id=region_id, source=line.status_list.source_of(line.row), sex=line.sex or sex,
        birth_date=line.birth_date, id_number=line.id_number, phone=line.phone, address=address or line.address, now=now,
    )  # fmt: skip
    line.person_id, line.path = person.pk, person.path
    line.save(update_fields=["person", "path"])
    _begin(actor, line, reason or _("Registered by the list."), now)
    return line


def _begin(actor: Actor, line: StatusLine, reason: str, now: datetime | None) -> None:
    now = now or timezone.now()
    line.outcome = Outcome.NEW
    refused: dict[int, str] = {}
    if line.status_list.kind == ListKind.DEATH:
        done = _deaths(actor, [line], reason, refused)
    else:
        done = _statuses(actor, [line], reason, refused, now)
    if not done:
        raise Refused(refused[line.pk], code="statuslists.person")
    settle(done, LineState.DONE, actor, reason, now)
