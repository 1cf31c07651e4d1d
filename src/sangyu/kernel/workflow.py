"""A process is a table of transitions with one locked ``apply()`` (design rule 6, docs/adr/0005-workflow.md)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from .actor import Actor
from .errors import NotVisible, Refused
from .events import emit
from .scoping import as_system, say_why

#: A guard gets the locked row and the keyword arguments of apply(); it raises Refused or Invalid, or returns None.
Guard = Callable[..., None]


class TransitionLog(models.Model):
    """Base of a room's trail table: one row per applied transition. The room adds its foreign key and ``scope =
    Via(...)``.
    """

    action = models.CharField(max_length=40)
    source = models.CharField(max_length=40)
    target = models.CharField(max_length=40)
    at = models.DateTimeField()
    account_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=100)
    reason = models.CharField(max_length=500, blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        abstract = True
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.action}: {self.source} → {self.target}"


@dataclass(frozen=True)
class Workflow:
    """The graph of one process.

    ``edges`` are (action, source, target); ``stamps`` name the date field that entering a state fills; ``guards`` are
    asked per action; ``log`` is the room's TransitionLog model and ``log_fk`` its foreign key to the row. The event
    emitted is ``{name}.{target}`` with payload {"id", "action"} plus ``data``.
    """

    name: str
    edges: tuple[tuple[StrEnum, StrEnum, StrEnum], ...]
    log: Callable[[], type[TransitionLog]]
    log_fk: str
    stamps: dict[StrEnum, str] = field(default_factory=dict)
    guards: dict[StrEnum, tuple[Guard, ...]] = field(default_factory=dict)
    state_field: str = "state"
    #: Who besides staff hears of a change at once: row → ["worker:7", "family:5"]; asked before and after the change.
    hears: Callable[[models.Model], list[str]] | None = None

    def target(self, action: StrEnum, source: str) -> StrEnum | None:
        """Where ``action`` leads from ``source``; None when the graph has no such edge."""
        return next((t for a, s, t in self.edges if a == action and s == source), None)

    def actions_from(self, source: str) -> list[StrEnum]:
        """Actions that the graph allows in ``source``, in table order without repeats."""
        return list(dict.fromkeys(a for a, s, _t in self.edges if s == source))

    def lock(self, queryset: models.QuerySet, pk: int) -> models.Model:
        """The row as the open scope sees it, locked to the end of the transaction; raises NotVisible."""
        row = queryset.select_for_update(of=("self",)).filter(pk=pk).first()
        if row is None:
            raise NotVisible
        return row

    def require(self, row: models.Model, action: StrEnum) -> StrEnum:
        """Where ``action`` leads ``row``; raises Refused("workflow.edge") when the graph has no such edge."""
        target = self.target(action, getattr(row, self.state_field))
        if target is None:
            raise Refused(
                _("“%(action)s” is not possible in the state “%(state)s”.")
                % {"action": getattr(action, "label", action), "state": _label(row, self.state_field)},
                code="workflow.edge",
            )
        return target

    def begin(
        self, *, actor: Actor, row: models.Model, action: str, now: datetime, then: Iterable[StrEnum] = ()
    ) -> models.Model:
        """Insert a new row with its trail: ``action`` made it, and the steps ``then`` of the graph followed in the same
        breath (a desk receives what it has just registered). Dates of the last state are the caller's.
        """
        made = getattr(row, self.state_field)
        steps = [(action, "", made)]
        for step in then:
            target = self.target(step, steps[-1][2])
            if target is None:
                raise ValueError(f"{self.name}: {step} does not lead from {steps[-1][2]}")
            steps.append((step, steps[-1][2], target))
        setattr(row, self.state_field, steps[-1][2])
        with as_system("whoever asks, the row is stored in the region's queue"):
            row.save(force_insert=True)
            self.log().objects.bulk_create(self.entry(row, actor, now, *step) for step in steps)
            for step, source, target in steps:
                emit(f"{self.name}.{target}", path=row.path, id=row.pk, **({"action": str(step)} if source else {}))
        return row

    def apply(
        self,
        *,
        actor: Actor,
        queryset: models.QuerySet,
        pk: int,
        action: StrEnum,
        row: models.Model | None = None,
        now: datetime | None = None,
        reason: str = "",
        changes: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        expect: str | None = None,
        **guard_args: Any,
    ) -> models.Model:
        """Lock the row as ``actor`` sees it, check edge and guards, save state, stamp and ``changes``, write trail
        and event.

        Must run inside ``scope(actor)``. ``row`` is what ``lock`` answered, when the caller had to look first.
        ``expect`` is the state the caller's page showed: another one is a conflict.
        Raises NotVisible, Refused("workflow.edge" | "workflow.stale") or whatever a guard raises; then nothing has
        changed.
        """
        now = now or timezone.now()
        if row is None:
            row = self.lock(queryset, pk)
        source = getattr(row, self.state_field)
        if expect is not None and expect != source:
            raise Refused(
                _("Somebody else changed this in the meantime. Reload to see the current state."), code="workflow.stale"
            )
        target = self.require(row, action)
        for guard in self.guards.get(action, ()):
            guard(row, actor=actor, now=now, reason=reason, **guard_args)
        hearers = set(self.hears(row)) if self.hears else set()
        touched = {self.state_field: target, **(changes or {})}
        if target in self.stamps:
            touched.setdefault(self.stamps[target], now)
        for name, value in touched.items():
            setattr(row, name, value)
        if reason:
            say_why(reason)
        with as_system("a transition may hand the row to somebody else"):
            row.save(update_fields=list(touched))
            self.entry(row, actor, now, action, source, target, reason=reason, data=data or {}).save()
            if self.hears:
                hearers.update(self.hears(row))
            to = {"to": sorted(hearers)} if hearers else {}
            emit(f"{self.name}.{target}", path=row.path, id=row.pk, action=str(action), **(data or {}), **to)
        return row

    def entry(
        self, row: models.Model, actor: Actor, at: datetime, action: str, source: str, target: str, **more: Any
    ) -> "TransitionLog":
        """A line of the trail, not saved: ``actor`` led ``row`` from ``source`` to ``target`` by ``action``."""
        who = {"account_id": actor.account_id, "actor": actor.name}
        return self.log()(**{self.log_fk: row}, action=action, source=source, target=target, at=at, **who, **more)


def _label(row: models.Model, name: str) -> str:
    display = getattr(row, f"get_{name}_display", None)
    return str(display()) if display else str(getattr(row, name))


def stamp_constraints(
    name: str, required: dict[str, Iterable[str]], state_field: str = "state"
) -> list[models.CheckConstraint]:
    """Check constraints that tie dates to states: each field in ``required`` is set exactly in the named states.

    >>> stamp_constraints("order", {"accepted_at": [State.ACCEPTED, State.DONE]})
    """
    constraints = []
    for stamp, states in required.items():
        inside = Q(**{f"{state_field}__in": [str(s) for s in states]})
        is_set = Q(**{f"{stamp}__isnull": False})
        constraints.append(
            models.CheckConstraint(condition=(inside & is_set) | (~inside & ~is_set), name=f"{name}_{stamp}_fits_state")
        )
    return constraints
