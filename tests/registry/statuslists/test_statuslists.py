"""R-019: a list of minimum allowance against the register; hits, misses, contradictions, and what follows from each."""

import io
from dataclasses import replace
from datetime import date

import pytest
import xlsxwriter

from sangyu.kernel import operations
from sangyu.kernel.errors import Forbidden, Invalid, Refused
from sangyu.kernel.identity import check_character
from sangyu.kernel.importing import services as importing
from sangyu.kernel.jobs import run_due
from sangyu.kernel.models import Change
from sangyu.kernel.scoping import scope
from sangyu.registry.lifeevents.models import LifeEvent
from sangyu.registry.people import selectors as people
from sangyu.registry.people import services as persons
from sangyu.registry.people.models import Person
from sangyu.registry.statuslists import selectors, services
from sangyu.registry.statuslists.models import StatusLine, StatusList
from sangyu.registry.transfers.models import Transfer
from sangyu.ui.models import BulkRow, BulkRun
from support.pages import client_for

pytestmark = pytest.mark.django_db
KIND = "statuslists.list"
DAY = date(2026, 10, 1)


def number(n: int, born: date = date(1941, 3, 5)) -> str:
    body = f"210802{born:%Y%m%d}{n:03d}"
    return body + check_character(body)


def elder(actor, regions, name, n, *, place="a_one", income="", born=date(1941, 3, 5), with_id=True):
    made = persons.register(
        actor=actor, name=name, region_id=regions[place].pk, source="登记", sex="1" if n % 2 else "2", birth_date=born,
        id_number=number(n, born) if with_id else "",
    )  # fmt: skip
    if income:
        persons.record_fact(
            actor=actor,
            person_id=made.pk,
            kind="income_category",
            value=income,
            valid_from=date(2020, 1, 1),
            source="登记",
        )
    return made


class Upload(io.BytesIO):
    name = "低保2026-10.xlsx"


