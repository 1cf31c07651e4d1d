"""Reading and checking the values of a person's fields; used by forms, services and imports alike."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from sangyu.kernel import identity
from sangyu.kernel.crypto import blind_index, tail_index
from sangyu.kernel.errors import BadValue, Invalid
from sangyu.kernel.names import clean_name, pinyin_of

ID_PURPOSE = "people.id_number"
#: One index purpose for elders and contacts, so that a caller's number finds both.
PHONE_PURPOSE = "people.phone"

#: Fields that say something about the elder's file being complete, with their weight in percent (R-015).
WEIGHTS = {
    "id_number": 15,
    "phone_or_contact": 15,
    "address": 10,
    "place": 5,
    "contact": 15,
    "household": 5,
    "living": 10,
    "income_category": 10,
    "care_level": 10,
    "needs": 5,
}


def id_columns(number: identity.IdNumber | None) -> dict[str, Any]:
    """Columns of Person for an identity number; None clears them."""
    if number is None:
        return {"id_number": "", "id_kind": "", "id_index": None, "id_tail": None}
    return {
        "id_number": number.number,
        "id_kind": str(number.kind),
        "id_index": blind_index(number.number, ID_PURPOSE),
        "id_tail": tail_index(number.number, ID_PURPOSE),
    }


def phone_columns(phone: str) -> dict[str, Any]:
    """Columns of Person or Contact for a telephone number in its one form; '' clears them."""
    digits = identity.phone_digits(phone)
    return {
        "phone": phone,
        "phone_index": blind_index(digits, PHONE_PURPOSE),
        "phone_tail": tail_index(digits, PHONE_PURPOSE),
    }


def name_columns(name: str) -> dict[str, str]:
    """Name with its pinyin and initials."""
    full, initials = pinyin_of(name)
    return {"name": name, "pinyin": full, "initials": initials}


def read_basic(values: Mapping[str, Any], *, today: date) -> dict[str, Any]:
    """Columns of Person from a form's or a caller's fields; only fields that are present. Raises Invalid per field.

    An identity number gives birth date and sex when they are missing, and must agree with them when they are there.
    """
    columns: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}

    def read(field, reader):
        if field in values:
            try:
                columns.update(reader(values[field]))
            except BadValue as bad:
                errors[field] = [bad.message]

    read("name", lambda v: name_columns(clean_name(v or "")))
    read("phone", lambda v: phone_columns(identity.parse_phone(v) if v else ""))
    number = None
    if values.get("id_number"):
        try:
            number = identity.parse_id_number(values["id_number"], today=today)
        except BadValue as bad:
            errors["id_number"] = [bad.message]
    if "id_number" in values and "id_number" not in errors:
        columns |= id_columns(number)
    plain = (
        "sex", "birth_date", "address", "registered_address", "latitude", "longitude", "ethnicity", "marriage",
        "education", "needs", "household_id", "photo_id", "registered_on",
    )  # fmt: skip
    columns |= {field: values[field] for field in plain if field in values}
    if number:
        for field, message in disagreements(columns, number).items():
            errors.setdefault(field, []).append(message)
    birth = columns.get("birth_date")
    if birth and (birth > today or identity.age_on(birth, today) > identity.OLDEST):
        errors.setdefault("birth_date", []).append(_("The birth date lies in the future or too far back."))
    if errors:
        raise Invalid(errors)
    return columns


def disagreements(columns: dict[str, Any], number: identity.IdNumber) -> dict[str, str]:
    """Fill birth date and sex in ``columns`` from ``number`` where missing; messages where they disagree."""
    wrong = {}
    if number.birth_date:
        given = columns.get("birth_date")
        if given and given != number.birth_date:
            wrong["birth_date"] = _("The ID number says %(day)s. Correct one of them.") % {"day": number.birth_date}
        columns["birth_date"] = given or number.birth_date
    if number.sex:
        given = columns.get("sex")
        if given in ("1", "2") and given != number.sex:
            wrong["sex"] = _("The ID number says otherwise (its 17th digit). Correct one of them.")
        columns["sex"] = given if given in ("1", "2") else number.sex
    return wrong


def completeness(columns: Mapping[str, Any], facts: set[str], contacts: int) -> int:
    """Score 0–100 of a file: which of what a care worker needs is known (R-015)."""
    known = {
        "id_number": bool(columns.get("id_number")),
        "phone_or_contact": bool(columns.get("phone")) or contacts > 0,
        "address": bool(columns.get("address")),
        "place": columns.get("latitude") is not None,
        "contact": contacts > 0,
        "household": columns.get("household_id") is not None,
        "needs": bool(columns.get("needs")),
        **{kind: kind in facts for kind in ("living", "income_category", "care_level")},
    }
    return sum(weight for item, weight in WEIGHTS.items() if known[item])
