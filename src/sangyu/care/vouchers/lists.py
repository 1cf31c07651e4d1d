"""Reading whom to issue to: citizen numbers from text or a workbook, matched against the register."""

import io
import re
from dataclasses import dataclass, field

from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid
from sangyu.kernel.identity import BadValue, mask_id_number, parse_id_number
from sangyu.registry.people import selectors as people

#: Longer lists come as an import of persons and "everybody who had the voucher before".
MOST = 2000
_NUMBER = re.compile(r"[0-9]{17}[0-9Xx]")


@dataclass
class Found:
    """Persons of a list, and the lines that name nobody (masked, with their place)."""

    person_ids: list[int] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def numbers_of_text(text: str) -> list[str]:
    """Citizen numbers in ``text``, in order."""
    return [n.upper() for n in _NUMBER.findall(text)]


def numbers_of_workbook(file) -> list[str]:
    """Citizen numbers anywhere in the first sheet. Raises Invalid for a file that is no workbook."""
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(file.read())).get_sheet_by_index(0)
    except (CalamineError, OSError) as error:
        raise Invalid({"file": [_("This file cannot be read. Save it as xlsx and try again.")]}) from error
    return [n for row in sheet.to_python() for cell in row if isinstance(cell, str) for n in numbers_of_text(cell)]


def find(actor: Actor, numbers: list[str]) -> Found:
    """The persons that the numbers name. Raises Invalid for too long a list."""
    if len(numbers) > MOST:
        raise Invalid({"people": [_("At most %(most)s numbers at a time.") % {"most": MOST}]})
    found = Found()
    for line, number in enumerate(numbers, start=1):
        try:
            ids = people.find_ids(actor, parse_id_number(number, today=localdate()).number)
        except BadValue:
            ids = []
        if len(ids) == 1:
            found.person_ids.append(ids[0])
        else:
            found.unknown.append(f"{line}: {mask_id_number(number)}")
    return found
