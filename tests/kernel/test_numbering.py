"""Running numbers: never twice, also for two clients at once (order numbers by day and region, issue 2 §3)."""

import threading
from datetime import date

import pytest
from django.db import connection, transaction

from sangyu.kernel.models import Sequence
from sangyu.kernel.numbering import next_number, next_numbers
from sangyu.kernel.scoping import scope

DAY = date(2026, 10, 15)


@pytest.mark.django_db
def test_numbers_count_by_kind_day_and_county(staff):
    with scope(staff("a")):
        assert next_number("DD", DAY) == "DD20261015-0001"
        assert next_number("DD", DAY, "210802001001") == "DD20261015-210802-0001"
        assert next_number("DD", DAY, "210802002") == "DD20261015-210802-0002"
        assert next_number("DD", DAY, "210803") == "DD20261015-210803-0001"
        assert next_number("JS", DAY, "210802") == "JS20261015-210802-0001"
        assert next_number("DD", date(2026, 10, 16), "210802") == "DD20261016-210802-0001"
        assert next_numbers("DD", DAY, "210802", count=3) == [f"DD20261015-210802-000{n}" for n in (3, 4, 5)]


@pytest.mark.django_db
def test_four_digits_grow_and_nonsense_is_refused():
    Sequence.objects.create(name="DD20261015-", value=9999)
    assert next_number("DD", DAY) == "DD20261015-10000"
    for name, count in (("", 1), ("DD", 0)):
        with pytest.raises(ValueError, match="numbering needs"):
            next_numbers(name, DAY, count=count)
    assert Sequence.objects.get().value == 10000


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_number_is_given_again_a_committed_one_never():
    with pytest.raises(RuntimeError), transaction.atomic():
        assert next_number("DD", DAY) == "DD20261015-0001"
        raise RuntimeError
    assert next_number("DD", DAY) == "DD20261015-0001"
    assert next_number("DD", DAY) == "DD20261015-0002"


@pytest.mark.django_db(transaction=True)
def test_two_clients_at_once_never_share_a_number():
    taken, together = [], threading.Barrier(4)

    def client():
        try:
            together.wait(10)
            for _n in range(25):
                with transaction.atomic():
                    taken.append(next_number("DD", DAY, "210802"))
        finally:
            connection.close()

    threads = [threading.Thread(target=client) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(taken) == [f"DD20261015-210802-{n:04d}" for n in range(1, 101)]
