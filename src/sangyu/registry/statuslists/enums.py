"""Kinds of status lists, and what a line of one may be (R-019)."""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

from sangyu.registry.people.enums import FACT_VALUES, FactKind, IncomeCategory, SpecialGroup


class ListKind(models.TextChoices):
    """What an authority's list says of the persons on it."""

    MINIMUM_LIVING = "minimum_living", _("Minimum living allowance")
    NEAR_MINIMUM = "near_minimum", _("Near the minimum")
    DESTITUTE = "destitute", _("Destitute persons")
    DISABILITY = "disability", _("Disabled persons")
    SPECIAL_GROUP = "special_group", _("Special-care persons")
    NEEDY_WORKER = "needy_worker", _("Needy workers")
    POVERTY_REGISTER = "poverty_register", _("Poverty register")
    LOST_ONLY_CHILD = "lost_only_child", _("Bereaved of the only child")
    DEATH = "death", _("Deaths")


class Outcome(models.TextChoices):
    """How a line compares with the register."""

    HIT = "hit", _("Agrees")
    NEW = "new", _("Status to begin")
    ENDED = "ended", _("Status to end")
    MISS = "miss", _("Not registered")
    CONFLICT = "conflict", _("Contradiction")


class LineState(models.TextChoices):
    OPEN = "open", _("To do")
    DONE = "done", _("Done")
    DISMISSED = "dismissed", _("Dismissed")


@dataclass(frozen=True)
class Spec:
    """The dated fact that a kind of list is about; ``default`` is the value of a line that says none."""

    fact: FactKind
    values: tuple[str, ...]
    default: str = ""


_YES = ("yes",)
#: Deaths are no fact: they have none here.
SPECS: dict[str, Spec] = {
    ListKind.MINIMUM_LIVING: Spec(
        FactKind.INCOME_CATEGORY, (IncomeCategory.MINIMUM_LIVING.value,), IncomeCategory.MINIMUM_LIVING.value
    ),
    ListKind.NEAR_MINIMUM: Spec(
        FactKind.INCOME_CATEGORY, (IncomeCategory.NEAR_MINIMUM.value,), IncomeCategory.NEAR_MINIMUM.value
    ),
    ListKind.DESTITUTE: Spec(
        FactKind.INCOME_CATEGORY,
        (IncomeCategory.DESTITUTE_HOME.value, IncomeCategory.DESTITUTE_CENTRAL.value),
        IncomeCategory.DESTITUTE_HOME.value,
    ),
    ListKind.DISABILITY: Spec(FactKind.DISABILITY, tuple(FACT_VALUES[FactKind.DISABILITY])),
    ListKind.SPECIAL_GROUP: Spec(
        FactKind.SPECIAL_GROUP, tuple(FACT_VALUES[FactKind.SPECIAL_GROUP]), SpecialGroup.OTHER.value
    ),
    ListKind.NEEDY_WORKER: Spec(FactKind.NEEDY_WORKER, _YES, "yes"),
    ListKind.POVERTY_REGISTER: Spec(FactKind.POVERTY_REGISTER, _YES, "yes"),
    ListKind.LOST_ONLY_CHILD: Spec(FactKind.LOST_ONLY_CHILD, _YES, "yes"),
}
