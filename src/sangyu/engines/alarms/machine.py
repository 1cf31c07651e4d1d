"""The state of one device under one rule. Events are kept sorted for a while and run again when a late one comes, so order and repetition do not matter."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .events import ACKNOWLEDGED, READING, Event
from .rules import Rule, Verdict

HORIZON = timedelta(hours=24)
MOST_EVENTS = 5_000


@dataclass(frozen=True)
class Alert:
    """``raised_at`` … ``cleared_at`` (None: still on), ``last`` bad event, how many of them."""

    raised_at: datetime
    last: datetime
    count: int
    cleared_at: datetime | None = None


@dataclass(frozen=True)
class Changes:
    """What became of alerts. ``withdrawn``: an event that came late shows that it was not so; never a latched one."""

    raised: tuple[Alert, ...] = ()
    changed: tuple[Alert, ...] = ()
    cleared: tuple[Alert, ...] = ()
    withdrawn: tuple[Alert, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.raised or self.changed or self.cleared or self.withdrawn)


@dataclass
class _Run:
    """Where a pass over the events stands."""

    since: datetime | None = None
    bads: tuple[datetime, ...] = ()
    good_since: datetime | None = None
    open: Alert | None = None
    closed: list[Alert] = field(default_factory=list)
    context: dict[str, float] = field(default_factory=dict)

    def copy(self) -> "_Run":
        return replace(self, closed=list(self.closed), context=dict(self.context))


class Watch:
    """One device and rule. Keeps the events of the last ``horizon`` (at most 5,000); what is older is settled, and what comes later still is ignored."""

    def __init__(self, rule: Rule, horizon: timedelta = HORIZON) -> None:
        self.rule, self.horizon = rule, horizon
        self._base, self._settled = _Run(), None  # where the events that are kept begin
        self._events: list[Event] = []
        self._keys: set[tuple] = set()
        self._last = _Run()  # behind the last event
        self._result = _Run()  # the same, the clock run to ``_now``
        self._now: datetime | None = None

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Those of the time that is kept, in order; the last may be on."""
        return (*self._result.closed, self._result.open) if self._result.open else tuple(self._result.closed)

    @property
    def kept(self) -> int:
        return len(self._events)

    @property
    def due(self) -> datetime | None:
        """When the clock alone will change something: a row to look at then."""
        run = self._result
        found = [self._ends(run) if run.open else self._begins(run)]
        return min((d for d in found if d), default=None)

    def quiet(self, now: datetime) -> bool:
        """Nothing is going on at ``now``: no alert, no bad stretch, no bad event that could still count. Such a watch need not be kept."""
        run = self._result
        lately = run.bads and now - run.bads[-1] <= self.rule.within
        return not (run.open or run.since or lately or self.due)

    def continues(self, event: Event, step: timedelta) -> bool:
        """Whether ``event`` only says once more that a stretch goes on which counts by its length, within ``step`` of the last event kept."""
        run, last = self._last, self._events[-1].at if self._events else None
        if not self.rule.lasting or run.since is None or last is None or not last <= event.at < last + step:
            return False
        return self.rule.verdict(event, run.context) is Verdict.BAD

    def apply(self, events: Iterable[Event], now: datetime) -> Changes:
        """Take events in, in any order and as often as they come; let the clock run to ``now`` (never back)."""
        fresh = {e.key: e for e in events if self._matters(e) and (self._settled is None or e.at > self._settled)}
        added = [fresh[key] for key in sorted(fresh.keys() - self._keys)]
        self._keys.update(fresh)
        before = self.alerts
        if not self._events or not added or added[0].key > self._events[-1].key:
            self._events += added
            self._last = self._run(self._last, added)
        else:
            self._events = sorted(self._events + added, key=lambda e: e.key)
            self._last = self._run(self._base, self._events)
        self._now = max(now, self._now or now)
        self._result = self._run(self._last, [], self._now)
        changes = _difference(before, self.alerts)
        self._settle()
        return changes

    def _matters(self, event: Event) -> bool:
        if event.kind == ACKNOWLEDGED:
            return self.rule.latch
        if event.kind == READING and event.name in self.rule.context:
            return True
        return self.rule.verdict(event, self.rule.context) is not None

    # -- one pass
    def _run(self, base: _Run, events: list[Event], now: datetime | None = None) -> _Run:
        run = base.copy()
        for event in events:
            self._clock(run, event.at)
            self._step(run, event)
        if now:
            self._clock(run, now)
        return run

    def _step(self, run: _Run, event: Event) -> None:
        rule = self.rule
        if event.kind == ACKNOWLEDGED:
            if run.open:
                self._close(run, max(event.value, run.open.last))
            return
        if event.kind == READING and event.name in rule.context:
            run.context[event.name] = event.value
            if not rule.holds(run.context):  # the stretch is broken; out of bed is also an end of lying still
                self._good(run, event.at) if rule.lasting else self._break(run)
        verdict = rule.verdict(event, run.context)
        if verdict is Verdict.GOOD:
            self._good(run, event.at)
        elif verdict is Verdict.BAD:
            self._bad(run, event.at)

    def _good(self, run: _Run, at: datetime) -> None:
        run.since = at if self.rule.silent else None
        if run.open and run.good_since is None:
            run.good_since = at
            self._clock(run, at)

    def _break(self, run: _Run) -> None:
        run.since, run.bads = None, ()

    def _bad(self, run: _Run, at: datetime) -> None:
        rule = self.rule
        run.good_since = None
        run.since = run.since or at
        run.bads = (*(b for b in run.bads if at - b <= rule.within), at)[-rule.times :]
        if run.open:
            run.open = replace(run.open, last=at, count=run.open.count + 1)
        elif not rule.lasting and len(run.bads) >= rule.times and at - run.since >= rule.stands:
            run.open = Alert(at, at, len(run.bads))

    def _clock(self, run: _Run, now: datetime) -> None:
        """What happens by itself up to ``now``: a stretch has lasted, an alert is over."""
        begins = self._begins(run)
        if begins and begins <= now:
            run.open = Alert(begins, begins, max(1, len(run.bads)))
        ends = self._ends(run)
        if ends and ends <= now:
            self._close(run, ends)

    def _begins(self, run: _Run) -> datetime | None:
        return self.rule.due(run.since) if run.since and not run.open else None

    def _ends(self, run: _Run) -> datetime | None:
        if not run.open or self.rule.latch:
            return None
        found = []
        if run.good_since is not None:
            found.append(run.good_since + self.rule.clear_after)
        if self.rule.hold:
            found.append(run.open.last + self.rule.hold)
        return min(found, default=None)

    def _close(self, run: _Run, at: datetime) -> None:
        run.closed.append(replace(run.open, cleared_at=at))
        run.open, run.good_since, run.bads = None, None, ()
        if not self.rule.silent:
            run.since = None

    # -- memory
    def _settle(self) -> None:
        """Events behind the horizon become the base; with too many events the horizon comes nearer."""
        if not self._events:
            return
        edge = self._events[-1].at - self.horizon
        if len(self._events) > MOST_EVENTS:
            edge = max(edge, self._events[-MOST_EVENTS // 2].at)
        split = bisect_right(self._events, edge, key=lambda e: e.at)
        if split <= len(self._events) // 8:  # not worth it yet
            return
        old, self._events = self._events[:split], self._events[split:]
        self._base = self._run(self._base, old)
        self._base.closed = [a for a in self._base.closed if a.cleared_at > edge - self.horizon]
        self._last.closed = [a for a in self._last.closed if a.cleared_at > edge - self.horizon]
        self._result.closed = [a for a in self._result.closed if a.cleared_at > edge - self.horizon]
        self._keys -= {e.key for e in old}
        self._settled = old[-1].at


def _difference(before: tuple[Alert, ...], after: tuple[Alert, ...]) -> Changes:
    """An alert is the same as before when their times touch; the first of several keeps the name."""
    raised, changed, cleared, left = [], [], [], list(before)
    for alert in after:
        old = next((o for o in left if _touch(o, alert)), None)
        if old is None:
            raised.append(alert)
            continue
        left.remove(old)
        if alert.cleared_at and not old.cleared_at:
            cleared.append(alert)
        elif alert != old:
            changed.append(alert)
    return Changes(tuple(raised), tuple(changed), tuple(cleared), tuple(left))


def _touch(a: Alert, b: Alert) -> bool:
    return (a.cleared_at is None or b.raised_at <= a.cleared_at) and (
        b.cleared_at is None or a.raised_at <= b.cleared_at
    )
