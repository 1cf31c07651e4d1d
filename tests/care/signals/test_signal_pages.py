"""Screens of signals: charts, map, alarms, the elder's tab, the relative's look (R-090, R-091)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from sangyu.care.signals import charts, selectors, services
from sangyu.care.signals.models import Alarm, Fence, Limit, Reading
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.jobs import run_due
from sangyu.kernel.models import DataRead, Share
from sangyu.kernel.permissions import every_permission
from sangyu.kernel.scoping import scope
from sangyu.registry.people.models import Consent
from support.pages import client_for
from support.signalling import entry, take, worn
from support.world import make_person, make_regions

pytestmark = pytest.mark.django_db
HOME = (40.661, 122.231, 10.0)


@pytest.fixture(scope="module")
def rows(shared_rows):
    """A watch that reported every half hour of the last day, and an open SOS; a mattress's night."""
    regions = make_regions()
    person, other = make_person(regions["a_one"]), make_person(regions["b_one"], "李秀英")
    watch, bed = worn(regions["a"], person).pk, worn(regions["a"], person, product="mattress-alink").pk
    now = timezone.now().replace(microsecond=0)
    given = [
        entry(
            watch, now - timedelta(minutes=30 * n), readings={"heart_rate": 70 + n % 9, "steps": 4000 - 50 * n, "battery": 90, "systolic": 130 + n % 5, "diastolic": 80},
            place=(40.66 + n / 1e4, 122.23, 12.0), received=now,
        )
        for n in range(1, 48)
    ]  # fmt: skip
    night = [
        entry(
            bed, now - timedelta(hours=2), kind="vitals", product="mattress-alink",
            readings={"in_bed": 1, "sleep_deep": 90, "sleep_light": 200, "sleep_rem": 60, "sleep_awake": 20, "sleep_score": 81},
        )
    ]  # fmt: skip
    take(given + night, now=now)
    take([entry(watch, now - timedelta(minutes=2), alarms=[("sos", 1)], place=HOME)], now=now)
    return {"regions": regions, "person": person, "other": other, "watch": watch, "bed": bed, "now": now}


@pytest.fixture
def bureau(rows):
    region = rows["regions"]["a"]
    return Actor(
        Audience.STAFF, region.path, "站前区", role="bureau", region_name=region.name, permissions=every_permission()
    )


def logged() -> list[str]:
    return sorted(DataRead.objects.values_list("what", flat=True))


def test_charts_by_day_night_and_week(rows, bureau):
    client, address = client_for(bureau), f"/signals/person/{rows['person'].pk}/"
    for span in ("day", "night", "week", "nonsense"):
        assert client.get(f"{address}?span={span}").status_code == 200
    page = client.get(f"{address}?span=week").text
    for word in ("心率", "血压", "步数", "睡眠", "SOS"):
        assert word in page, word
    assert page.count('<path class="chart__l ') >= 4
    assert client.get(f"{address}?day=2019-01-01").text.count('<path class="chart__l ') == 0
    assert client.get(f"{address}?day=rubbish").status_code == 200
    assert set(logged()) == {"signals"}
    assert client.get(f"/signals/person/{rows['other'].pk}/").status_code == 404
    assert client.get(f"/signals/device/{rows['watch']}/").status_code == 200
    assert "signals/device" in client.get(f"/devices/{rows['watch']}/").text


def test_where_somebody_was_is_logged_and_needs_consent(rows, bureau):
    client, address = client_for(bureau), f"/signals/person/{rows['person'].pk}/track/"
    assert "40.66" in client.get(address).text
    assert logged() == ["position"]
    Consent.objects.filter(person=rows["person"], purpose="location").update(withdrawn_on=timezone.localdate())
    page = client.get(address).text
    assert ("40.66" in page, logged()) == (False, ["position"])


def test_the_map_shows_its_area_and_logs_the_look(rows, bureau):
    client = client_for(bureau)
    page = client.get("/signals/map/").text
    assert ('"tone": "bad"' in page, rows["person"].name in page) == (True, True)
    assert logged() == ["position"]
    assert '"points": []' in client.get(f"/signals/map/?path={rows['regions']['a_two'].path}").text or "没有" in page
    Consent.objects.filter(person=rows["person"], purpose="location").update(withdrawn_on=timezone.localdate())
    assert rows["person"].name not in client.get("/signals/map/").text


def test_alarms_and_the_elders_tab(rows, bureau, django_assert_max_num_queries):
    client = client_for(bureau)
    with django_assert_max_num_queries(14):
        page = client.get("/signals/?state=open")
    assert (page.status_code, "SOS" in page.text, rows["person"].name in page.text) == (200, True, True)
    tab = client.get(f"/casefile/{rows['person'].pk}/devices/")
    assert (tab.status_code, "SOS" in tab.text, f"/signals/person/{rows['person'].pk}/" in tab.text) == (
        200,
        True,
        True,
    )


