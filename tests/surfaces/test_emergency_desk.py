"""The emergency desk: queue, claim that one wins, acts in place, supervision, wallboard (R-094, X-08, ux.md §6A)."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from sangyu.care.emergencies import services
from sangyu.care.emergencies.models import Incident
from sangyu.kernel import live
from sangyu.kernel.models import DataRead
from support.emergencies import JOB, alarm, facility, operator
from support.pages import client_for
from support.world import make_person, make_regions

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def room(shared_rows):
    """One elder who wears a watch, two operators and a supervisor of the county, an operator of another."""
    tree = make_regions()
    return {
        "person": make_person(tree["a_one"], living="alone"),
        "first": operator(tree["a"], "王丽"),
        "second": operator(tree["a"], "赵敏"),
        "other": operator(tree["b"], "钱进"),
    }


@pytest.fixture
def case(room):
    now = timezone.now()
    (pk,) = services.alarms([alarm(room["person"], at=now - timedelta(seconds=70))], actor=JOB, now=now - timedelta(seconds=69))  # fmt: skip
    return Incident.objects.get(pk=pk)


def page_of(actor, name, *args, **query):
    return client_for(actor).get(reverse(f"desk:{name}", args=args), query)


def act(actor, case, name, **data):
    return client_for(actor).post(reverse(f"desk:{name}", args=[case.pk]), data, headers={"HX-Request": "true"})


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_the_queue_shows_the_case_red_and_ringing_to_its_area_only(room, case):
    text = page_of(room["first"], "desk").content.decode()
    assert 'data-ring="1"' in text
    assert "timer--60" in text
    assert room["person"].name in text
    assert f'action="{reverse("desk:claim", args=[case.pk])}"' in text
    assert room["person"].name not in page_of(room["other"], "desk").content.decode()
    assert page_of(room["other"], "case", case.pk).status_code == 303  # to the whole desk, which says 404
    assert page_of(room["other"], "desk", case=case.pk).status_code == 404


def announced(actor) -> list:
    found = re.search(r'data-announced="([^"]*)"', page_of(actor, "queue", mine=1).content.decode())[1]
    return json.loads(found)


def test_the_queue_says_which_alarms_have_their_case_also_when_it_was_closed(room, case):
    """A console that opens right after a case was closed must not ring for the press that made it (X-08)."""
    ms = int(case.alarm_at.timestamp() * 1000)
    assert announced(room["first"]) == [[case.device_id, room["person"].pk, None, ms + 2000]]
    assert announced(room["other"]) == []
    act(room["first"], case, "claim")
    act(room["first"], case, "close", outcome="false_alarm", cause="by_mistake", words="误按")
    case.refresh_from_db()
    assert case.state == "closed"
    assert announced(room["first"]) == [[case.device_id, room["person"].pk, ms, ms]]
    Incident.objects.filter(pk=case.pk).update(last_alarm_at=timezone.now() - timedelta(minutes=16))
    assert announced(room["first"]) == []


def test_each_opening_of_a_case_is_written_down_once_for_four_statements(room, case):
    """R-090: among the looks at the elder's data; the news of an open case are the same look, a tab of its page too."""

    def looks():
        rows = DataRead.objects.filter(table_name="people_person", row_id=room["person"].pk)
        return list(rows.order_by("pk").values_list("what", "purpose", "actor"))

    look = ("emergencies.case", case.number, "王丽")
    for at in ("queue", "desk"):
        page_of(room["first"], at)
    assert looks() == []
    with CaptureQueriesContext(connection) as plain:
        news = client_for(room["first"]).get(reverse("desk:news", args=[case.pk]))
    assert (news.status_code, looks()) == (200, [])
    client = client_for(room["first"])
    with CaptureQueriesContext(connection) as opened:
        client.get(reverse("desk:case", args=[case.pk]), headers={"HX-Request": "true"})
    assert looks() == [look]
    assert len(opened) - len(plain) <= 4
    page_of(room["first"], "desk", case=case.pk)
    client.get(f"/emergencies/{case.pk}/")
    client.get(f"/emergencies/{case.pk}/steps/", headers={"HX-Request": "true", "HX-Target": "tab"})
    assert looks() == [look] * 3


