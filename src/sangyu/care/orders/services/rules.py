"""Fee rules and service rules: published, dated rows that a bureau sets without code (R-039, R-051 … R-053)."""

from datetime import date
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid
from sangyu.kernel.services import service
from sangyu.registry.catalogue.enums import FeeTier
from sangyu.registry.people.enums import FACT_VALUES, FactKind, fact_label

from ..models import FeeRule, ServiceRule

_KEYS = {"rank", "tier", "title", "basis", "min_age", "facts", "concession_percent", "vouchers_allowed", "rest_paid_by"}


@service("orders.rules")
def load_fee_rules(*, actor: Actor, region_id: int, path: str, file: Path, valid_from: date | None = None) -> int:
    """Publish the rules of a YAML ``file`` at a region from ``valid_from`` (default: the file's own date); returns
    how many.

    Rules in force there end on that day. Raises Invalid naming file, rule and remedy; then nothing has changed.
    """
    document = yaml.safe_load(file.read_text())
    errors = _faults(file.name, document)
    if errors:
        raise Invalid({"file": errors})
    start = valid_from or document["valid_from"]
    same_day = FeeRule.objects.filter(path=path, valid_from=start)
    same_day.delete()
    FeeRule.objects.filter(path=path, valid_from__lt=start, valid_to__isnull=True).update(valid_to=start)
    FeeRule.objects.bulk_create(
        FeeRule(region_id=region_id, path=path, valid_from=start, **rule) for rule in document["rules"]
    )
    return len(document["rules"])


def _faults(name: str, document: Any) -> list[str]:
    """What is wrong with a file of fee rules, in words."""
    if not isinstance(document, dict) or not isinstance(document.get("rules"), list) or "valid_from" not in document:
        return [_("%(file)s: expected the keys document, valid_from and rules.") % {"file": name}]
    found = []
    for number, rule in enumerate(document["rules"], start=1):
        where = _("%(file)s, rule %(number)s: ") % {"file": name, "number": number}
        unknown = set(rule) - _KEYS
        if unknown:
            found.append(where + _("unknown key %(key)s.") % {"key": ", ".join(sorted(unknown))})
        if rule.get("tier") not in FeeTier.values:
            found.append(where + _("tier must be one of %(known)s.") % {"known": ", ".join(FeeTier.values)})
        for kind, values in rule.get("facts", {}).items():
            if kind not in FACT_VALUES:
                found.append(where + _("unknown fact %(kind)s.") % {"kind": kind})
            elif wrong := [v for v in values if v and v not in FACT_VALUES[kind]]:
                found.append(
                    where + _("%(kind)s has no value %(values)s.") % {"kind": kind, "values": ", ".join(wrong)}
                )
        if not 0 <= rule.get("concession_percent", 0) <= 100:
            found.append(where + _("concession_percent must be between 0 and 100."))
    return found


@service("orders.rules")
def set_service_rule(*, actor: Actor, region_id: int, path: str, valid_from: date, **values: int) -> ServiceRule:
    """Set times and tolerances of a region from a day on. Raises Invalid for a value outside its range."""
    rule = ServiceRule.objects.filter(path=path, valid_from=valid_from).first() or ServiceRule(
        path=path, valid_from=valid_from
    )
    rule.region_id = region_id
    for name, value in values.items():
        setattr(rule, name, value)
    try:
        rule.full_clean(exclude=["region"])
    except ValidationError as error:
        raise Invalid(error.message_dict) from error
    rule.save()
    return rule


def condition_in_words(facts: dict[str, list[str]]) -> list[str]:
    """The facts of a rule as words: ["居住情况：独居、空巢"]; a missing fact reads as not recorded."""
    labels = dict(FactKind.choices)
    return [
        f"{labels.get(kind, kind)}：" + "、".join(fact_label(kind, v) if v else _("not recorded") for v in values)
        for kind, values in facts.items()
    ]
