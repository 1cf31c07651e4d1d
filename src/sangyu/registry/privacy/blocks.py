"""What stands against deleting a person's data: work and money that still run. Each room says its own in
``erasing.py`` as ``blocks = [function(person_id) → words or ""]``, called as_system.
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps


@cache
def _blocks() -> tuple:
    found: list = []
    for config in apps.get_app_configs():
        if config.name.startswith("sangyu.") and find_spec(f"{config.name}.erasing"):
            found += import_module(f"{config.name}.erasing").blocks
    return tuple(found)


def reasons_against(person_id: int) -> list[str]:
    """In words, what must end first."""
    return [said for block in _blocks() if (said := block(person_id))]
