"""Short messages through one port. Adapters are named in ``SANGYU_SMS``; the demo's keeps messages in a table and
sends none."""

from collections.abc import Callable
from importlib import import_module

from django.conf import settings

from .enums import MessageState
from .models import TextMessage

#: An adapter sends ``text`` to ``number`` and returns "" or why it failed.
Adapter = Callable[[str, str], str]


def send(*, number: str, template: str, text: str, path: str) -> TextMessage:
    """Hand ``text`` to the adapter and keep what became of it in the outbox of the region ``path``."""
    adapter = _adapter()
    error = adapter(number, text) if adapter else ""
    state = MessageState.KEPT if adapter is None else MessageState.FAILED if error else MessageState.SENT
    return TextMessage.objects.create(
        path=path, to=number, template=template, text=text, state=state, error=error[:200]
    )


def _adapter() -> Adapter | None:
    name = getattr(settings, "SANGYU_SMS", "")
    if not name:
        return None
    module, _dot, function = name.rpartition(".")
    return getattr(import_module(module), function)
