"""Which fields of a person may be corrected on request, and how they are read and written down."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel.errors import Invalid
from sangyu.kernel.identity import mask_id_number, mask_phone


def _day(text: str) -> date:
    try:
        found = parse_date(text.strip())
    except ValueError:
        found = None
    if found is None:
        raise Invalid({"wanted": [_("Write the day as 1941-03-05.")]})
    return found


@dataclass(frozen=True)
class Correctable:
    """One field: its words, how the wanted text becomes a value, and how it is shown."""

    label: str
    read: Callable[[str], Any] = str.strip
    show: Callable[[str], str] = str


CORRECTABLE: dict[str, Correctable] = {
    "name": Correctable(gettext_lazy("Name")),
    "phone": Correctable(gettext_lazy("Phone"), show=mask_phone),
    "address": Correctable(gettext_lazy("Address")),
    "registered_address": Correctable(gettext_lazy("Registered address")),
    "birth_date": Correctable(gettext_lazy("Birth date"), read=_day),
    "id_number": Correctable(gettext_lazy("ID number"), show=mask_id_number),
}


def written(person: Any, field: str) -> str:
    """What stands in ``field`` now, as text."""
    value = getattr(person, field)
    return value.isoformat() if isinstance(value, date) else str(value or "")


def label_of(field: str) -> str:
    return str(CORRECTABLE[field].label) if field in CORRECTABLE else ""


def show(field: str, text: str) -> str:
    """``text`` of ``field`` as a screen shows it: numbers masked."""
    return CORRECTABLE[field].show(text) if field in CORRECTABLE and text else text
