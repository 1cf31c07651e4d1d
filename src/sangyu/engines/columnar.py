"""Polars and numpy, loaded when something of theirs is first asked for.

A process that never evaluates a policy starts half a second of work sooner and stays some fifty megabytes smaller. Modules that use
them take ``pl`` and ``np`` from here, keep no value of theirs at module level, and leave annotations unevaluated.
"""

from importlib import import_module
from typing import Any


class _Later:
    """Stands for the module ``name``; what was asked for once is kept."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # somebody only looks what this is
            raise AttributeError(name)
        found = getattr(import_module(self._name), name)
        setattr(self, name, found)
        return found


pl: Any = _Later("polars")
np: Any = _Later("numpy")
