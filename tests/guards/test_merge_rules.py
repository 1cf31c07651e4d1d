"""Every column that points at a person says what a merge does with its rows (R-026, docs/adr/0013)."""

import re

import pytest
from django.contrib.postgres.constraints import ExclusionConstraint
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from sangyu.kernel.database_objects import sangyu_models
from sangyu.kernel.merging.rules import Facts, Move, Rule, Stay, rules_of
from sangyu.registry.people.models import Person

#: A number that names a person without a foreign key.
OPAQUE = re.compile(r"^(\w+_)?(person|elder|patient)_id$")
#: Opaque columns that hold persons under another name.
DECLARED = {("kernel.Share", "object_id"), ("kernel.StoredFile", "owner_id"), ("ledger.Account", "owner_id"),
            ("merging.Merge", "kept_id"), ("merging.Merge", "gone_id")}  # fmt: skip
#: table.column → why it needs no rule.
EXEMPT: dict[tuple[str, str], str] = {}


def pointers(all_models) -> set[tuple[str, str]]:
    found = set(DECLARED)
    for model in all_models:
        for field in model._meta.local_fields:
            points = isinstance(field, models.ForeignKey) and field.related_model is Person
            if points or (not field.is_relation and OPAQUE.match(field.name)):
                found.add((model._meta.label, field.name))
    return found


def findings(all_models, rules: tuple[Rule, ...]) -> list[str]:
    """Columns without a rule, rules without a column, and rules that a constraint of the table would break."""
    wanted, found = pointers(all_models) - set(EXEMPT), []
    ruled = {(r.model, r.column) for r in rules}
    found += [f"{label}.{column} has no merge rule" for label, column in sorted(wanted - ruled)]
    found += [f"the merge rule for {label}.{column} is stale" for label, column in sorted(ruled - wanted)]
    for rule in rules:
        try:
            model, column = rule.table(), rule.pointer()
        except (LookupError, FieldDoesNotExist):
            continue
        excluded = [
            c.name
            for c in model._meta.constraints
            if isinstance(c, ExclusionConstraint) and any(rule.column in str(e[0]) for e in c.expressions)
        ]
        if excluded and not isinstance(rule, Facts | Stay):
            found.append(f"{rule.model}.{rule.column}: {excluded[0]} needs a rule that looks at intervals")
        if isinstance(rule, Stay) and len(rule.why) < 10:
            found.append(f"{rule.model}.{rule.column} stays without a reason")
        assert column
    return found


def test_every_pointer_to_a_person_has_a_rule():
    assert findings(sangyu_models(), rules_of("people.Person")) == []


def test_the_guard_sees_what_is_missing_stale_and_wrong():
    rules = rules_of("people.Person")
    without = tuple(r for r in rules if r.model != "people.Contact")
    assert findings(sangyu_models(), without) == ["people.Contact.person has no merge rule"]
    assert findings(sangyu_models(), (*rules, Move("people.Household", "address"))) == [
        "the merge rule for people.Household.address is stale"
    ]
    wrong = tuple(Move(r.model, r.column) if isinstance(r, Facts) else r for r in rules)
    assert findings(sangyu_models(), wrong) == [
        "people.PersonFact.subject: person_fact_no_overlap needs a rule that looks at intervals"
    ]
    silent = (
        *(r for r in rules if r.model != "settlement.StatementLine"),
        Stay("settlement.StatementLine", "person_id", ""),
    )
    assert findings(sangyu_models(), silent) == ["settlement.StatementLine.person_id stays without a reason"]


@pytest.mark.parametrize("name", ["person_id", "from_person_id", "elder_id"])
def test_opaque_names(name):
    assert OPAQUE.match(name)
