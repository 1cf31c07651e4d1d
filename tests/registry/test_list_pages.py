"""Pages of held rows and of status lists, as a bureau sees them: they answer, settle, and show no whole number."""

from dataclasses import replace

import pytest
from django.urls import reverse

from sangyu.kernel.importing import exchange
from sangyu.kernel.importing.models import HeldRow
from sangyu.registry.people.models import Person
from sangyu.registry.statuslists.models import StatusLine, StatusList
from support.pages import client_for
from support.people import in_role

pytestmark = pytest.mark.django_db
ROW = {"name": "张桂兰", "sex": "女", "birth_date": "1941.3.5", "region": "清华社区", "phone": "13804170000"}
LIST = {"list_kind": "minimum_living", "month": "2026-10", "authority": "民政局"}


@pytest.fixture
def officer(staff):
    return in_role(replace(staff("a"), account_id=7), "bureau")


@pytest.fixture
def browse(officer):
    client = client_for(officer)

    def call(name, *args, data=None, query=""):
        url = reverse(name, args=args) + query
        answer = client.get(url) if data is None else client.post(url, data)
        assert answer.status_code in (200, 302, 303), (answer.status_code, answer.content.decode()[:1500])
        return answer.content.decode()

    return call


def handed(actor, kind, key, rows, **settings):
    return exchange.hand_over(actor=actor, kind=kind, key=key, rows=rows, settings=settings)


def test_a_held_row_is_decided_on_its_page(officer, browse):
    handed(officer, "people.roster", "1", [ROW])
    handed(officer, "people.roster", "2", [{**ROW, "phone": "13904170000", "address": "清华路3号"}])
    held, person = HeldRow.objects.get(), Person.objects.get()
    assert "张桂兰" in browse("people:held", query="?state=open")
    page = browse("people:held_decide", held.pk)
    assert "清华路3号" in page
    assert "139****0000" in page
    assert "13904170000" not in page
    browse("people:held_decide", held.pk, data={"decision": f"same:{person.pk}", "reason": "电话核实"})
    person.refresh_from_db()
    held.refresh_from_db()
    assert (person.address, held.state, held.reason) == ("清华路3号", "same", "电话核实")
    assert "电话核实" in browse("people:held_decide", held.pk)


def test_status_lists_are_entered_compared_and_settled(officer, browse, regions):
    handed(officer, "people.roster", "1", [ROW])
    rows = [
        {k: ROW[k] for k in ("name", "birth_date", "region")},
        {"name": "无此人", "birth_date": "1940.1.1", "region": "清华社区"},
    ]
    handed(officer, "statuslists.list", "2", rows, **LIST)
    made = StatusList.objects.get()
    assert "民政局" in browse("statuslists:list")
    assert "名单月份" in browse("statuslists:import")
    page = browse("statuslists:lines", made.pk)
    assert "待开始" in page
    assert "无此人" in page
    new, miss = StatusLine.objects.order_by("row")
    browse("statuslists:lines", made.pk, data={"bulk": "apply", "ids": [new.pk], "confirmed": "1"})
    browse("statuslists:register", miss.pk)
    given = {"region_id": regions["a_two"].full_name, "address": "胜利街1号", "sex": "1"}
    browse("statuslists:register", miss.pk, data=given)
    miss.refresh_from_db()
    assert (miss.state, Person.objects.get(name="无此人").pk) == ("done", miss.person_id)
    assert "导入" in browse("people:import")
