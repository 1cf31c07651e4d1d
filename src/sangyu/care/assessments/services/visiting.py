"""In the home: versions of the answers, signatures, the end of the visit. Sheets may arrive late and twice (X-05)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.engines.assessment import WrongAnswers, score
from sangyu.engines.assessment.scoring import check
from sangyu.kernel import files
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.services import service

from .. import events
from ..enums import Action, Informant, NeedKind, Special, State
from ..models import Assessment, Sheet
from ._shared import FLOW, hide_person, own_accounts, step

#: Fields of a signature and whose it is.
SIGNATURES = {"lead": "signed_lead", "second": "signed_second", "informant": "signed_informant"}


def _locked(actor: Actor, pk: int) -> Assessment:
    row = FLOW.lock(Assessment.objects.all(), pk)
    own = own_accounts(row)
    both = {a for a in (row.lead and row.lead.account_id, row.second and row.second.account_id) if a}
    if len(both) == 2 and actor.account_id not in own:
        raise Refused(_("Only the two assessors fill in the form."), code="assessments.not_assessor")
    return row


@service("assessments.assess")
def save_sheet(
    *,
    actor: Actor,
    assessment_id: int,
    answers: dict[str, str],
    findings: dict[str, Any] | None = None,
    special: list[str] | None = None,
    needs: list[str] | None = None,
    remark: str = "",
    informant: str = "",
    informant_name: str = "",
    base: int = 0,
    client_id: UUID | None = None,
    signatures: dict[str, bytes] | None = None,
    entered_at: datetime | None = None,
    now: datetime | None = None,
) -> Sheet:
    """Keep one version of the answers, as far as they go; complete ones are scored at once.

    ``base`` is the version the device began from. When another one has come since, both are kept and the assessment waits for
    ``choose_sheet``. The same ``client_id`` again answers the sheet that was made. ``needs`` in order of importance.
    Raises NotVisible, Invalid, Refused ("assessments.not_assessor", "assessments.not_open").
    """
    now = now or timezone.now()
    row = _locked(actor, assessment_id)
    if client_id is not None and (before := row.sheets.filter(client_id=client_id).first()):
        return before
    if row.state != State.ASSIGNED:
        raise Refused(_("The visit is over, or nobody was sent yet."), code="assessments.not_open")
    given = _checked(row, answers, findings or {}, special or [], needs or [], informant)
    instrument = row.version.instrument
    complete = len(given["answers"]) == len(instrument.items)
    result = score(instrument, given["answers"], given["findings"]).as_dict() if complete else None
    head = row.sheet
    number = (row.sheets.aggregate(n=Max("number"))["n"] or 0) + 1
    made = Sheet.objects.create(
        assessment=row, path=row.path, number=number, base=base, client_id=client_id,
        conflict=head is not None and base != head.number, complete=complete, result=result, informant=informant,
        remark=remark.strip()[:500], informant_name=informant_name.strip()[:50],
        entered_at=min(entered_at or now, now), received_at=now, account_id=actor.account_id, actor=actor.name, **given,
    )  # fmt: skip
    _sign(actor, made, head, signatures or {}, now)
    if made.conflict:
        emit(events.CONFLICT, path=row.path, id=row.pk, sheet=made.pk)
    else:
        row.sheet = made
        row.save(update_fields=["sheet"])
    return made


def _checked(row, answers, findings, special, needs, informant) -> dict[str, Any]:
    """What is kept of a form. Raises Invalid."""
    instrument = row.version.instrument
    errors: dict[str, list[str]] = {}
    kept = {str(k): str(v) for k, v in answers.items() if v not in ("", None)}
    try:
        check(instrument, kept, partial=True)
    except WrongAnswers as wrong:
        errors["answers"] = [_("No such answer: %(items)s.") % {"items": ", ".join(sorted(wrong.wrong))}]
    known, found = {f.code: f for f in instrument.findings}, {}
    for code, value in findings.items():
        finding = known.get(code)
        if finding is None or (finding.kind == "choice" and str(value) not in finding.choices):
            errors["findings"] = [_("No such finding: %(items)s.") % {"items": code}]
        elif finding.kind == "count":
            if str(value) not in "0123" or str(value) == "":
                errors["findings"] = [_("Counts go from 0 to 3 (three or more).")]
            elif int(value):
                found[code] = int(value)
        elif finding.kind == "tick":
            if value not in (False, "", "no", "0", None):
                found[code] = True
        else:
            found[code] = str(value)
    if set(special) - set(Special.values) or set(needs) - set(NeedKind.values):
        errors["needs"] = [_("Choose from the list.")]
    if informant and informant not in Informant.values:
        errors["informant"] = [_("Choose from the list.")]
    if errors:
        raise Invalid(errors)
    return {
        "answers": kept,
        "findings": found,
        "special": list(dict.fromkeys(special)),
        "needs": list(dict.fromkeys(needs)),
    }


def _sign(actor: Actor, made: Sheet, head: Sheet | None, given: dict[str, bytes], now: datetime) -> None:
    """Signatures belong to what was signed: a later version with other answers has none until it is signed again."""
    same = head is not None and head.answers == made.answers and head.findings == made.findings
    for key, field in SIGNATURES.items():
        if data := given.get(key):
            stored = files.save(
                actor, owner=made, title=f"{field}-{made.assessment_id}-{made.number}.png", content_type="image/png",
                data=data, now=now,
            )  # fmt: skip
            setattr(made, field, stored)
        elif same:
            setattr(made, field, getattr(head, field))
    made.save(update_fields=list(SIGNATURES.values()))


@service("assessments.assess")
def choose_sheet(*, actor: Actor, assessment_id: int, sheet_id: int, now: datetime | None = None) -> Sheet:
    """Of several versions that were entered apart, this one counts. The others stay. Raises NotVisible, Refused."""
    row = _locked(actor, assessment_id)
    chosen = row.sheets.filter(pk=sheet_id).first()
    if chosen is None:
        raise NotVisible
    if row.state != State.ASSIGNED:
        raise Refused(_("The visit is over, or nobody was sent yet."), code="assessments.not_open")
    row.sheets.filter(conflict=True, settled_at__isnull=True).update(
        settled_at=now or timezone.now(), settled_by=actor.name
    )
    row.sheet = chosen
    row.save(update_fields=["sheet"])
    return chosen


@service("assessments.assess")
def finish_visit(*, actor: Actor, assessment_id: int, now: datetime | None = None) -> Assessment:
    """Hand the complete, signed sheet in for the second look.

    Raises NotVisible, Refused ("assessments.conflict" | "assessments.incomplete" | "assessments.unsigned" | "workflow.edge").
    """
    row = _locked(actor, assessment_id)
    FLOW.require(row, Action.VISIT)
    if row.sheets.filter(conflict=True, settled_at__isnull=True).exists():
        raise Refused(_("Two versions of the answers differ. Choose one first."), code="assessments.conflict")
    sheet = row.sheet
    if sheet is None or not sheet.complete:
        raise Refused(_("Some items have no answer yet."), code="assessments.incomplete")
    wanted = ["lead"] + (["second"] if row.second_id else [])
    unsigned = [k for k in wanted if getattr(sheet, SIGNATURES[k] + "_id") is None]
    if unsigned or (sheet.signed_informant_id is None and not sheet.remark):
        raise Refused(
            _("Both assessors and the informant sign; say in the remark why the informant does not."),
            code="assessments.unsigned",
        )
    if not sheet.informant:
        raise Invalid({"informant": [_("Say who gave the information.")]})
    result = sheet.result
    done = step(
        actor, assessment_id, Action.VISIT, now, data={"sheet": sheet.pk},
        changes={"visited_account": actor.account_id, "level": result["level"], "level_name": result["level_name"]},
    )  # fmt: skip
    hide_person(done, done.body_id)
    return done
