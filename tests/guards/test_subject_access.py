"""Whoever asks what is held about a person gets all of it: no table with personal data is left out (PIPL 45, ADR 0018)."""

from django.apps import apps

from guards.test_personal_data import NOT_PERSONAL, personal_columns
from sangyu.kernel.database_objects import sangyu_models
from sangyu.kernel.subjects import ways
from sangyu.registry.privacy import rules
from sangyu.registry.privacy.held import PERSON, WITHHELD

#: Model → about whom its personal data are, when not about an elder.
OTHERS = {
    "importing.ImportProblem": "the report of one import, masked, gone after 30 days",
    "importing.HeldRow": "rows of one import that wait for a decision, gone with their batch",
    "ui.BulkRow": "the result of an act on a list, gone after its time; the row itself is in the list",
    "accounts.Account": "people who sign in; their own page shows it to them",
    "accounts.SecondFactor": "people who sign in: a sealed key",
    "accounts.IdentityLink": "people who sign in: their number at an identity provider",
    "accounts.ApiToken": "the name of a program",
    "accounts.TextMessage": "an outbox by sealed number, with the sign-in codes of accounts",
    "catalogue.ServiceItem": "the name of a service",
    "catalogue.Package": "the name of a package of services",
    "facilities.Facility": "places of care",
    "organisations.Organisation": "bodies that give services",
    "organisations.Contact": "contact people of organisations",
    "workforce.Worker": "care workers; their provider shows it to them",
    "vouchers.Programme": "the name of a voucher programme",
    "documents.ListLine": "the name of what a list of services grants",
    "policies.PolicyVersion": "the name of a policy",
    "benefits.Fund": "the name of a source of money",
}


def test_every_model_with_personal_data_has_a_way_to_the_person_or_a_reason():
    known, missing, used = ways(PERSON), [], set()
    for model in sangyu_models():
        label = model._meta.label
        columns = [c for c in personal_columns(model) if f"{model._meta.db_table}.{c}" not in NOT_PERSONAL]
        if not columns or label in known or getattr(model, "about", None) == "":
            continue
        used |= {label}
        missing += [] if label in OTHERS else [f"{label}: {', '.join(columns)}"]
    assert missing == []
    assert set(OTHERS) == used, "an exception is not needed any more"


def test_what_is_withheld_and_cleared_exists():
    known = ways(PERSON)
    assert {label for label in WITHHELD if label not in known} <= {"merging.Merge"}
    for label, rule in rules.retention().items():
        assert label in known
        model = apps.get_model(label)
        for name in rule.clear:
            field = model._meta.get_field(name)
            assert field.null or field.blank, f"{label}.{name} cannot be emptied"
        assert rule.keep