def entered(
    actor, rows, *, kind="minimum_living", headings=("姓名", "身份证号", "出生日期", "社区", "类别", "起始日期")
):
    """Upload, check and commit a list; the list."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False})
    sheet = book.add_worksheet()
    for at, cells in enumerate([headings, *rows]):
        sheet.write_row(at, 0, cells)
    book.close()
    settings = {"list_kind": kind, "month": "2026-10", "authority": "站前区民政局"}
    pk = importing.upload(actor=actor, kind=KIND, file=Upload(out.getvalue()), settings=settings)
    matching = importing.state(actor=actor, kind=KIND, import_id=pk).matching
    importing.match(actor=actor, kind=KIND, import_id=pk, matching=matching)
    operations.run(importing.commit(actor=actor, kind=KIND, import_id=pk))
    state = importing.state(actor=actor, kind=KIND, import_id=pk)
    assert state.step == "done", state.result
    return StatusList.objects.get(pk=state.counts["list"])


def counted(actor, made) -> dict[str, int]:
    with scope(actor):
        return {o.value: n for o, n, _open in selectors.counts(actor, made.pk)}


@pytest.fixture
def city(clerk, staff, regions):
    """Six elders and a list that hits, begins, ends, misses and contradicts."""
    a = clerk
    made = {
        "hit": elder(a, regions, "张桂兰", 2, income="minimum_living"),
        "new": elder(a, regions, "李国强", 3),
        "raised": elder(a, regions, "陈素芬", 4, income="near_minimum"),
        "ended": elder(a, regions, "赵玉珍", 6, income="minimum_living"),
        "renamed": elder(a, regions, "王秀英", 8),
        "by_name": elder(a, regions, "孙玉珍", 10, with_id=False, born=date(1943, 1, 1)),
        "dead": elder(a, regions, "周福来", 12, income="minimum_living"),
        "other_county": elder(replace(staff("b"), account_id=8), regions, "外区人", 14, place="b_one"),
    }
    persons.record_death(actor=a, person_id=made["dead"].pk, died_on=date(2026, 9, 1), source="证明")
    rows = [
        ["张桂兰", number(2), "", "清华社区"],
        ["李国强", number(3), "", "清华社区"],
        ["陈素芬", number(4), "", "清华社区"],
        ["王秀兰", number(8), "", "清华社区"],
        ["孙玉珍", "", "1943.1.1", "清华社区"],
        ["周福来", number(12), "", "清华社区"],
        ["外区人", number(14), "", "清华社区"],
        ["新人", number(16), "", "清华社区"],
        ["错号", number(18)[:-1] + ("0" if number(18)[-1] != "0" else "1"), "", "清华社区"],
    ]
    return made, entered(a, rows)


def test_every_line_has_one_outcome_and_the_counts_reconcile(clerk, city):
    made, listed = city
    assert counted(clerk, listed) == {"hit": 1, "new": 3, "ended": 1, "miss": 2, "conflict": 2}
    assert listed.lines_count == 9
    lines = {line.name: line for line in StatusLine.objects.all()}
    assert {n: (x.outcome, x.code, x.state) for n, x in lines.items()} == {
        "张桂兰": ("hit", "", "done"), "李国强": ("new", "", "open"), "陈素芬": ("new", "", "open"),
        "王秀兰": ("conflict", "name", "open"), "孙玉珍": ("new", "", "open"), "周福来": ("conflict", "dead", "open"),
        "外区人": ("miss", "elsewhere", "open"), "新人": ("miss", "missing", "open"), "赵玉珍": ("ended", "", "open"),
    }  # fmt: skip
    assert lines["孙玉珍"].person_id == made["by_name"].pk
    assert listed.batch.counts["rejected"] == 1


def test_applying_begins_and_ends_with_the_list_as_source(clerk, city):
    made, _listed = city
    ids = list(StatusLine.objects.values_list("pk", flat=True))
    refused = services.apply(actor=clerk, ids=ids)
    assert len(refused) == 5  # the hit, two misses, two contradictions
    with scope(clerk):
        now = people.facts_of([p.pk for p in made.values()], DAY)
    income = {key: now.get(p.pk, {}).get("income_category") for key, p in made.items()}
    assert income == {
        "hit": "minimum_living", "new": "minimum_living", "raised": "minimum_living", "ended": None, "renamed": None,
        "by_name": "minimum_living", "dead": "minimum_living", "other_county": None,
    }  # fmt: skip
    with scope(clerk):
        assert people.facts_on(made["raised"].pk, date(2026, 9, 30))["income_category"] == "near_minimum"
        assert people.facts_on(made["ended"].pk, date(2026, 9, 30))["income_category"] == "minimum_living"
    fact = made["new"].facts.get(kind="income_category")
    assert (fact.source, fact.valid_from) == ("站前区民政局 低保 2026-10 #3", DAY)
    change = Change.objects.filter(table_name="people_personfact", row_id=fact.pk).get()
    assert change.reason.startswith("站前区民政局")
    assert services.apply(actor=clerk, ids=ids).keys() == set(ids)


def test_a_contradiction_is_decided_and_a_miss_registered(clerk, regions, city):
    made, _listed = city
    line = StatusLine.objects.get(name="王秀兰")
    with pytest.raises(Invalid):
        services.choose(actor=clerk, line_id=line.pk, person_id=made["hit"].pk, reason="同一人")
    services.choose(actor=clerk, line_id=line.pk, person_id=made["renamed"].pk, reason="曾用名")
    with scope(clerk):
        assert people.facts_on(made["renamed"].pk, DAY)["income_category"] == "minimum_living"
    missing = StatusLine.objects.get(name="新人")
    services.register(actor=clerk, line_id=missing.pk, region_id=regions["a_two"].pk)
    person = Person.objects.get(name="新人")
    with scope(clerk):
        assert people.facts_on(person.pk, DAY)["income_category"] == "minimum_living"
    assert person.source == "站前区民政局 低保 2026-10 #9"
    elsewhere = StatusLine.objects.get(name="外区人")
    with pytest.raises(Refused):
        services.register(actor=clerk, line_id=elsewhere.pk, region_id=regions["a_two"].pk)
    dead = StatusLine.objects.get(name="周福来")
    with pytest.raises(Invalid):
        services.choose(actor=clerk, line_id=dead.pk, person_id=made["dead"].pk, reason="?")
    dead.refresh_from_db()
    assert dead.state == "open"


def test_dismissing_needs_a_reason_and_changes_nothing_else(clerk, staff, city):
    made, _listed = city
    line = StatusLine.objects.get(outcome="ended")
    with pytest.raises(Invalid):
        services.dismiss(actor=clerk, ids=[line.pk], reason=" ")
    with pytest.raises(Forbidden):
        services.dismiss(actor=staff("a", permissions=["statuslists.view"]), ids=[line.pk], reason="x")
    assert services.dismiss(actor=clerk, ids=[line.pk], reason="名单漏报") == {}
    line.refresh_from_db()
    assert (line.state, line.reason, line.decided_by) == ("dismissed", "名单漏报", "bureau a")
    with scope(clerk):
        assert people.facts_on(made["ended"].pk, DAY)["income_category"] == "minimum_living"


def test_deaths_are_recorded_by_the_death_service(clerk, city):
    made, _first = city
    rows = [
        ["李国强", number(3), "2026-10-05"],
        ["周福来", number(12), "2026-09-01"],
        ["张桂兰", number(2), "2026-10-07"],
    ]
    listed = entered(clerk, rows, kind="death", headings=("姓名", "身份证号", "死亡日期"))
    assert counted(clerk, listed) == {"hit": 1, "new": 2, "ended": 0, "miss": 0, "conflict": 0}
    ids = list(StatusLine.objects.filter(status_list=listed, state="open").values_list("pk", flat=True))
    assert services.apply(actor=clerk, ids=ids) == {}
    made["new"].refresh_from_db()
    assert made["new"].died_on == date(2026, 10, 5)


def test_another_county_sees_none_of_it(staff, city):
    with scope(staff("b")):
        assert StatusList.objects.count() == StatusLine.objects.count() == 0


# ---------------------------------------------------------------- taking back, and other counties
def facts_of(person) -> list[tuple]:
    rows = person.facts.filter(kind="income_category").known_on(None).order_by("valid_from")
    return [(f.value, f.valid_from, f.valid_to, f.source) for f in rows]


def test_a_whole_list_is_taken_back_and_newer_statuses_stay(clerk, city):
    """What held before holds again; a line on which something newer stands is refused (R-019)."""
    made, listed = city
    before = {key: facts_of(p) for key, p in made.items()}
    lines = {ln.name: ln.pk for ln in StatusLine.objects.filter(status_list=listed)}
    services.apply(actor=clerk, ids=list(lines.values()))
    chosen = StatusLine.objects.get(name="王秀兰")
    services.choose(actor=clerk, line_id=chosen.pk, person_id=made["renamed"].pk, reason="同一人")
    assert facts_of(made["new"]) != before["new"]
    persons.record_fact(
        actor=clerk, person_id=made["raised"].pk, kind="income_category", value="near_minimum",
        valid_from=date(2026, 11, 1), source="复核",
    )  # fmt: skip
    newer = facts_of(made["raised"])
    client = client_for(clerk)
    answer = client.post(f"/statuslists/{listed.pk}/take-back/", {"reason": "名单有误"})
    run = BulkRun.objects.get()
    assert answer.url == f"/ui/acts/{run.pk}/"
    told = {r.name: (r.state, r.message) for r in BulkRow.objects.filter(run=run)}
    assert {n: state for n, (state, _m) in told.items()} == {
        "李国强": "done", "陈素芬": "refused", "赵玉珍": "done", "孙玉珍": "done", "王秀兰": "done",
    }  # fmt: skip
    assert "更新" in told["陈素芬"][1]
    for key in ("new", "ended", "by_name", "renamed"):
        assert facts_of(made[key]) == before[key], key
    assert facts_of(made["raised"]) == newer
    states = dict(StatusLine.objects.filter(status_list=listed).values_list("name", "state"))
    assert (states["李国强"], states["陈素芬"], states["张桂兰"]) == ("open", "done", "done")
    assert StatusLine.objects.get(pk=chosen.pk).person_id is None
    assert services.apply(actor=clerk, ids=[lines["李国强"]]) == {}
    assert [f[0] for f in facts_of(made["new"])] == ["minimum_living"]


def test_a_death_is_taken_back_with_its_event_and_once(clerk, city):
    listed = entered(clerk, [["李国强", number(3), "", "清华社区", "", "2026-10-02"]], kind="death")
    line = StatusLine.objects.get(status_list=listed)
    assert services.apply(actor=clerk, ids=[line.pk]) == {}
    run_due()
    assert services.take_back(actor=clerk, ids=[line.pk], reason="同名") == {}
    assert Person.objects.get(name="李国强").died_on is None
    assert LifeEvent.objects.get(person__name="李国强").withdrawn_reason == "同名"
    assert list(services.take_back(actor=clerk, ids=[line.pk], reason="同名")) == [line.pk]
    with pytest.raises(Invalid):
        services.take_back(actor=clerk, ids=[line.pk], reason=" ")


def test_somebody_registered_elsewhere_is_asked_for_from_the_line(clerk, regions, city):
    line = StatusLine.objects.get(name="外区人")
    client = client_for(clerk)
    assert (
        f"/statuslists/lines/{line.pk}/transfer/" in client.get(f"/statuslists/{line.status_list_id}/").content.decode()
    )
    given = {"region_id": regions["a_one"].code, "moved_on": "2026-10-01", "evidence": "低保名单"}
    assert client.post(f"/statuslists/lines/{line.pk}/transfer/", given).status_code == 303
    asked = Transfer.objects.get()
    line.refresh_from_db()
    assert (asked.name, asked.region_id, asked.state) == ("外区人", regions["a_one"].pk, "requested")
    assert (line.state, asked.number in line.reason) == ("dismissed", True)
    with pytest.raises(Refused):
        services.ask_transfer(
            actor=clerk, line_id=StatusLine.objects.get(name="新人").pk, region_id=regions["a_one"].pk, moved_on=DAY,
            evidence="x",
        )  # fmt: skip
