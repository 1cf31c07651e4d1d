"""Registry of consistency checks that ``sangyu check`` runs on the live database."""

from collections.abc import Callable

Check = Callable[..., list[str]]
#: name → function(cursor) that answers findings as sentences; none = pass.
CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Check], Check]:
    """Register ``f(cursor) -> list[str]`` under ``name`` ("ledger.sum_zero")."""

    def register(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return register


def run(cursor) -> dict[str, list[str]]:
    """Findings per check, in order of registration."""
    return {name: function(cursor) for name, function in CHECKS.items()}
