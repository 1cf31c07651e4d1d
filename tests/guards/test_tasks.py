"""Every task is thin: in a ``tasks.py``, keyword-only ids, one call of a service or kernel function (standing rule 10)."""

import ast
import inspect
import textwrap
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from procrastinate.contrib.django import app

#: What a task may be told: ids and the clock's timestamp; names of stored things where there is no id, with the reason.
IDS = ("_id", "_ids")
NAMES = {
    "kernel.handle_event": {"handler": "the name of a registered handler; the payload is in the event's row"},
    "kernel.remove_bytes": {"name": "the row is gone, its stored name is all that is left"},
}
MOST_LINES = 6


def declared() -> dict:
    """Our own tasks by name, with every ``tasks`` module imported."""
    for config in apps.get_app_configs():
        if config.name.startswith("sangyu.") and find_spec(f"{config.name}.tasks"):
            import_module(f"{config.name}.tasks")
    return {name: task for name, task in app.tasks.items() if task.func.__module__.startswith("sangyu.")}


def findings(tasks: dict, names: dict[str, dict[str, str]]) -> list[str]:
    """What is wrong with each task."""
    found = []
    for name, task in sorted(tasks.items()):
        function = inspect.unwrap(task.func)
        if function.__module__.rpartition(".")[2] != "tasks":
            found.append(f"{name} is declared in {function.__module__}")
        parameters = inspect.signature(function).parameters
        if list(parameters) != ["timestamp"]:
            found += [f"{name}({p}) is not keyword-only" for p, v in parameters.items() if v.kind is not v.KEYWORD_ONLY]
            found += [
                f"{name}({p}) is no id" for p in parameters if not p.endswith(IDS) and p not in names.get(name, {})
            ]
        found += [f"{name}: {problem}" for problem in body_problems(function)]
    return found


def body_problems(function) -> list[str]:
    """Logic or database access in a task's body."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    body = [s for s in tree.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    problems = ["calls no service"] if not any(isinstance(n, ast.Call) for s in body for n in ast.walk(s)) else []
    if len(body) > MOST_LINES:
        problems.append(f"{len(body)} statements")
    asks = [n for s in body for n in ast.walk(s) if isinstance(n, ast.Attribute) and n.attr in ("objects", "cursor")]
    return problems + (["asks the database itself"] if asks else [])


def stale(tasks: dict, names: dict[str, dict[str, str]]) -> list[str]:
    """Exceptions for tasks or parameters that are not there, or without a reason."""
    found = []
    for name, exceptions in names.items():
        known = inspect.signature(inspect.unwrap(tasks[name].func)).parameters if name in tasks else {}
        found += [f"{name}({p}) is stale" for p in exceptions if p not in known]
        found += [f"{name}({p}) has no reason" for p, why in exceptions.items() if len(why) < 10]
        found += [f"{name} is stale"] if name not in tasks or not exceptions else []
    return found


def test_every_task_is_thin():
    tasks = declared()
    assert len(tasks) >= 5
    assert findings(tasks, NAMES) == []
    assert stale(tasks, NAMES) == []


class Planted:
    """What procrastinate makes of a function, as far as the guard looks."""

    def __init__(self, func) -> None:
        self.func = func


def bad(order, *, note: str, order_id: int):
    from sangyu.care.orders.models import Order

    Order.objects.filter(pk=order_id).update(wishes=note)


def idle(*, order_id: int):
    """Does nothing."""


def test_the_guard_sees_violations():
    assert findings({"x": Planted(bad)}, {}) == [
        f"x is declared in {__name__}",
        "x(order) is not keyword-only",
        "x(order) is no id",
        "x(note) is no id",
        "x: asks the database itself",
    ]
    assert "x: calls no service" in findings({"x": Planted(idle)}, {})
    assert stale({"x": Planted(bad)}, {"x": {"note": "short", "gone": "a reason long enough"}, "y": {}}) == [
        "x(gone) is stale",
        "x(note) has no reason",
        "y is stale",
    ]
