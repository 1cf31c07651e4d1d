"""Guards of design rule 1: every model says who sees its rows, and PostgreSQL enforces exactly that.

Each guard is a function that returns findings, is asked for the real house, and proves itself on a planted violation.
"""

import ast
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, models

from sangyu.care.policies.models import Approved, PublishedOnceApproved
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.database_objects import APP_ROLE, AUDIENCE_ROLES, LIBRARY_TABLES, install, sangyu_models
from sangyu.kernel.ledger.models import Account
from sangyu.kernel.ledger.rules import EitherSide, Owned
from sangyu.kernel.scoping import (
    Everyone,
    Nobody,
    Open,
    PathField,
    Published,
    Rule,
    Scope,
    Shared,
    Subject,
    Via,
    Within,
    lineage,
    scope,
)
from sangyu.registry.transfers.rules import EitherPath

pytestmark = pytest.mark.django_db
SOURCE = Path(__file__).resolve().parents[2] / "src" / "sangyu"

#: Tables with a region path that are nevertheless read without row-level security, each with the reason.
OPEN_WITH_PATH = {
    "regions_region": "the tree of public administrative divisions itself",
    "ui_savedview": "list settings under a name; offered_to filters them by account, role and region",
}


def table_of(model: type[models.Model]) -> str:
    return model._meta.db_table


def scoped() -> list[type[models.Model]]:
    return [m for m in sangyu_models() if isinstance(getattr(m, "scope", None), Scope)]


# ---------------------------------------------------------------- declarations
def undeclared(all_models: list[type[models.Model]]) -> list[str]:
    """Models without a scope, with a reason too short to mean something, or whose default manager cannot filter."""
    found = []
    for model in all_models:
        declared = getattr(model, "scope", None)
        if not isinstance(declared, Scope | Open):
            found.append(f"{table_of(model)} declares no scope")
        elif isinstance(declared, Open) and len(declared.why.strip()) < 10:
            found.append(f"{table_of(model)} is open without a reason")
        elif isinstance(declared, Scope):
            if declared.app and len(declared.app.strip()) < 10:
                found.append(f"{table_of(model)} is read before any scope without a reason")
            if not hasattr(model._default_manager.all(), "visible_to"):
                found.append(f"{table_of(model)} has a default manager without visible_to")
            found += [
                f"{table_of(model)} shows everyone's rows without a reason"
                for audience in Audience
                if isinstance(declared.rule(audience), Everyone) and len(declared.rule(audience).why.strip()) < 10
            ]
    return found


def open_with_path(all_models: list[type[models.Model]], exceptions: dict[str, str]) -> list[str]:
    """Open tables that carry a region path and are no known exception; exceptions that are stale or without a
    reason.
    """
    bad = {
        table_of(m)
        for m in all_models
        if isinstance(getattr(m, "scope", None), Open) and any(isinstance(f, PathField) for f in m._meta.fields)
    }
    return (
        [f"{t} has a path and is open" for t in sorted(bad - set(exceptions))]
        + [f"the exception for {t} is stale" for t in sorted(set(exceptions) - bad)]
        + [f"the exception for {t} has no reason" for t, why in exceptions.items() if len(why.strip()) < 10]
    )


def unindexed(all_models: list[type[models.Model]]) -> list[str]:
    """Place rows whose path column leads no index: a staff list would read the whole table."""
    found = []
    for model in all_models:
        rule = getattr(model.scope, "staff", None)
        if not isinstance(rule, Within):
            continue
        field = model._meta.get_field(rule.column)
        leads = [i.fields[0] for i in model._meta.indexes if i.fields] + [
            c.fields[0] for c in model._meta.constraints if isinstance(c, models.UniqueConstraint) and c.fields
        ]
        if not (field.db_index or field.unique or rule.column in leads):
            found.append(f"{table_of(model)}.{rule.column} leads no index")
    return found


def test_every_model_declares_who_sees_it():
    assert undeclared(sangyu_models()) == []
    assert open_with_path(sangyu_models(), OPEN_WITH_PATH) == []


