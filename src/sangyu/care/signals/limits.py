"""Personal limits and fences: dated facts of a person, set by whoever knows the person (R-090, R-091). Imported through ``services``."""

from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.engines.alarms import Rule
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible
from sangyu.kernel.events import emit
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people

from . import events, rulebooks
from .models import Fence, Limit

#: Metres.
LEAST_RADIUS, MOST_RADIUS = 50, 50_000


@service("signals.limits")
def set_limit(
    *, actor: Actor, person_id: int, rule: str, reason: str, low: float | None = None, high: float | None = None,
    minutes: int | None = None, off: bool = False, today: date | None = None,
) -> Limit:  # fmt: skip
    """From today on ``rule`` counts from other values for this person; what held before ends. Raises Invalid, NotVisible."""
    today = today or timezone.localdate()
    person = people.get_person(actor, person_id)
    if off:
        low = high = minutes = None
    errors = _wrong(rulebooks.rules_at(person.path).get(rule), off, low=low, high=high, minutes=minutes)
    if not reason.strip():
        errors["reason"] = [_("Say why.")]
    if errors:
        raise Invalid(errors)
    held = Limit.objects.select_for_update(of=("self",)).filter(person=person, rule=rule, valid_to__isnull=True).first()
    if held is not None:
        _end(held, today)
    if off:
        emit(events.UNWATCHED, path=person.path, person=person.pk, rule=rule)
    return Limit.objects.create(
        person=person, path=person.path, rule=rule, low=low, high=high, minutes=minutes, off=off, reason=reason.strip(),
        set_by=actor.name[:100], valid_from=today,
    )  # fmt: skip


def _wrong(rule: Rule | None, off: bool, **values: float | None) -> dict[str, list[str]]:
    own = rulebooks.settable(rule) if rule else frozenset()
    if not own:
        return {"rule": [_("There is no such rule, or it has no limits.")]}
    given = {name: value for name, value in values.items() if value is not None}
    errors = {name: [_("This rule has no such value.")] for name in given.keys() - own}
    if not given and not off:
        errors[sorted(own)[0]] = [_("Say from which value on, for how long, or that it is not watched.")]
    low, high = given.get("low", rule.low), given.get("high", rule.high)
    if not errors and low is not None and high is not None and low >= high:
        errors["high" if "high" in given else "low"] = [_("The upper limit must be above the lower one.")]
    if given.get("minutes", 1) < 1:
        errors["minutes"] = [_("At least a minute.")]
    return errors


@service("signals.limits")
def end_limit(*, actor: Actor, limit_id: int, today: date | None = None) -> None:
    """The common limit holds again from today on. Raises NotVisible."""
    _end(_locked(Limit, actor, limit_id), today or timezone.localdate())


@service("signals.limits")
def draw_fence(
    *, actor: Actor, person_id: int, name: str, latitude: float, longitude: float, radius: int, reason: str, inside: bool = True,
    today: date | None = None,
) -> Fence:  # fmt: skip
    """A circle in WGS-84 that the person should stay in (or out of) from today on. Raises Invalid, NotVisible."""
    person = people.get_person(actor, person_id)
    errors: dict[str, list[str]] = {}
    if not LEAST_RADIUS <= radius <= MOST_RADIUS:
        errors["radius"] = [_("From 50 metres to 50 kilometres.")]
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180) or (latitude, longitude) == (0, 0):
        errors["latitude"] = [_("This is no place.")]
    if not name.strip() or not reason.strip():
        errors["reason"] = [_("Give it a name and say why.")]
    if errors:
        raise Invalid(errors)
    return Fence.objects.create(
        person=person, path=person.path, name=name.strip(), latitude=latitude, longitude=longitude, radius=radius, inside=inside,
        reason=reason.strip(), set_by=actor.name[:100], valid_from=today or timezone.localdate(),
    )  # fmt: skip


@service("signals.limits")
def end_fence(*, actor: Actor, fence_id: int, today: date | None = None) -> None:
    """The fence holds no more from today on. Raises NotVisible."""
    fence = _locked(Fence, actor, fence_id)
    _end(fence, today or timezone.localdate())
    emit(events.UNWATCHED, path=fence.path, person=fence.person_id, rule=f"{rulebooks.FENCE}:{fence_id}")


def _locked(model, actor: Actor, pk: int):
    row = model.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=pk, valid_to__isnull=True).first()
    if row is None:
        raise NotVisible
    return row


def _end(row, today: date) -> None:
    """Ends today; what began today never held."""
    if row.valid_from >= today:
        row.delete()
    else:
        row.valid_to = today
        row.save(update_fields=["valid_to"])
