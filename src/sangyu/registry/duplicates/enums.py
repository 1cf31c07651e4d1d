"""Words of the duplicates room."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    """What was decided about a pair."""

    OPEN = "open", pgettext_lazy("duplicates", "To review")
    LATER = "later", pgettext_lazy("duplicates", "Put off")
    DIFFERENT = "different", pgettext_lazy("duplicates", "Not the same")
    MERGED = "merged", pgettext_lazy("duplicates", "Merged")

    @property
    def tone(self) -> str:
        return {"open": "warn", "later": "mute", "different": "mute", "merged": "ok"}[self.value]


class PassKind(models.TextChoices):
    WHOLE = "whole", _("Whole register")
    FRESH = "fresh", _("New and changed files")


#: Finding → words: why two files may be one person, or not.
REASONS: dict[str, str] = {
    "name.same_rare": _("Same rare name"),
    "name.same": _("Same name"),
    "name.same_common": _("Same name, a common one"),
    "name.pinyin": _("Names sound the same"),
    "name.swapped": _("Characters of the name swapped"),
    "name.one": _("One character of the name differs"),
    "name.missing": _("One character of the name is missing"),
    "name.surname": _("Same surname, one other character"),
    "name.other": _("Other name"),
    "birth.same": _("Same birth date"),
    "birth.swapped": _("Month and day of birth swapped"),
    "birth.digit": _("One digit of the birth date differs"),
    "birth.year": _("Same year of birth"),
    "birth.other": _("Other birth date"),
    "sex.same": _("Same sex"),
    "sex.other": _("Other sex"),
    "phone.same": _("Same telephone"),
    "phone.tail": _("Last four of the telephone the same"),
    "phone.other": _("Other telephone"),
    "identity.other": _("Other ID number"),
    "area.community": _("Same community"),
    "area.street": _("Same street"),
    "area.county": _("Same county"),
    "area.other": _("Other county"),
    "address.same": _("Same address"),
    "address.alike": _("Similar address"),
    "address.other": _("Other address"),
    "twins.likely": _("Perhaps twins or siblings"),
}