def test_a_relative_sees_what_the_elder_agreed_to(rows):
    """R-090: family view and station view differ; every look is logged."""
    person = rows["person"]
    family = Actor(
        Audience.FAMILY, person.path, "女儿", account_id=7, subject_id=7, role="family", permissions=every_permission()
    )
    Share.objects.create(
        audience="family",
        subject_id=7,
        kind="person",
        object_id=person.pk,
        path=person.path,
        reason="test",
        since=rows["now"] - timedelta(days=1),
    )
    client, address = client_for(family), f"/elder/{person.pk}/devices/"
    first = client.get(address)
    assert (first.status_code, "心率" in first.text, logged()) == (200, False, [])
    Limit.objects.create(
        person=person,
        path=person.path,
        rule="spo2",
        low=85,
        reason="慢阻肺",
        set_by="张三",
        valid_from=timezone.localdate(),
    )
    page = client.get(f"{address}?show=1").text
    assert ("心率" in page, "geo:40.66" in page, logged()) == (True, True, ["signals position"])
    assert ("血氧偏低" in page, "不低于 85 %" in page, "慢阻肺" in page) == (True, True, True)
    Consent.objects.filter(person=person).update(withdrawn_on=timezone.localdate())
    page = client.get(f"{address}?show=1").text
    assert ("心率" in page, "geo:" in page) == (False, "geo:" in page)
    assert logged() == ["signals position"]


def test_personal_limits_and_fences_hold_from_the_day_they_are_set(rows, bureau):
    """R-091: a limit of one's own; ending it on the same day leaves nothing behind."""
    person, now = rows["person"].pk, rows["now"]
    with scope(bureau):
        limit = services.set_limit(actor=bureau, person_id=person, rule="heart_rate", high=100, reason="医嘱")
        fence = services.draw_fence(
            actor=bureau, person_id=person, name="小区", latitude=40.661, longitude=122.231, radius=300, reason="走失过"
        )
    bad = [
        entry(rows["watch"], now + timedelta(minutes=n), readings={"heart_rate": 105}, place=(40.7, 122.3))
        for n in (1, 2, 3)
    ]
    rules = {r.rule for r in take(bad, now=now + timedelta(minutes=4))}
    assert rules == {"heart_rate", f"geofence:{fence.pk}"}
    with scope(bureau):
        services.end_limit(actor=bureau, limit_id=limit.pk)
        services.end_fence(actor=bureau, fence_id=fence.pk)
    assert (Limit.objects.count(), Fence.objects.count()) == (0, 0)
    run_due()
    assert Alarm.objects.get(rule=f"geofence:{fence.pk}").state == "cleared"
    assert (
        take(
            [entry(rows["watch"], now + timedelta(minutes=n), readings={"heart_rate": 106}) for n in (40, 41)],
            now=now + timedelta(minutes=42),
        )
        == []
    )


def test_limits_and_fences_have_a_page(rows, bureau):
    """R-091: who set what and why, what held earlier; what makes no sense is refused; who may look only gets no buttons."""
    person, now = rows["person"], rows["now"]
    client, home = client_for(bureau), f"/signals/person/{person.pk}/limits/"
    limit = {"rule": "heart_rate", "high": "100", "reason": "张医生医嘱"}
    for wrong in (
        {"low": "120"},
        {"minutes": "5"},
        {"rule": "sos"},
        {"rule": "left_bed", "high": "100"},
        {"reason": " "},
    ):
        assert client.post(f"{home}new/", limit | wrong).status_code == 422, wrong
    assert client.post(f"{home}new/", {"rule": "heart_rate", "low": "140", "reason": "x"}).status_code == 422
    assert not Limit.objects.exists()
    assert client.post(f"{home}new/", limit)["Location"] == home
    assert client.post(f"{home}new/", {"rule": "left_bed", "minutes": "60", "reason": "夜里常起来"}).status_code == 303
    drawn = client.get(f"/signals/person/{person.pk}/fences/new/").text
    assert ("data-pick-map" in drawn, f'value="{person.latitude}"' in drawn) == (True, True)
    fence = {
        "name": "小区",
        "inside": "1",
        "latitude": "40.661",
        "longitude": "122.231",
        "radius": "300",
        "reason": "走失过",
    }
    address = f"/signals/person/{person.pk}/fences/new/"
    assert client.post(address, fence | {"radius": "20"}).status_code == 422
    assert client.post(address, fence)["Location"] == home
    words = (
        "心率超限",
        "不高于 100 /min",
        "不低于 45 /min，不高于 130 /min",
        "超过 60 分钟",
        "不得走出 300 米",
        "张医生医嘱",
        "站前区",
    )
    for at in (
        home,
        f"/signals/person/{person.pk}/",
        f"/signals/device/{rows['watch']}/",
        f"/casefile/{person.pk}/devices/",
    ):
        page = client.get(at).text
        assert [w for w in words if w not in page] == [], at
    Limit.objects.update(valid_from=timezone.localdate(now) - timedelta(days=3))
    row = Limit.objects.get(rule="heart_rate")
    assert "恢复一般限值" in client.get(f"/signals/limits/{row.pk}/end/").text
    assert client.post(f"/signals/limits/{row.pk}/end/")["Location"] == home
    assert client.post(f"/signals/fences/{Fence.objects.get().pk}/end/").status_code == 303
    page = client.get(home).text
    assert ("以前的" in page, "张医生医嘱" in page, "不得走出" in page) == (True, True, False)
    history = client.get(f"/casefile/{person.pk}/history/").text
    assert ("设个人限值" in history, "结束个人限值" in history) == (True, True)
    looks = replace(bureau, permissions=bureau.permissions - {"signals.limits"})
    page = client_for(looks).get(home).text
    assert ("超过 60 分钟" in page, "/end/" in page, "limits/new" in page) == (True, False, False)
    assert client_for(looks).get(f"{home}new/").status_code == 403
    assert client.get(f"/signals/person/{rows['other'].pk}/limits/").status_code == 404


