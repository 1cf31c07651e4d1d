"""Jobs of the tests: procrastinate's tables are not Django's, so a flush leaves them."""

import pytest
from django.db import connection


@pytest.fixture
def clean_jobs(transactional_db, tmp_path, monkeypatch):
    """Committed data and an empty queue, before and after; a file where probes tell what ran."""
    import support.probe  # noqa: F401 - registers the probes' tasks

    monkeypatch.setenv("SANGYU_PROBE", str(tmp_path / "probe"))

    def clean():
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers CASCADE")

    clean()
    yield
    clean()