def test_one_claims_and_the_other_is_told_who(room, case):
    answer = act(room["first"], case, "claim")
    assert answer.status_code == 200
    assert f'data-open-case="{case.pk}"' in answer.content.decode()
    assert json.loads(answer["HX-Trigger"])["desk:changed"] == {"case": case.pk}
    refused = act(room["second"], case, "claim")
    assert refused.status_code == 409
    assert "X-Message" in refused
    assert "王丽" in words(refused)
    case.refresh_from_db()
    assert (case.state, case.claimed_name) == ("claimed", "王丽")
    rows = page_of(room["second"], "queue").content.decode()
    assert 'data-ring="0"' in rows
    assert "王丽" in rows


def test_the_case_from_call_to_close(room, case):
    first = room["first"]
    act(first, case, "claim")
    act(first, case, "verify", result="")
    text = words(act(first, case, "verify", result="no_answer", words=""))
    assert "无人接听" in text
    assert act(first, case, "note", text="邻居有钥匙").status_code == 200
    assert act(first, case, "emergency", number="999").status_code == 422
    assert act(first, case, "emergency", number="120").status_code == 200
    assert act(first, case, "close", outcome="hospital").status_code == 422
    news = page_of(first, "news", case.pk)
    assert {"case-state", "case-people", "case-ladder", "case-trail"} == set(
        re.findall(r'id="(case-\w+)" hx-swap-oob', news.content.decode())
    )
    assert "邻居有钥匙" in words(news)
    case.refresh_from_db()
    assert (case.verified, case.emergency_at is not None) == ("no_answer", True)


def test_no_one_acts_on_what_another_holds(room, case):
    act(room["first"], case, "claim")
    pane = page_of(room["second"], "desk", case=case.pk).content.decode()
    assert reverse("desk:close", args=[case.pk]) not in pane
    assert reverse("desk:verify", args=[case.pk]) not in pane
    assert act(room["second"], case, "verify", result="all_right").status_code == 409
    case.refresh_from_db()
    assert case.verified == ""


def test_the_supervisor_sees_who_holds_what_and_gives_back(room, case):
    act(room["first"], case, "claim")
    supervisor = room["second"]
    text = page_of(supervisor, "watch").content.decode()
    assert "王丽" in text
    address = reverse("desk:give_back", args=[case.pk])
    assert address in text
    client = client_for(supervisor)
    assert client.get(address).status_code == 200
    assert client.post(address, {"reason": ""}).status_code == 422
    assert client.post(address, {"reason": "换班"}).status_code == 303
    case.refresh_from_db()
    assert (case.state, case.claimed_by_id) == ("open", None)


def test_the_wall_names_nobody(room, case):
    text = page_of(room["first"], "wall").content.decode()
    board = text[text.index('id="watching"') :]
    assert case.number in board
    assert room["person"].name not in board
    assert room["person"].address not in board
    assert 'data-ui="wall"' in text
    quiet = page_of(room["other"], "wall").content.decode()
    assert case.number not in quiet


def test_the_map_works_without_tiles_and_says_how_old_the_place_is(room, settings):
    now = timezone.now()
    near = facility(room["person"].region, "清华驿站", kind="institution", metres=4_500, person=room["person"])
    found = alarm(
        room["person"], at=now, latitude=40.7, longitude=122.2, placed_at=now - timedelta(minutes=12), accuracy=30.0
    )
    (pk,) = services.alarms([found], actor=JOB, now=now)
    text = page_of(room["first"], "desk", case=pk).content.decode()
    assert "定位于 12 分钟前，误差约 30 米" in text
    data = json.loads(re.search(r'id="map-data" type="application/json">(.*?)</script>', text)[1])
    assert data["tiles"] == ""
    elder = next(p for p in data["points"] if p["kind"] == "elder")
    assert (elder["lat"], elder["lon"], elder["radius"]) == (40.7, 122.2, 30.0)
    assert {p["kind"] for p in data["points"]} == {"elder", "home", "help"}
    (helper,) = [p for p in data["points"] if p["kind"] == "help"]
    assert (helper["letter"], helper["words"], helper["lat"]) == ("A", near.name, near.latitude)
    settings.SANGYU_MAP_TILES = "/tiles/{z}/{x}/{y}.png"
    assert "/tiles/{z}/{x}/{y}.png" in page_of(room["first"], "desk", case=pk).content.decode()


def test_only_who_handles_cases_hears_alarms_past_the_database(room):
    import dataclasses

    assert "signals.alarm" in live.listener(live.ticket(room["first"], ["signals.alarm"])).topics
    clerk = dataclasses.replace(room["first"], permissions=frozenset({"people.view"}))
    assert live.listener(live.ticket(clerk, ["signals.alarm", "emergencies"])).topics == ("emergencies",)
