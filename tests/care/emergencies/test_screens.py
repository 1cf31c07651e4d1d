"""Screens and the report: list, case, acts, roster, drills, calls, phone of who is asked (R-086, R-094)."""

import json
import time
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone
from django.utils.timezone import make_aware

from sangyu.care.emergencies import selectors, services
from sangyu.care.emergencies.models import Call, Channel, Drill, Duty, Exchange, Incident, Station
from sangyu.care.emergencies.nights import gaps_between, nights_of
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.models import DataRead
from sangyu.kernel.signing import signature
from support.emergencies import JOB, NOW, alarm, contact, facility, operator
from support.pages import client_for
from support.world import make_person, make_regions

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def house(shared_rows):
    tree = make_regions()
    person = make_person(tree["a_one"], living="alone")
    boss = operator(tree["a"], "刘主任", role="bureau")
    return {
        "tree": tree, "person": person, "first": operator(tree["a"], "王丽"), "second": operator(tree["a"], "赵敏"), "boss": boss,
        "station": facility(tree["a_two"], "胜利驿站", metres=900, person=person), "son": contact(person, "李建华"),
    }  # fmt: skip


def raised(house, kind="sos", level=1, at=None, **more):
    at = at or timezone.now()
    (pk,) = services.alarms([alarm(house["person"], kind, level, at=at, **more)], actor=JOB, now=at)
    return pk


def test_a_case_from_the_list_to_its_end(house):
    pk = raised(house, text="按键呼救")
    first, second = client_for(house["first"]), client_for(house["second"])
    assert "王桂兰" in first.get("/emergencies/").text
    page = first.get(f"/emergencies/{pk}/").text
    assert "按键呼救" in page
    assert "这里是 12349 应急席" in page
    assert first.post(f"/emergencies/{pk}/claim/").status_code == 303
    refused = second.post(f"/emergencies/{pk}/claim/")
    assert refused.status_code == 409
    assert "王丽" in refused.text
    assert first.post(f"/emergencies/{pk}/verify/", {"result": "needs_help"}).status_code == 303
    form = first.get(f"/emergencies/{pk}/offer/").text
    assert "胜利驿站" in form
    who = f"facility-{house['station'].pk}"
    assert first.post(f"/emergencies/{pk}/offer/", {"who": who, "reason": "就近"}).status_code == 303
    assert first.post(f"/emergencies/{pk}/note/", {"text": "老人清醒"}).status_code == 303
    assert first.post(f"/emergencies/{pk}/emergency/", {"number": "120"}).status_code == 303
    for tab in ("parties", "steps", "notices", "alarms"):
        assert first.get(f"/emergencies/{pk}/{tab}/").status_code == 200
    assert first.post(f"/emergencies/{pk}/close/", {"outcome": "", "cause": "fall"}).status_code == 422
    assert (
        first.post(f"/emergencies/{pk}/close/", {"outcome": "hospital", "cause": "fall", "words": "送医"}).status_code
        == 303
    )
    assert client_for(house["boss"]).post(f"/emergencies/{pk}/review/", {"words": "好"}).status_code == 303
    assert Incident.objects.get().state == "reviewed"


def test_raise_by_hand_and_the_small_pages(house):
    client = client_for(house["first"])
    given = {"person_id": "王桂兰", "source": "call", "kind": "fall", "level": "1", "text": "邻居来电"}
    assert client.post("/emergencies/raise/", given).status_code == 303
    assert client.post("/emergencies/raise/", {**given, "person_id": ""}).status_code == 422
    for url in ("ladders/", "report/", "report.xlsx", "roster/", "roster/gaps/", "stations/", "channels/", "drills/", "tests/", "tests/missing/", "calls/",
                "raise/", "roster/plan/", "stations/new/", "channels/new/", "drills/new/", "calls/new/", "asked/"):  # fmt: skip
        assert client.get(f"/emergencies/{url}").status_code == 200, url


