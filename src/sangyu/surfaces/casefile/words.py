"""Words for what rooms store as codes: fields of a person, steps of an order, movements of a voucher."""

from django.utils.translation import gettext_lazy as _

from sangyu.registry.people.enums import Part

#: Column of the person's history → words. Columns that say nothing to a reader are not shown.
FIELDS = {
    "name": _("Name"),
    "sex": _("Sex"),
    "birth_date": _("Birth date"),
    "id_kind": _("Kind of ID document"),
    "id_number": _("ID number"),
    "phone": _("Phone"),
    "region_id": _("Area"),
    "household_id": _("Household"),
    "address": _("Address"),
    "registered_address": _("Registered address"),
    "latitude": _("Latitude"),
    "longitude": _("Longitude"),
    "ethnicity": _("Ethnic group"),
    "marriage": _("Marriage"),
    "education": _("Education"),
    "needs": _("Needs"),
    "photo_id": _("Photo"),
    "registered_on": _("Registered on"),
    "died_on": _("Died"),
    "checked_on": _("File checked"),
    "priority": _("Order of calling"),
    "relation": _("Relation"),
    "is_guardian": _("Guardian"),
    "is_carer": _("Main carer"),
    "lives_with": _("Lives in the same home"),
    "note": _("Note"),
    "account_id": _("Account"),
    "parts": _("What may be seen"),
    "witness": _("Witness"),
    "withdrawn_on": _("Withdrawn on"),
    "withdrawn_reason": _("Reason"),
}

#: Step of an order → (words, tone). The finer steps stand on the order's own page.
STEPS = {
    "request": (_("Need registered"), ""),
    "accept": (_("Visit accepted"), ""),
    "hand_back": (_("Visit handed back"), "acc"),
    "reschedule": (_("Time changed"), "acc"),
    "finish": (_("Visit finished"), "ok"),
    "confirm": (_("Visit confirmed"), "ok"),
    "report_no_show": (_("Nobody at home"), "bad"),
    "dispute": (_("Visit disputed"), "bad"),
    "resolve": (_("Dispute decided"), "acc"),
    "refund": (_("Refunded"), "acc"),
    "cancel": (_("Order cancelled"), "bad"),
}

#: Movement of a voucher's account → words.
MOVES = {
    "voucher.issue": _("Issued"),
    "voucher.reissue": _("Reissued"),
    "voucher.lapse": _("Lapsed"),
    "voucher.cancel": _("Cancelled"),
    "voucher.roll_over": _("Rolled over"),
}
SPENT, BACK, ISSUE_NUMBER = _("Spent"), _("Given back"), _("Issue no. %(n)s")


def move(kind: str, amount: int) -> str:
    """The words for a movement of ``amount`` fen (signed) on a voucher."""
    return str(MOVES.get(kind) or (SPENT if amount < 0 else BACK))


def reference(text: str) -> str:
    """What a movement refers to, for readers: the number of the order, else the number of the issue."""
    if text.startswith("issue:"):
        return str(ISSUE_NUMBER) % {"n": text.removeprefix("issue:")}
    return "" if ":" in text else text.partition("#")[0]


def part(value: str) -> str:
    """The words for a part of the file that a consent opens."""
    return str(Part(value).label) if value in Part.values else value
