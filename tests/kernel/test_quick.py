"""``kernel.quick`` answers and fails as a cursor does, watched or not."""

from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, connections, transaction

from sangyu.kernel import quick

pytestmark = pytest.mark.django_db


@contextmanager
def watched():
    """Statements go through a cursor."""
    with connection.execute_wrapper(lambda execute, *rest: execute(*rest)):
        yield


@contextmanager
def plans_kept():
    raw = connection.connection
    before, raw.prepare_threshold = raw.prepare_threshold, 2
    try:
        yield
    finally:
        raw.prepare_threshold = before


@contextmanager
def plainly():
    yield


@pytest.mark.parametrize("way", [plainly, watched, plans_kept])
def test_values_come_back_as_they_were_given(way):
    moment = datetime(2026, 11, 22, 8, 0, 0, 250_000, tzinfo=UTC)
    words = ['a"b', "c\\d", "e,f", "{g}", "", "张"]
    sql = "SELECT %s::bigint, %s::text, %s::timestamptz, %s::date, %s::float8, %s::bool, %s::text, %s::text[], %s::bigint[]"
    given = [7, "O'Brien 50", moment, date(2026, 11, 22), 0.25, True, None, quick.array(words), quick.array([1, 2])]
    with way():
        for _ in range(3):
            assert quick.rows(sql, given) == [(*given[:7], words, [1, 2])]
        assert quick.rows("SELECT 1 WHERE false") == []
        assert quick.rows("SET LOCAL work_mem = '8MB'") == []


@pytest.mark.parametrize("way", [plainly, watched, plans_kept])
def test_a_failure_is_the_cursors_and_breaks_the_transaction(way):
    with way():
        with pytest.raises(DataError), transaction.atomic():
            quick.rows("SELECT %s::text::int", ["seven"])
        with pytest.raises(IntegrityError), transaction.atomic():
            quick.rows("CREATE TEMP TABLE one (n int PRIMARY KEY)")
            quick.rows("INSERT INTO one VALUES (1), (1)")
        assert quick.rows("SELECT 1") == [(1,)]


@pytest.mark.parametrize("way", [plainly, watched])
def test_copy(way):
    quick.rows("CREATE TEMP TABLE many (n int PRIMARY KEY, word text) ON COMMIT DROP")
    lines = "".join(f"{n}\tword {n}\n" for n in range(50_000)).encode()
    with way():
        quick.copy("COPY many FROM STDIN", lines)
        assert quick.rows("SELECT count(*), max(word) FROM many") == [(50_000, "word 9999")]
        for wrong, error in ((b"x\tword\n", DataError), (b"1\tagain\n", IntegrityError)):
            with pytest.raises(error), transaction.atomic():
                quick.copy("COPY many FROM STDIN", wrong)
        assert quick.rows("SELECT count(*) FROM many") == [(50_000,)]


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_an_operational_error():
    """What the consumer waits for instead of setting messages aside."""
    with pytest.raises(OperationalError), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        other = connections.create_connection("default")
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        other.close()
        for _ in range(2):  # the first may still be told why
            with pytest.raises(OperationalError):
                quick.rows("SELECT 1")
        raise OperationalError
    connection.close()