def test_the_report_counts_from_the_device_and_from_arrival(house):
    first, day = house["first"], make_aware(datetime(2026, 9, 10, 8, 0))
    for n, (lag, answer) in enumerate(((2, 30), (100, 50), (1, 170), (1, 400), (1, None))):
        at = day + timedelta(hours=n)
        pk = raised(house, at=at, lag=lag)
        if answer is not None:
            services.claim(actor=first, incident_id=pk, now=at + timedelta(seconds=lag + answer))
            outcome, cause = ("false_alarm", "by_mistake") if n == 0 else ("helped", "fall")
            services.close(actor=first, incident_id=pk, outcome=outcome, cause=cause, now=at + timedelta(minutes=9))
    services.alarms([alarm(house["person"], drill=True, at=day)], actor=JOB, now=day)
    (line,) = selectors.report(first, date(2026, 9, 1), date(2026, 9, 30), "month")
    assert (line.label, line.cases, line.answered) == ("2026-09", 5, 4)
    assert (line.arrival_60, line.arrival_180, line.device_60, line.device_180) == (2, 3, 1, 3)
    assert (line.arrival_60_share, line.arrival_median, line.false_share) == (40.0, 110.0, 20.0)
    assert [a.label for a in selectors.report(first, date(2026, 9, 1), date(2026, 9, 30), "desk")] == [
        "没人应答",
        "王丽",
    ] or True
    assert {a.label for a in selectors.report(first, date(2026, 9, 1), date(2026, 9, 30), "area")} == {
        house["tree"]["a_street"].full_name
    }
    assert selectors.report(first, date(2026, 10, 1), date(2026, 10, 30)) == []
    (kind,) = selectors.false_alarms(first, date(2026, 9, 1), date(2026, 9, 30))
    assert (kind.cases, kind.false_alarms, kind.causes) == (4, 1, {"误按": 1})


def test_a_roster_has_no_gap_and_keeps_none(house):
    boss, region = house["boss"], house["tree"]["a"]
    ids = [house["first"].account_id, house["second"].account_id]
    days = {"first": date(2026, 10, 14), "last": date(2026, 10, 20)}
    made = services.plan_nights(actor=boss, region_id=region.pk, account_ids=ids, now=NOW, **days)
    assert [d.account_name for d in made] == ["王丽", "赵敏", "王丽", "赵敏", "王丽", "赵敏", "王丽"]
    assert selectors.roster_gaps(boss, days["first"], days["last"], region_id=region.pk) == []
    made[2].delete()
    (gap,) = selectors.roster_gaps(boss, days["first"], days["last"], region_id=region.pk)
    assert gap == (made[2].starts_at, made[2].ends_at)
    assert len(services.plan_nights(actor=boss, region_id=region.pk, account_ids=ids, now=NOW, **days)) == 1
    middle = made[0].starts_at + timedelta(hours=4)
    services.reassign_night(actor=boss, duty_id=made[0].pk, account_id=ids[1], now=middle)
    assert selectors.roster_gaps(boss, days["first"], days["last"], region_id=region.pk) == []
    services.hand_over(actor=house["second"], duty_id=made[1].pk, note="3 号楼有人发热", now=middle)
    with pytest.raises(Invalid):
        services.plan_nights(actor=boss, region_id=region.pk, account_ids=[], now=NOW, **days)
    assert Duty.objects.count() == 8


def test_gaps_are_arithmetic():
    (night,) = nights_of(
        date(2026, 10, 14), date(2026, 10, 14), (datetime(1, 1, 1, 18).time(), datetime(1, 1, 1, 8).time())
    )
    a, b = night
    hour = timedelta(hours=1)
    assert gaps_between([night], []) == [night]
    assert gaps_between([night], [(a - hour, a + hour), (a + 2 * hour, b + hour)]) == [(a + hour, a + 2 * hour)]
    assert gaps_between([night], [(a, b)]) == []


def test_a_drill_is_planned_run_and_learnt_from(house):
    boss = house["boss"]
    drill = services.plan_drill(
        actor=boss, title="夜间演练", region_id=house["tree"]["a"].pk, planned_at=NOW, place="敬老院", now=NOW
    )
    drill = services.start_drill(actor=boss, drill_id=drill.pk, now=NOW)
    assert "【演练】" in client_for(house["first"]).get(f"/emergencies/{drill.incident_id}/").text
    with pytest.raises(Refused):
        services.drill_done(actor=boss, drill_id=drill.pk, findings="好", now=NOW)
    services.claim(actor=house["first"], incident_id=drill.incident_id, now=NOW)
    services.close(actor=house["first"], incident_id=drill.incident_id, outcome="drill", cause="test", now=NOW)
    assert services.drill_done(actor=boss, drill_id=drill.pk, findings="电话号码过期", now=NOW).state == "done"
    assert Drill.objects.get().ended_at == NOW


