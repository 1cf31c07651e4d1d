"""Personal limits and fences as a person reads them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.engines.alarms import Rule
from sangyu.engines.codecs.kinds import UNITS, ReadingKind

from .models import Fence, Limit
from .rulebooks import rules_at, settable


@dataclass(frozen=True, slots=True)
class Line:
    """One limit or fence: what it is called, what it says, what else would hold, who set it and why, since and until when."""

    pk: int
    title: str
    says: str
    common: str
    reason: str
    set_by: str
    since: date
    until: date | None
    set_at: datetime
    fence: bool = False

    @property
    def holds(self) -> bool:
        return self.until is None or self.until > timezone.localdate()


def limit_line(limit: Limit) -> Line:
    rule = rules_at(limit.path).get(limit.rule)
    lasting = timedelta(minutes=limit.minutes) if limit.minutes else None
    says = _("Do not watch") if limit.off else _values(rule, limit.low, limit.high, lasting)
    return Line(
        limit.pk, rule.name if rule else limit.rule, says, common(rule) if rule else "", limit.reason, limit.set_by,
        limit.valid_from, limit.valid_to, limit.set_at,
    )  # fmt: skip


def fence_line(fence: Fence) -> Line:
    says = _("Stay within %(n)s metres") if fence.inside else _("Stay out of %(n)s metres")
    return Line(
        fence.pk, fence.name, says % {"n": fence.radius}, "", fence.reason, fence.set_by, fence.valid_from, fence.valid_to,
        fence.set_at, fence=True,
    )  # fmt: skip


def common(rule: Rule) -> str:
    """What holds for everybody."""
    own = settable(rule)
    return _values(
        rule, rule.low if "low" in own else None, rule.high if "high" in own else None, rule.lasting if "minutes" in own else None
    )  # fmt: skip


def _values(rule: Rule | None, low: float | None, high: float | None, lasting: timedelta | None) -> str:
    units = {UNITS.get(ReadingKind(name), "") for name in rule.readings} if rule else set()
    unit = f" {units.pop()}" if len(units) == 1 else ""
    parts = []
    if low is not None:
        parts.append(_("not below %(value)s") % {"value": f"{low:g}{unit}"})
    if high is not None:
        parts.append(_("not above %(value)s") % {"value": f"{high:g}{unit}"})
    if lasting:
        parts.append(_("longer than %(n)d minutes") % {"n": lasting // timedelta(minutes=1)})
    return "，".join(parts)
