"""Tables with personal data: seen by scope, kept with their history, numbers encrypted (design rule 1, standards §6.4)."""

import re

import pytest
from django.db import connection, models

from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField
from sangyu.kernel.database_objects import sangyu_models
from sangyu.kernel.scoping import Open, Scope

#: A column with such a name says something about a human being …
PERSONAL = re.compile(
    r"^(name|person_name|phone|mobile|id_number|address|registered_address|latitude|longitude|birth_date|"
    r"person_masked|signed_by|requested_by|confirmed_by|done_by)$"
)
#: … and these must never be stored in the clear.
SEALED = re.compile(r"^(id_number|mobile|phone)$")
#: table.column → what it is instead.
NOT_PERSONAL = {
    "kernel_event.name": "the name of a kind of event",
    "assessments_instrumentversion.name": "the name of a published scale",
    "screening_sheetversion.name": "the name of a published question sheet",
    "kernel_sequence.name": "the name of a number series",
    "kernel_calendarday.name": "the name of a public holiday",
    "kernel_storedfile.name": "a random name in the file store; the title is scoped with the file",
    "ui_savedview.name": "the words under which a list's settings are kept",
    "regions_region.name": "an administrative division",
    "regions_region.latitude": "the middle of an administrative division",
    "regions_region.longitude": "the middle of an administrative division",
    "regions_regioncode.name": "an administrative division",
    "regions_regionname.name": "an administrative division",
}
#: table → why it keeps no history of changes.
NO_HISTORY = {
    "ui_bulkrow": "the result of one act on many rows, written once; removed with its run",
    "importing_importproblem": "the report of one import, written once; removed with its batch",
    "accounts_secondfactor": "a sealed key, set up and removed as a whole; the log of the door says when",
    "accounts_textmessage": "an outbox: a row is written once, then only marked as sent",
    "emergencies_alarm": "rows are added and never changed",
    "signals_reading": "written once as measured, never changed, removed by the day",
    "signals_last": "where a device stands now, written with every message; the readings are its history",
    "settlement_statementline": "written with its statement and frozen; the names in it are masked",
}
#: table.column → why it is in the clear.
IN_THE_CLEAR = {
    "organisations_organisation.phone": "the number an organisation publishes (R-180)",
    "organisations_contact.phone": "the business number of an organisation's contact; a table of its own, not published",
}


def personal_columns(model) -> list[str]:
    """Columns of ``model`` that may hold personal data, by field class and name."""
    named = [f.name for f in model._meta.concrete_fields if PERSONAL.match(f.name) and not f.is_relation]
    sealed = [f.name for f in model._meta.concrete_fields if isinstance(f, EncryptedTextField)]
    return sorted({*named, *sealed})


def findings(all_models, not_personal, no_history, in_the_clear) -> list[str]:
    """What is wrong; an exception that is not needed any more is wrong too."""
    found, used = [], set()
    for model in all_models:
        table = model._meta.db_table
        columns = personal_columns(model)
        used |= {f"{table}.{c}" for c in columns} & set(not_personal)
        columns = [c for c in columns if f"{table}.{c}" not in not_personal]
        if not columns:
            continue
        if not isinstance(getattr(model, "scope", None), Scope):
            found.append(f"{table} has {', '.join(columns)} and no scope")
        if not isinstance(getattr(model, "history", None), History):
            found += [] if table in no_history else [f"{table} has {', '.join(columns)} and no history"]
            used |= {table} & set(no_history)
        for name in columns:
            if SEALED.match(name) and not isinstance(model._meta.get_field(name), EncryptedTextField):
                found += [] if f"{table}.{name}" in in_the_clear else [f"{table}.{name} is stored in the clear"]
                used |= {f"{table}.{name}"} & set(in_the_clear)
    exceptions = {**not_personal, **no_history, **in_the_clear}
    return (
        found
        + [f"the exception for {n} is stale" for n in sorted(set(exceptions) - used)]
        + [f"the exception for {n} has no reason" for n, why in exceptions.items() if len(why) < 10]
    )


def test_tables_with_personal_data_are_scoped_and_keep_their_history():
    assert findings(sangyu_models(), NOT_PERSONAL, NO_HISTORY, IN_THE_CLEAR) == []


@pytest.mark.django_db
def test_their_tables_are_under_row_level_security():
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relrowsecurity")
        secured = {name for (name,) in cursor.fetchall()}
    personal = {
        m._meta.db_table
        for m in sangyu_models()
        if any(f"{m._meta.db_table}.{c}" not in NOT_PERSONAL for c in personal_columns(m))
    }
    assert personal - secured == set()
    assert "people_person" in personal


def test_the_guard_sees_violations():
    class Neighbour(models.Model):
        name = models.CharField(max_length=50)
        phone = models.CharField(max_length=20)
        scope = Open("because nobody thought of it")

        class Meta:
            app_label = "guards"
            managed = False
            apps = __import__("django.apps.registry", fromlist=["Apps"]).Apps()

        def __str__(self) -> str:
            return self.name

    assert findings([Neighbour], {}, {}, {}) == [
        "guards_neighbour has name, phone and no scope",
        "guards_neighbour has name, phone and no history",
        "guards_neighbour.phone is stored in the clear",
    ]
    assert findings([], {"gone.name": "a reason that is long enough"}, {}, {}) == [
        "the exception for gone.name is stale"
    ]
    assert findings(
        [Neighbour], {"guards_neighbour.name": "no", "guards_neighbour.phone": "a shop's number"}, {}, {}
    ) == ["the exception for guards_neighbour.name has no reason"]
