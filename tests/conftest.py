"""Test session on real engines: the server in ``SANGYU_TEST_DATABASE_URL``, else an embedded one is started."""

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase, override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from sangyu.kernel.actor import Actor, Audience
from support.stack import chromium, town  # noqa: F401  fixtures
from support.world import make_regions, world  # noqa: F401  a fixture

# Machines are shared: no test fails for being slow.
hypothesis_settings.register_profile("sangyu", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("sangyu")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """One embedded PostgreSQL for the session, started when the first test needs it, unless a server is named."""
    if os.environ.get("SANGYU_TEST_DATABASE_URL"):
        yield
        return
    from django.conf import settings

    from sangyu.runtime.engines.postgres import FAST, SUPERUSER, Postgres
    from sangyu.runtime.settings.database import database_from_url

    home = Path(tempfile.mkdtemp(prefix="sangyu-test-"))
    home.chmod(0o711)  # the server's account passes through; as root that is not ours
    server = Postgres(home, FAST).start()
    url = server.url(SUPERUSER, "postgres")
    fresh = database_from_url(url)
    settings.DATABASES["default"].update({key: fresh[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")})
    os.environ["SANGYU_TEST_DATABASE_URL"] = url  # for the processes that tests start
    try:
        yield
    finally:
        os.environ.pop("SANGYU_TEST_DATABASE_URL", None)
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def on_the_server():
    """An autocommit connection beside the test database."""
    import psycopg
    from django.conf import settings

    own = settings.DATABASES["default"]
    place = {"host": own["HOST"], "port": own["PORT"], "user": own["USER"], "password": own["PASSWORD"]}
    return psycopg.connect(dbname="postgres", autocommit=True, **{k: v for k, v in place.items() if v})


@pytest.fixture(scope="session")
def turn(django_db_modify_db_settings):
    """Roles belong to the server: of several workers on a named one, one at a time makes its database until they are there."""
    from sangyu.kernel.database_objects import APP_ROLE, AUDIENCE_ROLES

    server, roles = on_the_server(), [APP_ROLE, *AUDIENCE_ROLES]
    (known,) = server.execute("SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)", [roles]).fetchone()
    if known < len(roles):
        server.execute("SELECT pg_advisory_lock(hashtext('sangyu test database'))")
    yield server
    server.close()


@pytest.fixture(scope="session")
def django_db_setup(turn, django_db_setup):
    """Sessions that a server thread or a stopped process left open must not keep the test database from going."""
    from django.db import connection

    turn.close()
    yield
    own = connection.settings_dict
    connection.close()
    with on_the_server() as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [own["NAME"]],
        )


#: Rows that migrate writes; everything else is empty before each test.
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}


def _empty_tables(self):
    """After a test that commits: delete what it left, past triggers. Truncating every table and installing the policies
    again, as Django does, takes a second a test.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        tables = set(connection.introspection.django_table_names(only_existing=True)) - KEPT_TABLES
        cursor.execute(" UNION ALL ".join(f"SELECT '{t}' WHERE EXISTS (SELECT FROM \"{t}\")" for t in sorted(tables)))
        filled = [name for (name,) in cursor.fetchall()]
        if filled:
            deletes = "; ".join(f'DELETE FROM "{t}"' for t in filled)
            cursor.execute(f"BEGIN; SET LOCAL session_replication_role = replica; {deletes}; COMMIT")


TransactionTestCase._fixture_teardown = _empty_tables


#: Files that take longest, the longest first: no worker waits for another that began with one of them at the end.
LONGEST = (
    "guards/test_scope_matrix.py",
    "surfaces/test_api.py",
    "faults/test_stack.py",
    "engines/policy/test_spark.py",
    "care/benefits/test_moves.py",
    "care/benefits/test_killed.py",
    "guards/test_list_exports.py",
    "care/benefits/test_run.py",
    "runtime/test_backup.py",
    "kernel/test_live.py",
    "registry/people/test_import.py",
    "kernel/test_operations.py",
    "kernel/test_jobs.py",
    "registry/regions/test_loading.py",
    "registry/test_register_pages.py",
    "registry/people/test_merge.py",
    "registry/accounts/test_oidc.py",
    "care/benefits/test_pages.py",
    "care/benefits/test_recall.py",
    "surfaces/test_casefile.py",
    "guards/test_scope_guard.py",
    "ui/test_list_page.py",
    "runtime/test_postgres.py",
    "runtime/test_consumer.py",
    "kernel/test_facts.py",
)


#: Fixtures of the running city and of the browser.
STACK = {"town", "chromium"}


def pytest_ignore_collect(collection_path, config):
    """With ``-m e2e`` only files that name such a fixture are loaded: loading all of them takes longer than the first test."""
    if config.option.markexpr == "e2e" and collection_path.name.startswith("test_"):
        return None if re.search("|".join(STACK | {"screen"}), collection_path.read_text()) else True
    return None


def place(item) -> int:
    """Where the file of ``item`` comes: the longest first; what kills parts of the city that others use at the very end,
    what looks at it as it was built before all others.
    """
    if STACK & set(item.fixturenames):
        return -1 if item.path.name == "test_demo.py" else len(LONGEST) + ("faults" in item.path.parts)
    return next((n for n, name in enumerate(LONGEST) if item.path.as_posix().endswith(name)), len(LONGEST))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items):
    """With several workers (-n, --dist loadfile) a file's tests stay together; files are given out in the order of ``place``.

    Tests in the browser or in the running city are marked: they run in one process of their own, as the browser's event loop
    would stay in the way of others and the city takes a minute to build.
    """
    for item in items:
        if STACK & set(item.fixturenames):
            item.add_marker(pytest.mark.e2e)
    yield
    items.sort(key=place)


@pytest.fixture(scope="module")
def shared_rows(django_db_setup, django_db_blocker, tmp_path_factory):
    """Rows made once for all tests of a file: a fixture of the file's scope that asks for this builds them, and each test
    (with ``db``, none that commits) goes back to them. Answers the folder of the rows' files.
    """
    folder = tmp_path_factory.mktemp("files")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=folder), transaction.atomic():
        yield folder
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def no_job_left(request, django_db_blocker):
    """Jobs of a test that commits go with its rows: emptying Django's tables leaves those of the queue."""
    yield
    mark = request.node.get_closest_marker("django_db")
    if "transactional_db" in request.fixturenames or (mark and mark.kwargs.get("transaction")):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE procrastinate_jobs CASCADE")


@pytest.fixture(autouse=True)
def storage(request, settings, tmp_path):
    """Files that a test keeps go into a folder of its own; answers the folder."""
    shared = "shared_rows" in request.fixturenames
    settings.MEDIA_ROOT = request.getfixturevalue("shared_rows") if shared else tmp_path
    return settings.MEDIA_ROOT


@pytest.fixture
def home():
    """An empty SANGYU_HOME with a short path that the server's account can enter; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sy-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def regions(db):
    """The small tree of ``make_regions``."""
    return make_regions()


@pytest.fixture
def staff(regions):
    """Factory: a staff actor of a region of the small tree. ``permissions="*"`` holds every permission."""

    def make(key="city", role="bureau", permissions="*"):
        from sangyu.kernel.permissions import every_permission

        held = every_permission() if permissions == "*" else frozenset(permissions)
        region = regions[key]
        return Actor(
            audience=Audience.STAFF,
            path=region.path,
            name=f"{role} {key}",
            role=role,
            region_name=region.name,
            permissions=held,
        )

    return make
