"""Lists about people who are registered: their two columns, and who each row means."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _

from sangyu.kernel import identity
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Field, Row

from .matching import Brief, brief, find_matches, sought
from .restricting import restricted_among


def who_columns(today: date) -> tuple[Field, Field]:
    """Name and ID number, the first two columns of such a list."""
    return (
        Field("name", _("Name"), parsers.name, ("姓名", "老人姓名"), required=True, example="张三（示例）"),
        Field(
            "id_number", _("ID number"), parsers.id_number(today), ("身份证号", "身份证", "身份证号码", "证件号码", "公民身份号码"),
            required=True, mask=identity.mask_id_number, hint=_("Format the column as text."),
        ),
    )  # fmt: skip


def who_of(rows: Iterable[Row], *, alive: bool = True, named: bool = True) -> dict[int, Brief]:
    """Row number → the person of the actor's area with the row's ID number; rows that mean nobody are refused with the remedy, and so are
    those with another name (``named``), of the dead (``alive``) and of the restricted. A handful of queries. Call inside a scope."""
    rows = list(rows)
    matches, _elsewhere = find_matches(
        sought(r.number, number=r.values["id_number"], name=r.values["name"], birth_date=None) for r in rows
    )
    known = {n: m.person_id for n, found in matches.items() for m in found if m.by_id}
    people = brief(known.values())
    closed = restricted_among(people)
    found: dict[int, Brief] = {}
    for row in rows:
        one = people.get(known.get(row.number))
        if one is None:
            row.refuse("id_number", _("Nobody in your area has this ID number. Register the person first."), "unknown")
        elif named and one.name != row.values["name"]:
            words = _("The register has another name for this ID number: %(name)s.")
            row.refuse("name", words % {"name": one.name}, "disagrees")
        elif alive and one.died_on is not None:
            row.refuse("name", _("The person has died."), "dead")
        elif one.id in closed:
            row.refuse("name", _("The data of this person are kept for a statute only."), "restricted")
        else:
            found[row.number] = one
    return found
