"""Work in somebody's hands moves when the person leaves (X-07): each such table has a rule of its room."""

from importlib import import_module
from importlib.util import find_spec

import pytest
from django.apps import apps

from sangyu.kernel.database_objects import sangyu_models
from sangyu.kernel.handover import Holder, rules

#: Keys to an account that are not work in its hands.
NOT_WORK = {
    "people.Contact.account": "the relative's own sign-in",
    "emergencies.Party.account": "who was asked to go: minutes later it has an answer, or the next is asked",
    "emergencies.Notice.account": "to whom a message went",
}


def assignee_keys() -> dict[str, str]:
    """ "app.Model.field" → module of the room, for each foreign key to an account outside the accounts room itself."""
    account = apps.get_model("accounts.Account")
    return {
        f"{m._meta.label}.{f.name}": m._meta.app_config.name
        for m in sangyu_models()
        if m._meta.app_label != "accounts"
        for f in m._meta.concrete_fields
        if f.is_relation and f.related_model is account
    }


def test_each_table_with_an_assignee_has_a_rule_or_a_reason():
    keys = assignee_keys()
    assert NOT_WORK.keys() <= keys.keys(), "a reason that is not needed any more"
    missing = [
        key
        for key, room in keys.items()
        if key not in NOT_WORK
        and not (find_spec(f"{room}.handover") and key.split(".")[1] in vars(import_module(f"{room}.handover")))
    ]
    assert missing == []


@pytest.mark.django_db
def test_the_rules_have_names_of_their_own_and_ask_nothing_of_who_holds_nothing():
    names = [r.name for r in rules()]
    assert len(set(names)) == len(names)
    assert {r.name: r.open_of(Holder(-1, "nobody")) for r in rules()} == {n: [] for n in names}
