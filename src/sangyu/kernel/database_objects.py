"""What the models declare and PostgreSQL enforces: roles, grants, row-level security, history triggers.

Installed after every ``migrate`` from the models' own declarations (``scope``, ``history``), so a new room needs no SQL and a
changed rule needs no migration. Idempotent; a guard test compares declaration and catalogue.
"""

from importlib import resources

from django.apps import apps
from django.conf import settings
from django.db import connections, models

from .actor import Audience
from .scoping import Open, Scope

APP_ROLE = "sangyu_app"
AUDIENCE_ROLES = [a.db_role for a in Audience]
ALL_ROLES = ", ".join([APP_ROLE, *AUDIENCE_ROLES])

#: Tables of libraries, with who may write them: "app" = also outside a scope (sign-in), "scope" = in any scope.
LIBRARY_TABLES: dict[str, str] = {
    "django_session": "app",
    "django_content_type": "",
    "django_migrations": "",
    "auth_permission": "",
    "procrastinate_jobs": "app",
    "procrastinate_events": "app",
    "procrastinate_periodic_defers": "app",
    "procrastinate_workers": "app",
}


def sangyu_models() -> list[type[models.Model]]:
    """All managed concrete models of this project, in app order."""
    return [
        m
        for config in apps.get_app_configs()
        if config.name.startswith("sangyu.")
        for m in config.get_models(include_auto_created=True)
        if m._meta.managed and not m._meta.proxy
    ]


#: Ranges of equal keys in exclusion constraints; substring search. Both are trusted: the owner of the database may add them.
EXTENSIONS = ("btree_gist", "pg_trgm")


def install_extensions(sender, using: str = "default", **kwargs) -> None:
    """``pre_migrate`` receiver: what the constraints and indexes of any room may need is there before its first table."""
    with connections[using].cursor() as cursor:
        for extension in EXTENSIONS:
            cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")


def install_after_migrate(sender, using: str = "default", **kwargs) -> None:
    """``post_migrate`` receiver."""
    install(using)


def install(using: str = "default") -> None:
    """Create or renew functions, roles, grants, policies and triggers. The connection must own the schema."""
    with connections[using].cursor() as cursor:
        tables = set(connections[using].introspection.table_names(cursor))
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('sangyu.database_objects'))")
        for role in [APP_ROLE, *AUDIENCE_ROLES]:
            _ensure_role(cursor, role)
        cursor.execute(f"GRANT {', '.join(AUDIENCE_ROLES)} TO {APP_ROLE}")
        # The owner enters scopes too (demo, commands); a superuser may anyway.
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            cursor.execute(f"GRANT {', '.join(AUDIENCE_ROLES)} TO CURRENT_USER")
        if "kernel_share" not in tables:
            return
        cursor.execute(resources.files(__package__).joinpath("sql/functions.sql").read_text())
        for config in apps.get_app_configs():  # a room's own functions: sql/functions.sql beside its models
            extra = (
                resources.files(config.module).joinpath("sql/functions.sql")
                if config.name.startswith("sangyu.")
                else None
            )
            if extra is not None and config.name != "sangyu.kernel" and extra.is_file():
                cursor.execute(extra.read_text())
        cursor.execute(f"GRANT USAGE ON SCHEMA sangyu, public TO {ALL_ROLES}")
        cursor.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sangyu TO {ALL_ROLES}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ALL_ROLES}")
        library = {**LIBRARY_TABLES, **getattr(settings, "SANGYU_LIBRARY_TABLES", {})}
        for table, write in library.items():
            if table in tables:
                _grant_open(cursor, table, write)
        for model in sangyu_models():
            if model._meta.db_table in tables:
                _install_model(cursor, model)


def _ensure_role(cursor, role: str) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    if cursor.fetchone() is None:
        # NOINHERIT: outside scope() the connection has none of the audiences' rights.
        cursor.execute(f"CREATE ROLE {role} {'LOGIN NOINHERIT' if role == APP_ROLE else 'NOLOGIN'}")


def _install_model(cursor, model: type[models.Model]) -> None:
    table = model._meta.db_table
    declared = getattr(model, "scope", None)
    cursor.execute(f'REVOKE ALL ON "{table}" FROM {ALL_ROLES}')
    if isinstance(declared, Open):
        cursor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
        _grant_open(cursor, table, declared.write)
    elif isinstance(declared, Scope):
        cursor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        verbs = {"insert": "SELECT, INSERT", False: "SELECT"}.get(declared.write, "SELECT, INSERT, UPDATE, DELETE")
        cursor.execute(f'GRANT {verbs} ON "{table}" TO {", ".join(AUDIENCE_ROLES)}')
        cursor.execute("SELECT policyname FROM pg_policies WHERE tablename = %s", [table])
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP POLICY "{name}" ON "{table}"')
        for audience in Audience:
            rule = declared.rule(audience).sql(table)
            cursor.execute(f'CREATE POLICY "scope_{audience.value}" ON "{table}" TO {audience.db_role} USING ({rule})')
        if declared.app:
            cursor.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO {APP_ROLE}')
            cursor.execute(f'CREATE POLICY "scope_app" ON "{table}" TO {APP_ROLE} USING (true)')
    _install_history(cursor, model, getattr(model, "history", None))


def _grant_open(cursor, table: str, write: str) -> None:
    cursor.execute(f'GRANT SELECT ON "{table}" TO {ALL_ROLES}')
    writers = {"app": ALL_ROLES, "scope": ", ".join(AUDIENCE_ROLES), "": ""}[write]
    if writers:
        cursor.execute(f'GRANT INSERT, UPDATE, DELETE ON "{table}" TO {writers}')


def _install_history(cursor, model: type[models.Model], history) -> None:
    table = model._meta.db_table
    for op in ("insert", "update", "delete"):
        cursor.execute(f'DROP TRIGGER IF EXISTS history_{op} ON "{table}"')
    if history is None:
        return
    hidden = "{" + ",".join(history.hidden) + "}"
    columns = {f.column for f in model._meta.concrete_fields}
    has_path, has_source = ("t" if name in columns else "" for name in ("path", "source"))
    for op, transition in (
        ("insert", "NEW TABLE AS new_rows"),
        ("update", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
        ("delete", "OLD TABLE AS old_rows"),
    ):
        cursor.execute(
            f'CREATE TRIGGER history_{op} AFTER {op} ON "{table}" REFERENCING {transition} '
            f"FOR EACH STATEMENT EXECUTE FUNCTION sangyu.history('{hidden}', '{has_path}', '{has_source}')"
        )
