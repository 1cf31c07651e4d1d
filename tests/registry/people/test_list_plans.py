"""How the register is read at a size where it matters: EXPLAIN as each role, no page reads the whole table (R-014)."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.crypto import encrypt, tail_index
from sangyu.kernel.models import Share
from sangyu.kernel.scoping import scope
from sangyu.registry.people import selectors
from sangyu.registry.people.models import Person
from sangyu.registry.people.values import ID_PURPOSE, PHONE_PURPOSE
from sangyu.ui.pages.bulk import page_again
from sangyu.ui.pages.keyset import page_of

pytestmark = pytest.mark.django_db
ROWS = 15_000
PAGE = "sangyu.registry.people.pages:PersonList"


@pytest.fixture
def crowd(regions):
    """Made-up rows in three communities, written in one statement, and the planner told of them."""
    sealed = [encrypt("11010119400101001X", f"people.person.{name}") for name in ("id_number", "phone")]
    paths = [(regions[k].pk, regions[k].path) for k in ("a_one", "a_two", "b_one")]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE people_person DISABLE TRIGGER USER")
        for n, (pk, path) in enumerate(paths):
            cursor.execute(
                "INSERT INTO people_person (name, pinyin, initials, sex, birth_date, id_kind, region_id, path, address, "
                "registered_address, ethnicity, marriage, education, needs, registered_on, source, completeness, created_at, "
                "updated_at, id_number, id_index, id_tail, phone, phone_index, phone_tail) "
                "SELECT chr(19968 + i %% 300) || chr(20168 + i %% 400), 'x' || i, 'x' || i %% 900, '2', date '1930-01-01' + i %% 9000, "
                "'citizen', %s, %s, '渤海大街' || i || '号', '', '', '', '', '', date '2020-01-01', 'test', i %% 100, now(), "
                "now() - make_interval(secs => i), %s, decode(lpad(to_hex(i * 3 + %s), 32, '0'), 'hex'), "
                "decode(lpad(to_hex(i %% 5000), 16, '0'), 'hex'), %s, decode(lpad(to_hex(i), 32, '0'), 'hex'), "
                "decode(lpad(to_hex(i %% 5000), 16, '0'), 'hex') FROM generate_series(1, %s) i",
                [pk, path, sealed[0], n, sealed[1], ROWS // 3],
            )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE people_person ENABLE TRIGGER USER")
        cursor.execute("ANALYZE people_person")
    return regions


def plans(queries) -> list[str]:
    """The plan of each captured query that reads the register."""
    found = []
    for query in queries:
        if re.search(r'FROM "people_person"', query["sql"]):
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN " + query["sql"].replace("%", "%%"))
                found.append("\n".join(line for (line,) in cursor.fetchall()))
    return found


QUERIES = (
    "", "sort=name", "sort=-birth_date", "sort=completeness", "sort=-completeness", "sex=2&age_from=80", "completeness_below=5",
    "alive=1&sort=name",
)  # fmt: skip


def test_every_page_and_search_goes_by_an_index_for_each_role(crowd, staff):
    """One crowd for all: writing it costs more than reading it."""
    for key in ("city", "a", "a_one"):
        for query in QUERIES:
            the_list_reads_a_page_by_index(staff, key, query)
        for text in ("一亐", "一", "xabc", "4417"):
            each_kind_of_search_goes_by_its_index(staff, key, text)
    for audience in (Audience.PROVIDER, Audience.WORKER, Audience.FAMILY):
        others_reach_their_own_elders_by_key(crowd, audience)


def the_list_reads_a_page_by_index(staff, key, query):
    actor = staff(key, permissions={"people.view"})
    with scope(actor, source="page"):
        page = page_again(PAGE, actor, query=query)
        with CaptureQueriesContext(connection) as captured:
            first = page_of(page.rows().prefetch_related(None), page.order, 20, filled=page.filled)
            if first.after:
                page_of(page.rows().prefetch_related(None), page.order, 20, after=first.after, filled=page.filled)
        found = plans(captured.captured_queries)
    assert found
    for plan in found:
        assert "Seq Scan on people_person " not in plan, plan
        assert "Gather" not in plan, plan
    if query.startswith("sort=") and key == "city":
        assert not re.search(r"->  Sort  \(|^Sort  \(", found[0]), found[0]  # the index has the order, or nearly


def each_kind_of_search_goes_by_its_index(staff, key, text):
    actor = staff(key, permissions={"people.view"})
    with scope(actor, source="page"):
        with CaptureQueriesContext(connection) as captured:
            selectors.find_ids(actor, text)
        found = plans(captured.captured_queries)
    assert found
    for plan in found:
        assert "Seq Scan on people_person " not in plan, plan
    assert tail_index("4417", ID_PURPOSE) != tail_index("4417", PHONE_PURPOSE)


def others_reach_their_own_elders_by_key(crowd, audience):
    """One role per audience: the shared ones, by the primary key."""
    pk = Person.objects.order_by("pk").first().pk
    actor = Actor(
        audience, crowd["city"].path, "x", subject_id=7, account_id=None, permissions=frozenset({"people.view"})
    )
    Share.objects.create(
        audience=audience.value,
        subject_id=7,
        kind="person",
        object_id=pk,
        path=crowd["a_one"].path,
        reason="t",
        since=timezone.now() - timedelta(days=1),
    )
    with scope(actor, source="page"):
        with CaptureQueriesContext(connection) as captured:
            assert list(Person.objects.order_by("pk").values_list("pk", flat=True)[:20]) == [pk]
        (plan,) = plans(captured.captured_queries)
    assert "Seq Scan on people_person " not in plan, plan