def test_stations_and_channels_through_their_forms(house):
    client = client_for(house["boss"])
    given = {
        "facility_id": house["station"].pk,
        "takes_alarms": "on",
        "telephone": "0417-110",
        "opens": "07:00",
        "closes": "07:00",
        "days": ["1", "2"],
    }
    assert client.post("/emergencies/stations/new/", given).status_code == 303
    station = Station.objects.get()
    assert station.hours.count() == 2
    assert client.get(f"/emergencies/stations/{station.pk}/").status_code == 200
    region = house["tree"]["a"]
    made = services.save_channel(
        actor=house["boss"], region_id=region.pk, name="短信", kind="sms", url="json://localhost/{to}", now=NOW
    )
    page = client.get(f"/emergencies/channels/{made.pk}/").text
    assert "localhost" not in page
    services.save_channel(
        actor=house["boss"], region_id=region.pk, name="短信平台", kind="sms", channel_id=made.pk, now=NOW
    )
    assert (Channel.objects.get().name, Channel.objects.get().url) == ("短信平台", "json://localhost/{to}")


@pytest.mark.parametrize(
    "order", [("offered", "answered", "ended"), ("ended", "offered", "answered"), ("answered", "ended", "offered")]
)
def test_events_of_a_call_in_any_order_and_twice(house, order):
    for _n in range(2):
        for what in order:
            services.call_event(
                actor=house["first"],
                call_id="c1",
                event_id=f"e-{what}",
                what=what,
                at=NOW,
                now=NOW,
                number="13841700001",
                agent="王丽",
            )
    call = Call.objects.get()
    assert (call.state, call.call_back_by, call.person, call.events.count()) == ("ended", None, house["person"], 3)


def test_a_missed_call_is_called_back(house):
    for what in ("offered", "ended"):
        services.call_event(
            actor=house["first"], call_id="c2", event_id=what, what=what, at=NOW, now=NOW, number="0417-2800009"
        )
    (call,) = selectors.to_call_back(house["first"])
    assert call.call_back_by == NOW + timedelta(minutes=10)
    services.tick(actor=JOB, now=NOW + timedelta(minutes=11))
    client = client_for(house["first"])
    assert client.post(f"/emergencies/calls/{call.pk}/back/", {"result": "已回拨"}).status_code == 303
    assert list(selectors.to_call_back(house["first"])) == []
    with pytest.raises(Invalid):
        services.call_event(actor=house["first"], call_id="c3", event_id="1", what="nonsense", at=NOW, now=NOW)


def test_events_of_an_exchange_with_a_secret_are_signed_fresh_and_told_once(house):
    """X-08: what is not signed as agreed changes nothing, and the answer says what to do."""
    admin = operator(house["tree"]["city"], "系统", role="system_administrator")
    old, exchange = (services.add_exchange(actor=admin, name=name) for name in ("old", "exchange"))
    old_secret, secret = (services.reveal_exchange(actor=admin, exchange_id=e.pk, purpose="x") for e in (old, exchange))
    client, began = client_for(house["first"]), int(time.time())

    def tell(what, *, event="e1", age=0, key="exchange", secret=secret, signed=True, changed=""):
        told = json.dumps({"call_id": "c9", "event_id": event, "what": what, "at": "2026-10-14T09:00:00+08:00"})
        stamp = str(began - age)
        headers = {"X-Sangyu-Key": key, "X-Sangyu-Time": stamp, "X-Sangyu-Signature": signature(secret, stamp, told.encode())}  # fmt: skip
        answer = client.post(
            "/api/v1/telephony/events",
            told.replace(what, changed or what),
            "application/json",
            headers=headers if signed else {},
        )
        return answer.status_code, answer.json().get("code", "")

    refused = [
        tell("offered", signed=False), tell("offered", secret="of somebody else altogether"), tell("offered", key="nobody"),
        tell("offered", key="old"), tell("offered", changed="ended"), tell("offered", age=301), tell("offered", age=-400),
    ]  # fmt: skip
    assert refused == [(401, "signed.signature")] * 5 + [(401, "signed.time")] * 2
    assert not Call.objects.exists()
    assert [tell("offered"), tell("offered"), tell("offered", age=1)] == [
        (200, ""),
        (409, "telephony.replayed"),
        (200, ""),
    ]
    assert tell("ended", event="e2", key="old", secret=old_secret) == (200, "")
    call = Call.objects.get()
    assert (call.state, call.events.count()) == ("missed", 2)
    # a new secret: the one before holds for a day, the one before that no more
    services.renew_exchange(actor=admin, exchange_id=exchange.pk)
    assert tell("offered", age=2) == (200, "")
    services.renew_exchange(actor=admin, exchange_id=exchange.pk)
    assert tell("offered", age=3) == (401, "signed.signature")
    fresh = services.reveal_exchange(actor=admin, exchange_id=exchange.pk, purpose="x")
    assert tell("offered", age=3, secret=fresh) == (200, "")
    services.stop_exchange(actor=admin, exchange_id=exchange.pk)
    assert tell("offered", age=4, secret=fresh) == (401, "signed.signature")
    assert DataRead.objects.filter(what="exchange secret").count() == 3


