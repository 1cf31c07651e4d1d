"""Stop and resume what a person gets; its form (R-049)."""

from datetime import date, datetime

from django.db import transaction
from django.db.utils import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.scoping import say_why
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people

from .. import bodies, events, offers
from ..enums import Form, HoldReason
from ..models import Delivery, Hold


@service("applications.hold")
def hold(
    *, actor: Actor, person_id: int, kind: str, reason: str, valid_from: date, policy_code: str = "",
    valid_to: date | None = None, now: datetime | None = None,
) -> Hold:  # fmt: skip
    """Stop what the policy (or, with "", every policy) gives the person from ``valid_from`` until it is resumed.

    Raises NotVisible, Invalid, Refused: "applications.unknown", "applications.held" (it is stopped then already).
    """
    person = people.get_person(actor, person_id)
    _hold_checked(kind, reason, valid_from, valid_to)
    offer = offers.offer(person.path, policy_code, valid_from) if policy_code else None
    return _hold(
        actor, offer, policy_code, now, kind=kind, reason=reason, valid_from=valid_from, valid_to=valid_to, person=person,
        path=person.path,
    )  # fmt: skip


@service("applications.hold")
def hold_body(
    *, actor: Actor, body_kind: str, body_id: int, kind: str, reason: str, valid_from: date, policy_code: str = "",
    valid_to: date | None = None, now: datetime | None = None,
) -> Hold:  # fmt: skip
    """Stop what a facility, an organisation or a worker of the actor's area is given. Raises as ``hold``."""
    body = bodies.acted_for(actor, body_kind, body_id)
    _hold_checked(kind, reason, valid_from, valid_to)
    offer = next((o for o in bodies.concerned(body, valid_from) if o.code == policy_code), None)
    return _hold(
        actor, offer, policy_code, now, kind=kind, reason=reason, valid_from=valid_from, valid_to=valid_to,
        **bodies.fields(body),
    )  # fmt: skip


def _hold_checked(kind: str, reason: str, valid_from: date, valid_to: date | None) -> None:
    if kind not in HoldReason.values:
        raise Invalid({"kind": [_("Choose one of the options.")]})
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid({"valid_to": [_("The end must be after the start.")]})


def _hold(actor: Actor, offer: offers.Offer | None, code: str, now: datetime | None, *, reason: str, **values) -> Hold:
    if code and offer is None:
        raise Refused(_("There is no such policy in this area on that day."), code="applications.unknown")
    say_why(reason)
    try:
        with transaction.atomic():
            made = Hold.objects.create(
                **values, policy_code=code, policy_name=offer.name if offer else "", reason=reason.strip()[:300],
                made_at=now or timezone.now(), actor=actor.name[:100],
            )  # fmt: skip
    except IntegrityError as error:
        if "no_overlap" in str(error):  # of the person, or of the body
            raise Refused(_("It is stopped on these days already."), code="applications.held") from None
        raise
    _tell(events.HELD, made, made.valid_from)
    return made


def _tell(event: str, row: Hold, on: date) -> None:
    emit(
        event, path=row.path, id=row.pk, person=row.person_id, body=[row.body_kind, row.body_id], policy=row.policy_code,
        on=on.isoformat(),
    )  # fmt: skip


@service("applications.hold")
def resume(*, actor: Actor, hold_id: int, on: date, reason: str) -> Hold:
    """Go on from ``on``. At or before its start the hold never was: it is removed. Raises NotVisible, Invalid, Refused."""
    row = Hold.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=hold_id).first()
    if row is None:
        raise NotVisible
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    if row.valid_to is not None and on >= row.valid_to:
        raise Refused(_("It is resumed earlier already."), code="applications.resumed")
    say_why(reason)
    _tell(events.RESUMED, row, on)
    if on <= row.valid_from:
        row.delete()
        return row
    row.valid_to, row.resumed_because = on, reason.strip()[:300]
    row.save(update_fields=["valid_to", "resumed_because"])
    return row


@service("applications.hold")
def set_delivery(
    *, actor: Actor, person_id: int, policy_code: str, form: str, valid_from: date, source: str
) -> Delivery:
    """Give what the policy gives in ``form`` from the first of a month on, until another form is set (R-049).

    Raises NotVisible, Invalid (form, not the first of a month), Refused: "applications.unknown", "applications.form" (the policy
    cannot be given so), "applications.same_form".
    """
    person = people.get_person(actor, person_id)
    if form not in Form.values:
        raise Invalid({"form": [_("Choose one of the options.")]})
    if valid_from.day != 1:
        raise Invalid({"valid_from": [_("A form holds from the first day of a month.")]})
    offer = offers.offer(person.path, policy_code, valid_from)
    if offer is None:
        raise Refused(_("There is no such policy in this area on that day."), code="applications.unknown")
    if form not in offer.forms:
        raise Refused(
            _("“%(name)s” cannot be given as %(form)s.") % {"name": offer.name, "form": Form(form).label.lower()},
            code="applications.form",
        )
    rows = Delivery.objects.select_for_update(of=("self",)).filter(person=person, policy_code=policy_code)
    open_one = rows.filter(valid_to__isnull=True).first()
    if open_one and open_one.form == form:
        raise Refused(_("It is given in this form already."), code="applications.same_form")
    if open_one and open_one.valid_from >= valid_from:
        open_one.delete()
    elif open_one:
        open_one.valid_to = valid_from
        open_one.save(update_fields=["valid_to"])
    say_why(source)
    return Delivery.objects.create(
        person=person, path=person.path, policy_code=policy_code, policy_name=offer.name, form=form,
        valid_from=valid_from, source=source.strip()[:100],
    )  # fmt: skip
