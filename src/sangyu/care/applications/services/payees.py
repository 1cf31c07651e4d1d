"""The account that is paid into: proposed by one person, approved by another (X-03)."""

import re
from datetime import datetime

from django.db import transaction
from django.db.utils import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import log_read
from sangyu.kernel.crypto import blind_index
from sangyu.kernel.errors import BadValue, Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.identity import half_width
from sangyu.kernel.names import clean_name
from sangyu.kernel.scoping import as_system, say_why
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people

from .. import bodies, events
from ..enums import PayeeState
from ..models import PayeeAccount
from ..standing_models import NUMBER_PURPOSE


def account_number(written: str) -> str:
    """Digits of a bank account; a bank card (62…, 16 to 19 digits) must have its check digit. Raises BadValue."""
    number = re.sub(r"[\s-]", "", half_width(written))
    if not re.fullmatch(r"\d{8,32}", number):
        raise BadValue(_("An account number has 8 to 32 digits."), code="account.form")
    if number.startswith("62") and 16 <= len(number) <= 19 and not luhn(number):
        raise BadValue(_("A digit of the card number is wrong. Compare it with the card."), code="account.check")
    return number


def luhn(number: str) -> bool:
    """Whether the check digit of a card number fits (ISO/IEC 7812)."""
    digits = [int(d) for d in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0


@service("applications.payee_propose")
def propose_payee(
    *, actor: Actor, person_id: int, holder: str, number: str, bank: str, is_proxy: bool = False, relation: str = "",
    evidence_id: int | None = None, reason: str = "", now: datetime | None = None,
) -> PayeeAccount:  # fmt: skip
    """Name the account that is paid for the person. A proxy's needs the relation and a power of attorney.

    What is paid changes only when somebody else approves. Raises NotVisible, Invalid, Refused("applications.payee_open").
    """
    person = people.get_person(actor, person_id)
    number, errors = _read(number, bank)
    try:
        holder = clean_name(holder)
    except BadValue as bad:
        errors["holder"] = [bad.message]
    if is_proxy and not relation.strip():
        errors["relation"] = [_("Say how the holder is related to the elder.")]
    if is_proxy and evidence_id is None:
        errors["evidence"] = [_("A power of attorney is needed.")]
    if not is_proxy and not errors and holder != person.name:
        errors["holder"] = [_("The account is not the elder's: tick that it is somebody else's.")]
    if errors:
        raise Invalid(errors)
    return _propose(
        actor, now, number, bank, person=person, path=person.path, holder=holder, is_proxy=is_proxy, relation=relation.strip()[:30],
        evidence_id=evidence_id, reason=reason.strip()[:300],
    )  # fmt: skip


@service("applications.payee_propose")
def propose_body_payee(
    *, actor: Actor, body_kind: str, body_id: int, holder: str, number: str, bank: str, reason: str = "",
    now: datetime | None = None,
) -> PayeeAccount:  # fmt: skip
    """Name the account of a facility, organisation or worker: sealed, in use when somebody else of the bureau approves (X-03)."""
    body = bodies.acted_for(actor, body_kind, body_id)
    number, errors = _read(number, bank)
    if not holder.strip():
        errors["holder"] = [_("Please fill in.")]
    if errors:
        raise Invalid(errors)
    return _propose(
        actor, now, number, bank, **bodies.fields(body), holder=holder.strip()[:50], reason=reason.strip()[:300]
    )


def _read(number: str, bank: str) -> tuple[str, dict[str, list[str]]]:
    errors: dict[str, list[str]] = {}
    try:
        number = account_number(number)
    except BadValue as bad:
        errors["number"] = [bad.message]
    if not bank.strip():
        errors["bank"] = [_("Please fill in.")]
    return number, errors


def _propose(actor: Actor, now: datetime | None, number: str, bank: str, **values) -> PayeeAccount:
    row = PayeeAccount(
        number=number, number_index=blind_index(number, NUMBER_PURPOSE), bank=bank.strip()[:60],
        proposed_at=now or timezone.now(), proposed_by=actor.name[:100], proposer_id=actor.account_id, **values,
    )  # fmt: skip
    try:
        with transaction.atomic(), as_system("a relative writes a row of the region's queue"):
            row.save(force_insert=True)
    except IntegrityError as error:
        if "payee_one_proposed" in str(error):  # of the person, or of the body
            raise Refused(
                _("An account waits for approval already. Decide on it first."), code="applications.payee_open"
            ) from None
        raise
    return row


@service("applications.payee_approve")
def approve_payee(*, actor: Actor, payee_id: int, reason: str = "", now: datetime | None = None) -> PayeeAccount:
    """From now on payments go to this account; the one before is kept as replaced.

    Raises NotVisible, Refused("applications.four_eyes", "applications.payee_decided").
    """
    now = now or timezone.now()
    row = _to_decide(actor, payee_id)
    if reason.strip():
        say_why(reason)
    own = {"person_id": row.person_id} if row.person_id else {"body_kind": row.body_kind, "body_id": row.body_id}
    PayeeAccount.objects.filter(**own, state=PayeeState.ACTIVE).update(state=PayeeState.ENDED, ended_at=now)
    _decide(row, PayeeState.ACTIVE, actor, reason, now)
    emit(events.PAYEE_CHANGED, path=row.path, id=row.pk, person=row.person_id, body=[row.body_kind, row.body_id])
    return row


@service("applications.payee_approve")
def refuse_payee(*, actor: Actor, payee_id: int, reason: str, now: datetime | None = None) -> PayeeAccount:
    """Do not take the account; the one before stays. Raises NotVisible, Invalid, Refused."""
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    row = _to_decide(actor, payee_id)
    say_why(reason)
    return _decide(row, PayeeState.REFUSED, actor, reason, now or timezone.now())


def _to_decide(actor: Actor, payee_id: int) -> PayeeAccount:
    row = PayeeAccount.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=payee_id).first()
    if row is None:
        raise NotVisible
    if row.state != PayeeState.PROPOSED:
        raise Refused(_("This account was decided on already."), code="applications.payee_decided")
    own = row.proposer_id == actor.account_id if actor.account_id else row.proposed_by == actor.name
    if own:
        raise Refused(_("Somebody else must approve what you proposed."), code="applications.four_eyes")
    return row


def _decide(row: PayeeAccount, state: PayeeState, actor: Actor, reason: str, now: datetime) -> PayeeAccount:
    row.state, row.decided_at, row.decided_by, row.decider_id = state, now, actor.name[:100], actor.account_id
    row.reason = reason.strip()[:300] or row.reason
    row.save(update_fields=["state", "decided_at", "decided_by", "decider_id", "reason"])
    return row


@service("applications.payees")
def note_rejection(*, actor: Actor, payee_id: int, said: str) -> None:
    """Keep what the bank said when it sent a payment back; the desk sees it beside the account."""
    PayeeAccount.objects.filter(pk=payee_id).update(rejected_by_bank=said[:200])


@service("applications.payee_reveal")
def reveal_payee(*, actor: Actor, payee_id: int, purpose: str) -> str:
    """The whole number; the look is logged. Raises NotVisible."""
    row = PayeeAccount.objects.visible_to(actor).filter(pk=payee_id).first()
    if row is None:
        raise NotVisible
    log_read(actor=actor, what="account_number", objects=[row], purpose=purpose)
    return row.number
