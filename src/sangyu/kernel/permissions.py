"""Permissions: each room names its own in ``permissions.py`` as ``PERMISSIONS = {"orders.dispatch": _("Dispatch orders")}``."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps


@cache
def all_permissions() -> dict[str, str]:
    """Every declared permission with its label, in app order."""
    found: dict[str, str] = {}
    for config in apps.get_app_configs():
        if config.name.startswith("sangyu.") and find_spec(f"{config.name}.permissions"):
            found.update(getattr(import_module(f"{config.name}.permissions"), "PERMISSIONS", {}))
    return found


def every_permission() -> frozenset[str]:
    """The names of all permissions; for tests and the role editor."""
    return frozenset(all_permissions())