#: Tables read by their row, never listed by region, each with the reason.
NO_PATH_INDEX = {
    "kernel_change": "read by table and row; an index by region would double the cost of every write",
    "signals_reading": "read by device or person and time; thousands of rows a second, each index costs every one",
    "benefits_line": "read by run and path or by subject; millions of rows a year, each index costs every run",
}


def test_paths_are_indexed():
    found = {line.split(".")[0] for line in unindexed(scoped())}
    assert sorted(found) == sorted(NO_PATH_INDEX), "a place row without an index, or a stale exception"


def test_the_declaration_guards_see_violations():
    class Fake(models.Model):
        path = PathField()
        objects = models.Manager()

        class Meta:
            app_label = "guards"
            managed = False
            apps = __import__("django.apps.registry", fromlist=["Apps"]).Apps()

        def __str__(self) -> str:
            return ""

    assert undeclared([Fake]) == ["guards_fake declares no scope"]
    Fake.scope = Open("because")
    assert undeclared([Fake]) == ["guards_fake is open without a reason"]
    assert open_with_path([Fake], {}) == ["guards_fake has a path and is open"]
    assert open_with_path([], {"gone": "a reason long enough"}) == ["the exception for gone is stale"]
    assert open_with_path([Fake], {"guards_fake": "x"}) == ["the exception for guards_fake has no reason"]
    Fake.scope = Scope(staff=Within(), family=Everyone("why"))
    assert undeclared([Fake]) == [
        "guards_fake has a default manager without visible_to",
        "guards_fake shows everyone's rows without a reason",
    ]
    assert unindexed([Fake]) == ["guards_fake.path leads no index"]


# ---------------------------------------------------------------- the catalogue of PostgreSQL
def rows(sql: str, params: list | None = None) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def policies() -> list[tuple]:
    return rows(
        "SELECT tablename, policyname, permissive, roles::text, cmd, qual, with_check FROM pg_policies "
        "WHERE schemaname = 'public' ORDER BY 1, 2"
    )