def test_a_device_that_takes_its_call_back_leaves_the_case_open(rows):
    """devices.md §6: the reset is written into the case; a person closes it."""
    from sangyu.care.emergencies.models import Incident, Trail
    from sangyu.runtime import consumer

    now = timezone.now()
    consumer.settle([entry(rows["watch"], now, alarms=[("sos", 1)], pk="pressed")])
    fine = entry(rows["watch"], now + timedelta(seconds=5), kind="status", states={"sos": False}, pk="fine")
    consumer.settle([fine, entry(rows["bed"], now, kind="status", states={"sos": False, "worn": True})])
    consumer.settle([fine])
    case = Incident.objects.get(device_id=rows["watch"])
    assert (case.state, case.reset_at is not None) == ("open", True)
    assert Trail.objects.filter(what="reset").count() == 1
    assert (
        services.resets(
            [
                entry(rows["watch"], now, states={"sos": False}, late=True),
                entry(rows["watch"], now, states={"worn": False}),
            ]
        )
        == []
    )


def test_vitals_and_series(rows, bureau):
    now, person = rows["now"], rows["person"].pk
    with scope(bureau):
        values = selectors.vitals_of(bureau, person, "heart_rate", now - timedelta(hours=3), now)
        assert [v for _at, v in values] == [70 + n % 9 for n in range(6, 0, -1)]
        place = selectors.place_of(bureau, person)
        assert (place.latitude, place.device_id) == (HOME[0], rows["watch"])
        with pytest.raises(ValueError, match="no column"):
            selectors.vitals_of(bureau, person, "x; DROP", now, now)
    assert charts._ticks(61, 139) == [60, 80, 100, 120, 140]


def test_programs_ask_for_measurements_and_the_place(rows, bureau):
    client, now = client_for(bureau), rows["now"]
    span = {"kind": "heart_rate", "frm": (now - timedelta(hours=3)).isoformat(), "to": now.isoformat()}
    address = f"/api/v1/people/{rows['person'].pk}"
    given = client.get(f"{address}/measurements", span).json()
    assert (given["agreed"], [i["value"] for i in given["items"]]) == (True, [70 + n % 9 for n in range(6, 0, -1)])
    assert client.get(f"{address}/place").json()["place"]["latitude"] == HOME[0]
    assert logged() == ["position", "signals"]
    far = client.get(f"{address}/measurements", span | {"frm": (now - timedelta(days=32)).isoformat()})
    assert (far.status_code, list(far.json()["errors"])) == (422, ["to"])
    assert client.get(f"/api/v1/people/{rows['other'].pk}/measurements", span).status_code == 404
    alarms = client.get("/api/v1/device-alarms", {"person_id": rows["person"].pk, "state": "open"}).json()["items"]
    assert [(a["kind"], a["level"]) for a in alarms] == [("sos", 1)]
    Consent.objects.filter(person=rows["person"]).update(withdrawn_on=timezone.localdate())
    assert client.get(f"{address}/measurements", span).json() == {"agreed": False, "items": []}
    assert logged() == ["position", "signals"]


def test_days_are_thinned_to_hours_and_removed(rows, bureau):
    """devices.md §5: raw for days, then hours; the chart of the old day is drawn from them."""
    from sangyu.care.signals import retention
    from support.signalling import JOB

    old = rows["now"] - timedelta(days=40)
    take(
        [
            entry(
                rows["watch"],
                old + timedelta(minutes=n),
                readings={"heart_rate": 60 + n},
                received=old + timedelta(minutes=n),
            )
            for n in range(10)
        ],
        now=old + timedelta(hours=1),
    )
    day = timezone.localdate(old)
    with (
        scope(bureau),
        pytest.raises(DatabaseError, match="by a job"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT sangyu.signals_drop('reading', %s, 31)", [day])
    with scope(JOB):
        done = services.keep_days(actor=JOB)
        assert done["removed"] >= 2
        assert not Reading.objects.filter(day=day).exists()
        assert retention.keeping().readings == 31
    with scope(bureau):
        found = selectors.series(
            {"person_id": rows["person"].pk},
            ["heart_rate"],
            *(lambda w: (w.begins, w.ends, w.step))(charts.window("day", day)),
        )
    assert found["heart_rate"], "hours are drawn"
    assert min(p[1] for p in found["heart_rate"]) == 60
