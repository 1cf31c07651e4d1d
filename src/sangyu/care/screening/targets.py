"""Whom a campaign seeks: conditions on the register, each one of ``people.search`` (R-022)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import Ability, CareLevel, Sex, Tag
from sangyu.ui.models import SavedView

#: Conditions that a saved list of elders may bring along.
FROM_LIST = ("care_level", "tag", "ability", "sex", "age_from", "age_to", "completeness_below", "path")
ELDERS = "sangyu.registry.people.PersonList"


def saved_lists(actor: Actor) -> list[SavedView]:
    """The actor's saved lists of elders, and those shared with its role."""
    return list(SavedView.objects.offered_to(actor, ELDERS))


def of_list(actor: Actor, pk: int) -> dict[str, Any]:
    """The conditions of one of ``saved_lists``. Raises Invalid."""
    found = next((v for v in saved_lists(actor) if v.pk == pk), None)
    if found is None:
        raise Invalid({"saved": [_("Choose one of the options.")]})
    given = QueryDict(found.query)
    return {key: value for key in FROM_LIST if (value := given.get(key))}


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The conditions that say something, as they are kept. Raises Invalid."""
    kept: dict[str, Any] = {}
    for key in ("age_from", "age_to", "completeness_below"):
        if given.get(key) not in (None, ""):
            try:
                kept[key] = int(given[key])
            except (TypeError, ValueError):
                raise Invalid({key: [_("Write a whole number.")]}) from None
            if not 0 <= kept[key] <= 130:
                raise Invalid({key: [_("Write a number from 0 to 130.")]})
    tags = list(dict.fromkeys([*(given.get("tags") or []), *([given["tag"]] if given.get("tag") else [])]))
    for key, values, choices in (
        ("tags", tags, Tag.values),
        ("ability", [given["ability"]] if given.get("ability") else [], [*Ability.values, "any"]),
        ("care_level", [given["care_level"]] if given.get("care_level") else [], CareLevel.values),
        ("sex", [given["sex"]] if given.get("sex") else [], Sex.values),
    ):
        if set(values) - set(choices):
            raise Invalid({key: [_("Choose one of the options.")]})
        if values:
            kept[key] = values if key == "tags" else values[0]
    if kept.get("age_to", 130) < kept.get("age_from", 0):
        raise Invalid({"age_to": [_("The end lies before the beginning.")]})
    if given.get("path"):
        kept["path"] = str(given["path"])
    return kept


def elders(actor: Actor, path: str, conditions: Mapping[str, Any], day: date) -> QuerySet:
    """Living elders of the region ``path`` who fit on ``day``; not those whose data are restricted. Evaluate inside the scope."""
    narrower = conditions.get("path", "")
    given = {**conditions, "path": narrower if str(narrower).startswith(path) else path}
    registered = people.elders(actor, day, age=min(people.ELDER, int(conditions.get("age_from") or people.ELDER)))
    return people.narrow(registered, given, day)


def in_words(conditions: Mapping[str, Any]) -> list[str]:
    """The conditions as the officer reads them."""
    said = []
    if (low := conditions.get("age_from")) is not None:
        said.append(_("aged %(n)d and over") % {"n": low})
    if (high := conditions.get("age_to")) is not None:
        said.append(_("aged up to %(n)d") % {"n": high})
    said += (
        [_("any of: %(tags)s") % {"tags": "、".join(str(Tag(t).label) for t in conditions["tags"])}]
        if conditions.get("tags")
        else []
    )
    if ability := conditions.get("ability"):
        said.append(str(_("disabled or partly disabled") if ability == "any" else Ability(ability).label))
    if level := conditions.get("care_level"):
        said.append(str(CareLevel(level).label))
    if sex := conditions.get("sex"):
        said.append(str(Sex(sex).label))
    if (score := conditions.get("completeness_below")) is not None:
        said.append(_("file complete below %(n)d %%") % {"n": score})
    return said or [_("all elders of the area")]