def unprotected() -> list[str]:
    """Scoped tables without row-level security, without a policy per role, or readable outside a scope; stray
    tables.
    """
    secured = {t for (t,) in rows("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relrowsecurity")}
    by_table: dict[str, set[str]] = {}
    for table, _name, _permissive, roles, cmd, _qual, _check in policies():
        assert cmd == "ALL"
        by_table.setdefault(table, set()).add(roles.strip("{}"))
    grants = rows(
        "SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants WHERE "
        "table_schema = 'public' "
        "AND grantee = ANY (%s)",
        [["PUBLIC", APP_ROLE, *AUDIENCE_ROLES]],
    )
    granted = {(t, r) for t, r, _verb in grants if r in {"PUBLIC", APP_ROLE}}
    writers = {(t, r) for t, r, verb in grants if verb != "SELECT" and r in AUDIENCE_ROLES}
    found = []
    for model in scoped():
        table = table_of(model)
        if table not in secured:
            found.append(f"{table} has no row-level security")
        roles = {*AUDIENCE_ROLES, APP_ROLE} if model.scope.app else set(AUDIENCE_ROLES)
        if by_table.get(table, set()) != roles:
            found.append(f"{table} has policies for {sorted(by_table.get(table, set()))}")
        allowed = {APP_ROLE} if model.scope.app else set()
        found += [f"{table} is granted to {r}" for t, r in sorted(granted) if t == table and r not in allowed]
        if not model.scope.write:
            found += [f"{table} can be written by {r}" for t, r in sorted(writers) if t == table]
    known = (
        {table_of(m) for m in sangyu_models()}
        | set(LIBRARY_TABLES)
        | set(getattr(settings, "SANGYU_LIBRARY_TABLES", {}))
    )
    stray = {t for (t,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")} - known
    readable = {t for t, _r in granted}
    return found + [f"{t} belongs to no model and is granted" for t in sorted(stray & readable)]


def test_the_database_enforces_what_the_models_declare():
    assert unprotected() == []
    before = policies()
    assert {p[0] for p in before} == {table_of(m) for m in scoped()}
    install()  # writes every policy anew from the declarations
    assert policies() == before


def test_no_role_of_ours_may_pass_row_level_security():
    ours = [APP_ROLE, *AUDIENCE_ROLES]
    assert (
        rows(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND (rolsuper OR rolbypassrls OR rolcreaterole)",
            [ours],
        )
        == []
    )
    assert rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tableowner = ANY(%s)", [ours]) == [], (
        "an owner is not held by its own policies"
    )


@pytest.mark.parametrize(
    ("planted", "finding"),
    [
        ("ALTER TABLE kernel_operation DISABLE ROW LEVEL SECURITY", "kernel_operation has no row-level security"),
        ("GRANT SELECT ON kernel_operation TO sangyu_app", "kernel_operation is granted to sangyu_app"),
        ("GRANT SELECT ON kernel_operation TO PUBLIC", "kernel_operation is granted to PUBLIC"),
        ("DROP POLICY scope_family ON kernel_operation", "kernel_operation has policies for"),
        ("CREATE TABLE stray (id int); GRANT SELECT ON stray TO PUBLIC", "stray belongs to no model and is granted"),
    ],
)
def test_the_catalogue_guard_sees_violations(planted, finding):
    with connection.cursor() as cursor:
        cursor.execute(planted)
    assert [line for line in unprotected() if line.startswith(finding)], unprotected()


def test_a_changed_policy_is_seen():
    with connection.cursor() as cursor:
        cursor.execute("ALTER POLICY scope_staff ON kernel_operation USING (true)")
    before = policies()
    install()
    assert policies() != before


# ---------------------------------------------------------------- raw SQL as each role, on every scoped table
PATHS = ["000001", "000001002", "000002", "000", "0000010"]
ACTORS = {
    Audience.STAFF: Actor(audience=Audience.STAFF, path="000001", name="staff"),
    Audience.PROVIDER: Actor(audience=Audience.PROVIDER, path="000001", name="provider", subject_id=2, account_id=9),
    Audience.WORKER: Actor(audience=Audience.WORKER, path="000001", name="worker", subject_id=3, account_id=9),
    Audience.FAMILY: Actor(audience=Audience.FAMILY, path="000001", name="family", subject_id=4, account_id=4),
    Audience.JOB: Actor.job("job", "000001"),
}
SHARED = [1, 5, 6]


def columns_of(model: type[models.Model]) -> dict[str, str]:
    """Columns that the model's rules look at → what kind of value they hold."""
    found = {}
    for audience in Audience:
        rule = model.scope.rule(audience)
        if isinstance(rule, Within | Published):
            found[rule.column] = "path"
        elif isinstance(rule, Subject):
            found[rule.column] = "id"
            if rule.audience:
                found[rule.audience] = "audience"
        elif isinstance(rule, Shared | Via):
            found.setdefault(rule.column, "id")
        elif isinstance(rule, Owned):
            found |= {"owner_kind": "owner", "owner_id": "id"}
        elif isinstance(rule, EitherPath):
            found |= {rule.one: "path", rule.other: "other path"}
        elif isinstance(rule, EitherSide):
            found |= {"debit_id": "id", "credit_id": "other"}
        elif isinstance(rule, PublishedOnceApproved | Approved):
            found |= {"path": "path", "state": "state"}
        else:
            assert isinstance(rule, Everyone | Nobody), f"{table_of(model)}: teach this guard the rule {rule}"
    return found


def fill(model: type[models.Model], filled: dict[str, list[dict]]) -> list[dict]:
    """Thirty rows with every mix of values, past all constraints; the parents that rules look at first."""
    table, pk = table_of(model), model._meta.pk.column
    if table in filled:
        return filled[table]
    filled[table] = made = []
    for audience in Audience:
        rule = model.scope.rule(audience)
        if isinstance(rule, Via) and isinstance(parent_of(rule).scope, Scope):
            fill(parent_of(rule), filled)
        if isinstance(rule, EitherSide):
            fill(Account, filled)
    kinds = columns_of(model)
    for n in range(1, 31):
        row = {pk: n}
        for column, kind in kinds.items():
            if column != pk:
                row[column] = {
                    "path": PATHS[n % 5],
                    "other path": PATHS[n // 2 % 5],
                    "id": n % 7 + 1,
                    "other": n % 11 + 1,
                    "audience": list(ACTORS)[n // 3 % 5].value,
                    "owner": ["organisation", "person", "worker"][n % 3],
                    "state": ["draft", "approved", "discarded"][n // 5 % 3],
                }[kind]
        made.append(row)
    with connection.cursor() as cursor:
        strip(cursor, table, pk)
        names = list(made[0])
        quoted = ", ".join(f'"{n}"' for n in names)
        cursor.execute(f'DELETE FROM "{table}"')
        cursor.executemany(
            f'INSERT INTO "{table}" ({quoted}) VALUES ({", ".join(["%s"] * len(names))})',
            [[r[n] for n in names] for r in made],
        )
    return made


def strip(cursor, table: str, pk: str) -> None:
    """Take every constraint but the primary key away; the test's transaction brings them back."""
    cursor.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'x', 'u', 'f')", [table]
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT IF EXISTS "{name}" CASCADE')
    cursor.execute("SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass", [table])
    if cursor.fetchone()[0]:  # rows without a day go somewhere, too
        cursor.execute(f'CREATE TABLE "{table}_any" PARTITION OF "{table}" DEFAULT')
    cursor.execute(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass AND indisunique AND "
        "NOT indisprimary",
        [table],
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP INDEX {name}")
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attnotnull AND "
        "NOT attisdropped "
        "AND attname <> %s",
        [table, pk],
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{name}" DROP NOT NULL')


def parent_of(rule: Via) -> type[models.Model]:
    from django.apps import apps

    return apps.get_model(rule.model)


def sees(rule: Rule, row: dict, actor: Actor, filled: dict[str, list[dict]]) -> bool:
    """The rule in plain Python: what the database must answer."""
    if isinstance(rule, Within):
        return row[rule.column].startswith(actor.path)
    if isinstance(rule, Published):
        return row[rule.column].startswith(actor.path) or row[rule.column] in lineage(actor.path)
    if isinstance(rule, Subject):
        own = row[rule.column] == actor.subject_id
        return own and (not rule.audience or row[rule.audience] == actor.audience.value)
    if isinstance(rule, Shared):
        return row[rule.column] in SHARED
    if isinstance(rule, Via):
        parent = parent_of(rule)
        if isinstance(parent.scope, Open):
            return False  # the parent's table is empty here
        key = parent._meta.pk.column
        up = [r for r in filled[table_of(parent)] if r[key] == row[rule.column]]
        return any(sees(parent.scope.rule(actor.audience), r, actor, filled) for r in up)
    if isinstance(rule, Owned):
        return row["owner_kind"] == rule.kind and row["owner_id"] == actor.subject_id
    if isinstance(rule, EitherPath):
        return row[rule.one].startswith(actor.path) or row[rule.other].startswith(actor.path)
    if isinstance(rule, EitherSide):
        up = Account.scope.rule(actor.audience)
        sides = {row["debit_id"], row["credit_id"]}
        return any(sees(up, r, actor, filled) for r in filled[table_of(Account)] if r["id"] in sides)
    if isinstance(rule, Approved):
        return row["state"] == "approved"
    if isinstance(rule, PublishedOnceApproved):
        above = row["path"] in lineage(actor.path) and row["state"] == "approved"
        return above or row["path"].startswith(actor.path)
    return isinstance(rule, Everyone)


@pytest.fixture
def filled(transactional_guard):
    """All scoped tables with thirty rows each, and shares of every kind for each audience."""
    made: dict[str, list[dict]] = {}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no triggers: rows need not make sense
    for model in scoped():
        fill(model, made)
    kinds = {
        rule.kind for model in scoped() for rule in (model.scope.rule(a) for a in Audience) if isinstance(rule, Shared)
    }
    with connection.cursor() as cursor:
        for actor in ACTORS.values():
            for kind in kinds | {"none"}:
                for pk in SHARED:
                    cursor.execute(
                        "INSERT INTO kernel_share (id, audience, subject_id, kind, object_id, path, since) "
                        "VALUES ((SELECT max(id) + 1 FROM kernel_share), %s, %s, %s, %s, '000009', now())",
                        [actor.audience.value, actor.subject_id, kind, pk],
                    )
        cursor.execute("SELECT id, audience, subject_id, path FROM kernel_share")
        names = [c.name for c in cursor.description]
        made["kernel_share"] = [dict(zip(names, r, strict=True)) for r in cursor.fetchall()]
    return made


@pytest.fixture
def transactional_guard(db):
    """The rows live in the test's transaction; deferred constraints are not asked at its end."""
    yield
    from django.db import transaction

    transaction.set_rollback(True)


def test_raw_sql_as_each_role_returns_no_foreign_row(filled):
    """Issue 2 §4.4: every scoped model, every audience, nothing but what the rule allows, and all of that."""
    checked = 0
    for audience, actor in ACTORS.items():
        with scope(actor):
            for model in scoped():
                table, pk = table_of(model), model._meta.pk.column
                rule = model.scope.rule(audience)
                expected = {r[pk] for r in filled[table] if sees(rule, r, actor, filled)}
                seen = {i for (i,) in rows(f'SELECT "{pk}" FROM "{table}"')}
                assert seen == expected, f"{table} as {audience}"
                checked += 1
                if audience is Audience.STAFF and isinstance(rule, Within):
                    assert 0 < len(seen) < len(filled[table])
    assert checked == len(scoped()) * len(Audience) > 50


def test_visible_to_says_the_same_as_raw_sql(filled):
    for audience, actor in ACTORS.items():
        for model in scoped():
            plain = set(model._default_manager.visible_to(actor).order_by().values_list("pk", flat=True))
            with scope(actor):
                raw = {i for (i,) in rows(f'SELECT "{model._meta.pk.column}" FROM "{table_of(model)}"')}
            assert plain == raw, f"{table_of(model)} as {audience}"


def test_a_role_reads_nothing_at_all_without_a_scope(filled):
    from django.db import transaction
    from django.db.utils import DatabaseError

    for role in AUDIENCE_ROLES:
        for model in scoped():
            if isinstance(model.scope.rule(Audience(role.removeprefix("sangyu_"))), Everyone | Nobody):
                continue
            with pytest.raises(DatabaseError, match=r"no scope is open|names no subject"), transaction.atomic():
                rows(f'SET LOCAL ROLE {role}; SELECT count(*) FROM "{table_of(model)}"')


# ---------------------------------------------------------------- speed
def test_a_staff_page_uses_the_path_index_among_50_000_rows():
    """Design rule 1: a test reads EXPLAIN as the role."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_event (name, path, payload, at, actor) SELECT 'x', '000001' || lpad((n % "
            "500)::text, 3, '0') "
            "|| lpad((n % 7)::text, 3, '0'), '{}', now(), 'x' FROM generate_series(1, 50000) n"
        )
        cursor.execute("ANALYZE kernel_event")
    for path, count in (("000001042", 100), ("000001042003", 14)):
        with scope(Actor(audience=Audience.STAFF, path=path, name="s")):
            plan = "\n".join(
                line for (line,) in rows("EXPLAIN (ANALYZE, TIMING OFF) SELECT id, name FROM kernel_event")
            )
            (seen,) = rows("SELECT count(*) FROM kernel_event")[0]
        assert "Seq Scan" not in plan, plan
        assert "kernel_event_path" in plan, plan
        assert "Filter" not in plan, plan
        assert abs(seen - count) <= 1


# ---------------------------------------------------------------- as_system
def unexplained(source: str, name: str) -> list[str]:
    """Calls of as_system whose reason is not a literal sentence, written there or as a constant of the module."""
    found = []
    tree = ast.parse(source)
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "as_system":
            why = node.args[0] if node.args else None
            if isinstance(why, ast.Name):
                why = constants.get(why.id)
            if not (isinstance(why, ast.Constant) and isinstance(why.value, str) and len(why.value.split()) >= 2):
                found.append(f"{name}:{node.lineno} as_system without a reason")
    return found


def test_every_elevation_says_why():
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        found += unexplained(path.read_text(), str(path.relative_to(SOURCE)))
    assert found == []
    assert unexplained("with as_system(why):\n    pass", "x") == ["x:1 as_system without a reason"]
    assert unexplained("with as_system(''):\n    pass", "x") == ["x:1 as_system without a reason"]
