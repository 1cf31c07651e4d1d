"""From the button of a watch to a closed case, through the real screens and the real road (issue 5 §6.2; R-093, R-094)."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from sangyu.runtime.trial import Visitor
from support.stack import context_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
pytestmark = [pytest.mark.e2e, pytest.mark.stack]

#: A worn watch, a second operator, and two stations beside its wearer, who may be out for a walk: the nearer one has its free day today.
MAKE = """
from datetime import date, time
from django.utils import timezone
from sangyu.care.emergencies.models import Incident, OpenHours, Station
from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.devices.models import Device
from sangyu.registry.facilities.models import Facility
from sangyu.runtime.simulate.life import Life
busy = Incident.objects.exclude(state__in=["closed", "reviewed"]).exclude(person=None).values("person")
worn = Device.objects.filter(protocol="watch", state="issued", person__latitude__isnull=False, person__died_on=None)
watch = worn.exclude(person__in=busy).select_related("person").order_by("pk").first()
who = watch.person
here = Life(1, watch.identity, who.latitude, who.longitude).at(timezone.localtime())
one = Account.objects.get(username={operator!r})
two, made = Account.objects.get_or_create(username=one.username + "2", defaults={{"name": "二号坐席", "password": one.password}})
if made:
    for field in Account._meta.concrete_fields:
        if field.name not in ("id", "username", "name") and not field.unique:
            setattr(two, field.attname, getattr(one, field.attname))
    two.save()
    for grant in Grant.objects.filter(account=one):
        grant.pk, grant.account = None, two
        grant.save(force_insert=True)
def station(name, north):
    house, _made = Facility.objects.update_or_create(name=name, defaults={{"kind": "station", "region_id": who.region_id, "path": who.path,
        "latitude": here.latitude + north, "longitude": here.longitude, "opened_on": date(2020, 1, 1), "urban_rural": "urban", "telephone": "0417-2800000"}})
    return house, Station.objects.get_or_create(facility=house, defaults={{"path": who.path}})[0]
near, near_row = station("试验近站", 0.002)
next_one, next_row = station("试验次站", 0.004)
today = timezone.localtime().isoweekday()
OpenHours.objects.filter(station__in=[near_row, next_row]).delete()
for day in range(1, 8):
    if day not in (today, today % 7 + 1, (today - 2) % 7 + 1):
        OpenHours.objects.create(station=near_row, weekday=day, opens=time(0), closes=time(0))
    OpenHours.objects.create(station=next_row, weekday=day, opens=time(0), closes=time(0))
