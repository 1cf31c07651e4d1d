"""A watch as plain JSON values and back, so that any consumer can go on where another stopped (ADR 0024)."""

from datetime import datetime, timedelta

from .events import ACKNOWLEDGED, Event
from .machine import Alert, Watch, _Run
from .rules import Rule


def saved(watch: Watch) -> dict:
    """Everything that a watch knows except its rule: the settled base and the events since."""
    return {
        "horizon": watch.horizon.total_seconds(),
        "now": _text(watch._now),
        "settled": _text(watch._settled),
        "base": _run_out(watch._base),
        "events": [_event_out(e) for e in watch._events],
    }


def restored(rule: Rule, values: dict) -> Watch:
    """The watch of ``saved`` under ``rule``, which may be a newer version of it: the kept events are then judged by that."""
    watch = Watch(rule, timedelta(seconds=values["horizon"]))
    watch._base = _run_in(values["base"])
    watch._settled, watch._now = _moment(values["settled"]), _moment(values["now"])
    watch._events = [_event_in(e) for e in values["events"]]
    watch._keys = {e.key for e in watch._events}
    watch._last = watch._run(watch._base, watch._events)
    watch._result = watch._run(watch._last, [], watch._now)
    return watch


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _event_out(event: Event) -> list:
    value = _text(event.value) if event.kind == ACKNOWLEDGED else event.value
    return [_text(event.at), event.kind, event.name, list(value) if isinstance(value, tuple) else value]


def _event_in(values: list) -> Event:
    at, kind, name, value = values
    if kind == ACKNOWLEDGED:
        value = _moment(value)
    return Event(_moment(at), kind, name, tuple(value) if isinstance(value, list) else value)


def _alert_out(alert: Alert) -> list:
    return [_text(alert.raised_at), _text(alert.last), alert.count, _text(alert.cleared_at)]


def _alert_in(values: list) -> Alert:
    raised, last, count, cleared = values
    return Alert(_moment(raised), _moment(last), count, _moment(cleared))


def _run_out(run: _Run) -> dict:
    return {
        "since": _text(run.since),
        "bads": [_text(b) for b in run.bads],
        "good_since": _text(run.good_since),
        "open": _alert_out(run.open) if run.open else None,
        "closed": [_alert_out(a) for a in run.closed],
        "context": run.context,
    }


def _run_in(values: dict) -> _Run:
    return _Run(
        _moment(values["since"]), tuple(_moment(b) for b in values["bads"]), _moment(values["good_since"]),
        _alert_in(values["open"]) if values["open"] else None, [_alert_in(a) for a in values["closed"]], dict(values["context"]),
    )  # fmt: skip