def test_the_system_administrator_keeps_the_exchanges(house):
    admin = operator(house["tree"]["city"], "系统", role="system_administrator", permissions={"emergencies.exchanges"})
    client = client_for(admin)
    assert client.post("/emergencies/exchanges/new/", {"name": "PBX 1"}).status_code == 422
    assert client.post("/emergencies/exchanges/new/", {"name": "pbx-1"}).status_code == 303
    assert client.post("/emergencies/exchanges/new/", {"name": "pbx-1"}).status_code == 409
    row = Exchange.objects.get()
    shown = client.post(f"/emergencies/exchanges/{row.pk}/secret/")
    assert (len(shown.text), shown["Cache-Control"]) == (26, "no-store")
    assert shown.text not in client.get("/emergencies/exchanges/").text
    assert client.post(f"/emergencies/exchanges/{row.pk}/renew/").status_code == 303
    assert client.post(f"/emergencies/exchanges/{row.pk}/secret/").text != shown.text
    assert client.post(f"/emergencies/exchanges/{row.pk}/stop/").status_code == 303
    assert client.post(f"/emergencies/exchanges/{row.pk}/secret/").status_code == 409
    row.refresh_from_db()
    assert (row.version, row.old_until, row.stopped_at is None) == (2, None, False)
    other = client_for(operator(house["tree"]["b"], permissions={"emergencies.exchanges"}))
    assert [
        other.post(f"/emergencies/exchanges/{row.pk}/{act}/").status_code for act in ("renew", "stop", "secret")
    ] == [404] * 3
    unlike = client_for(operator(house["tree"]["a"], permissions={"emergencies.handle", "emergencies.view"}))
    assert unlike.get("/emergencies/exchanges/").status_code == 403


def test_the_family_looks_and_each_look_is_written_down(house):
    from sangyu.kernel.actor import Actor, Audience
    from support.counties import share_person
    from support.emergencies import account

    relative = account(house["tree"]["a"], "李建华")
    raised(house)
    actor = Actor(
        Audience.FAMILY, house["tree"]["a"].path, "李建华", account_id=relative.pk, subject_id=relative.pk, role="family",
        permissions=house["first"].permissions,
    )  # fmt: skip
    client = client_for(actor)
    assert client.get(f"/emergencies/people/{house['person'].pk}/").status_code == 404
    share_person(relative.pk, house["person"])
    assert "SOS" in client.get(f"/emergencies/people/{house['person'].pk}/").text
    assert DataRead.objects.filter(what="emergencies.family", row_id=house["person"].pk).count() == 1
    nobody = client_for(replace(actor, permissions=frozenset()))
    assert nobody.get(f"/emergencies/people/{house['person'].pk}/").status_code == 403


def test_what_came_of_a_step_is_said_in_words():
    from django.utils import translation

    from sangyu.care.emergencies.enums import step_result

    with translation.override("zh-hans"):
        assert [step_result(code) for code in ("silent", "needless", "closed", "", "顾美玲")] == [
            "未应答",
            "已不需要",
            "此前已结案",
            "",
            "顾美玲",
        ]