answer = {{"device": watch.identity, "person": who.pk, "name": who.name, "second": two.username, "near": near.name, "next": next_one.name}}
"""
#: The minute in which nobody confirms passes at once: the clock is a row.
MINUTE = """
from datetime import timedelta
from django.db.models import F
from sangyu.care.emergencies.models import Step
answer = Step.objects.filter(incident_id={pk}, done_at=None, act="nearest").update(due_at=F("due_at") - timedelta(minutes=1))
"""
FACTS = """
from sangyu.care.emergencies.models import Incident, Party, Trail
i = Incident.objects.get(pk={pk})
stamps = ["alarm_at", "received_at", "opened_at", "claimed_at", "verified_at", "dispatched_at", "under_way_at", "arrived_at", "closed_at"]
answer = {{
    "answered": [(i.answered_at - i.alarm_at).total_seconds(), (i.answered_at - i.received_at).total_seconds()],
    "state": i.state, "level": i.level, "outcome": i.outcome, "cause": i.cause, "by": i.claimed_name, "stamps": [getattr(i, s) for s in stamps],
    "cases": Incident.objects.filter(person_id=i.person_id, opened_at__gte=i.opened_at).count(),
    "parties": [[p.name, p.answer, p.distance_m, p.reason] for p in Party.objects.filter(incident=i, kind="facility").order_by("distance_m")],
    "trail": [t.what for t in Trail.objects.filter(incident=i).order_by("at", "id")],
}}
"""


def listen(page, town) -> None:
    """Open the desk and wait until it hears what is new; says what stands in the way when it does not."""
    page.goto(f"{town.address}/console/")
    try:
        page.locator("#live[data-up]").wait_for(state="attached")
    except PlaywrightTimeout:
        asked = page.evaluate(
            """async () => { const l = document.querySelector("#live"); if (!l) { return "no #live"; }
            const r = await fetch(l.dataset.live), t = await r.text(); if (!r.ok) { return r.status + " " + t.slice(0, 500); }
            const e = await fetch(JSON.parse(t).url); return e.status + " " + (e.ok ? "" : await e.text()) }"""
        )
        raise AssertionError(f"{page.url}: {asked}; {page.context.faults}; {Visitor(town.city.port).get('/live/health').words}") from None  # fmt: skip


def reported(town) -> dict:
    """The figures of today's response report, as the bureau's program reads them."""
    today = f"{datetime.now(UTC).astimezone(SHANGHAI):%F}"
    answer = town.role("bureau").get(f"/api/v1/emergencies/report?frm={today}&to={today}&by=total")
    lines = json.loads(answer.body)
    return lines[0] if lines else {}


def test_a_press_becomes_a_closed_case_with_every_moment_stamped(town, chromium):
    before = reported(town)
    made = town.city.ask(MAKE.format(operator=town.cast["roles"]["operator"]))
    first, second = town.role("operator"), town.visitor(made["second"])
    with context_of(chromium, town, first) as one, context_of(chromium, town, second) as two:
        desk, other = one.new_page(), two.new_page()
        for page in (desk, other):
            listen(page, town)
        town.city.ask("from sangyu.kernel.models import Event\nanswer = Event.objects.count()")  # both listen by now
        pressed = town.city.sangyu("simulate", "--press", made["device"])
        assert pressed.returncode == 0, pressed.stdout + pressed.stderr
        row = f"[data-case]:has-text('{made['name']}')[data-waits]"
        for page in (desk, other):
            page.locator(row).first.wait_for()
            assert page.locator("body").get_attribute("data-sounding") == "1"
            page.locator(f"#raw [data-device]:has-text('{made['device']}')").wait_for(
                state="detached"
            )  # its case is there
        pk = int(desk.locator(row).first.get_attribute("data-case"))

        desk.locator(f"[data-case='{pk}'] [data-claim]").click()
        desk.locator(f"[data-open-case='{pk}']").wait_for()
        assert made["name"] in desk.locator(".who__n").inner_text()
        other.locator(
            f"[data-case='{pk}']:not([data-waits])"
        ).wait_for()  # the loser sees who has it, and hears nothing more of it
        other.goto(f"{town.address}/console/?case={pk}")
        assert other.locator("#case-state form[action$='/close/'], #close-form").count() == 0

        desk.keyboard.press("v")
        desk.locator("#case-state button[value=no_answer]").click()
        desk.locator("#case-state[data-state=verifying]").wait_for()
        assert town.city.ask(MINUTE.format(pk=pk)) == 1
        chain = desk.locator("#case-people")
        chain.locator(f".desk__party:has-text('{made['next']}')").wait_for()  # news of the ticker, by themselves
        closed = chain.locator(f".desk__party:has-text('{made['near']}')").inner_text()
        assert re.search(r"\d+ m", closed)

        chain.locator(f".desk__party:has-text('{made['next']}') button[name=accepted][value='1']").click()
        chain.locator("form[action$='/on-the-way/'] button").first.click()
        desk.locator("#case-state[data-state=on_the_way]").wait_for()
        chain.locator("form[action$='/arrived/'] button").first.click()
        desk.locator("#case-state[data-state=arrived]").wait_for()
        desk.locator("#close-form").wait_for()
        desk.locator("h2.who__n").click()
        desk.keyboard.press("1")
        desk.select_option("#cause", "help")
        desk.fill("#ended", "起身不稳，已扶起，老人无碍")
        desk.locator("#close-form button[type=submit]").click()
        desk.locator("#case-state[data-state=closed]").wait_for()
        other.locator(f"#queue [data-case='{pk}']").wait_for(state="detached")
        faults = one.faults + two.faults
    facts = town.city.ask(FACTS.format(pk=pk))
    assert (facts["state"], facts["level"], facts["outcome"], facts["cause"], facts["cases"]) == (
        "closed",
        1,
        "helped",
        "help",
        1,
    )
    stamps = [datetime.fromisoformat(s) for s in facts["stamps"]]
    assert stamps[1:] == sorted(stamps[1:])
    asked = {name: answer for name, answer, _metres, _reason in facts["parties"]}
    assert (asked[made["near"]], asked[made["next"]]) == ("passed", "accepted")
    distances = [metres for name, _answer, metres, _reason in facts["parties"] if name in (made["near"], made["next"])]
    assert distances == sorted(distances)
    assert all(reason for _name, _answer, _metres, reason in facts["parties"])
    wanted = ["opened", "claimed", "verified", "passed", "offered", "accepted", "on_the_way", "arrived", "closed"]
    told = [what for what in facts["trail"] if what in wanted]
    rest = iter(told)  # where the claim took its time, the ladder has asked somebody before
    assert all(w in rest for w in wanted), told
    assert faults == []
    after, (device, arrival) = reported(town), facts["answered"]
    more = {k: after[k] - before.get(k, 0) for k in after if isinstance(after[k], int)}
    within = {
        "device_60": device <= 60,
        "device_180": device <= 180,
        "arrival_60": arrival <= 60,
        "arrival_180": arrival <= 180,
    }
    assert more == {"cases": 1, "answered": 1, "closed": 1, "false_alarms": 0, "emergency": 0, **within}


#: A press without Django: the simulator's own command asks the register, which is away.
PRESS = """
import asyncio, sys
from pathlib import Path
from sangyu.runtime.simulate.command import ports_of, press
from sangyu.runtime.simulate.wearers import Wearer
asyncio.run(press(Wearer("watch", sys.argv[1], 40.6, 122.2), ports_of(Path(sys.argv[2]), ""), host="127.0.0.1"))
"""


def test_without_the_database_a_press_is_seen_and_heard_and_becomes_one_case_afterwards(town, chromium):
    """X-08: every process of PostgreSQL stands still; the row says that it is no case yet and names nobody."""
    made = town.city.ask(MAKE.format(operator=town.cast["roles"]["operator"]))
    server = town.city.parts["postgres"]["pid"]
    with context_of(chromium, town, town.role("operator")) as context:
        page = context.new_page()
        listen(page, town)
        page.wait_for_timeout(1500)
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(server)], capture_output=True, text=True, check=True)
        stopped = [server, *map(int, listed.stdout.split())]
        try:
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            subprocess.run([sys.executable, "-c", PRESS, made["device"], str(town.city.home)], env=town.city.env, check=True, timeout=60)  # fmt: skip
            raw = page.locator(f"#raw li:has-text('{made['device']}')")
            raw.wait_for()
            assert made["name"] not in raw.inner_text()
            assert made["name"][0] + "*" in raw.inner_text()
            page.locator("#say-db:not([hidden])").wait_for()
            assert page.locator("body").get_attribute("data-sounding") == "1"
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        raw.wait_for(state="detached")
        page.locator("#say-db[hidden]").wait_for(state="attached")
        page.locator(f"#queue [data-case]:has-text('{made['name']}')[data-waits]").wait_for()
    facts = f"""
from sangyu.care.emergencies.models import Incident
answer = list(Incident.objects.filter(device__identity="{made["device"]}", state="open").values_list("repeats", flat=True))
"""
    assert town.city.ask(facts) == [1]
