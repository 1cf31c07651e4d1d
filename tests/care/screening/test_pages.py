"""Screens of screening: campaign, phone at the door, list acts, workbook, import (R-022, R-023)."""

import io
from dataclasses import replace

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from sangyu.care.screening import services
from sangyu.care.screening.models import Campaign, Task
from sangyu.kernel import operations
from sangyu.kernel.importing import services as importing
from sangyu.registry.accounts.models import Account
from sangyu.registry.people import services as registers
from sangyu.registry.people.models import Person
from support.pages import client_for
from support.people import in_role
from support.screening import ANSWERS, campaign, task_of
from support.world import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def crew(regions, staff):
    """Bureau of the county and clerk of a community, with accounts."""

    def made(name, key, role):
        account = Account.objects.create_user(
            name, "Mulberry-2026", name=name, region=regions[key], path=regions[key].path
        )
        return replace(in_role(staff(key), role), account_id=account.pk, name=name)

    return made("科员", "a", "bureau"), made("社工", "a_one", "community")


@pytest.fixture
def running(crew, regions):
    """A campaign that began with the year."""
    people = [make_person(regions["a_one"], name) for name in ("王桂兰", "李秀英")]
    return campaign(crew[0], regions["a"], starts_on="2026-01-01", ends_on="2999-12-31"), people


def test_a_bureau_drafts_starts_watches_and_exports(crew, regions):
    make_person(regions["a_one"], "王桂兰")
    client = client_for(crew[0])
    given = {"title": "高龄摸底", "region_id": regions["a"].code, "sheet": "difficult-elders", "starts_on": "2026-01-01",
             "ends_on": "2999-12-31", "age_from": "80", "tags": ["very_old"]}  # fmt: skip
    assert client.get("/screening/new/").status_code == 200
    assert client.post("/screening/new/", {**given, "age_to": "70"}).status_code == 422
    assert client.post("/screening/new/", given).status_code == 303
    row = Campaign.objects.get()
    assert (row.conditions, row.state) == ({"age_from": 80, "tags": ["very_old"]}, "draft")
    assert "今天符合条件 1 人" in client.get(f"/screening/{row.pk}/").text
    assert client.post(f"/screening/{row.pk}/start/").status_code == 303
    detail = client.get(f"/screening/{row.pk}/").text
    assert "80 岁及以上" in detail
    assert 'data-count="targets">1<' in detail
    for url in ("", f"{row.pk}/results/", f"{row.pk}/trail/", "visits/", "follow-ups/", "sheets/", "sheets/difficult-elders/",
                "import/", f"new/?like={row.pk}", f"visits/?campaign={row.pk}&state=waiting&path={row.path}"):  # fmt: skip
        assert client.get(f"/screening/{url}").status_code == 200, url
    answer = client.get(f"/screening/{row.pk}/results.xlsx")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert [r[:3] for r in book.get_sheet_by_index(0).to_python()] == [
        ["区域", "应走访", "待走访"], ["站前街道", 1, 1], ["\u3000清华社区", 1, 1], ["合计", 1, 1],
    ]  # fmt: skip
    assert client.post(f"/screening/{row.pk}/close/").status_code == 303
    assert list(row.tasks.values_list("state", flat=True)) == ["lapsed"]


def test_the_phone_keeps_hands_in_and_notes_who_was_not_met(crew, running):
    row, people = running
    first, second = (task_of(row, p) for p in people)
    client = client_for(crew[1])
    page = client.get("/screening/mine/").text
    assert page.count("sc-door__h") == 2
    url = f"/screening/visits/{first.pk}/fill/"
    form = client.get(url).text
    assert (form.count("<fieldset"), 'data-when="daily=partly,disabled"' in form) == (10, True)
    assert client.post(url, {"act": "keep", "q-living": "alone"}).status_code == 303
    assert 'value="alone" checked' in client.get(url).text
    missing = client.post(url, {"act": "hand_in", "q-living": "alone"})
    assert (missing.status_code, missing.text.count("sc-q--bad")) == (422, 3)
    whole = {f"q-{k}": v for k, v in ANSWERS.items()}
    assert client.post(url, {"act": "hand_in", **whole}).status_code == 303
    assert client.post(url, {"act": "hand_in", **whole}).status_code == 409
    assert "已不可填写" in client.get(url).text
    other = f"/screening/visits/{second.pk}/fill/"
    assert client.post(other, {"act": "missed"}).status_code == 422
    assert client.post(other, {"act": "missed", "why": "absent"}).status_code == 303
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.answers, second.state, second.missed) == ("filled", ANSWERS, "missed", "absent")
    assert "独居" in client.get(f"/screening/visits/{first.pk}/").text
    assert client.get(f"/screening/{row.pk}/start/").status_code == 403


def test_filled_sheets_come_in_as_a_workbook(crew, running):
    row, people = running
    for person, number in zip(people, ("110101194203080021", "110101194203080048"), strict=True):
        registers.update_basic(actor=crew[0], person_id=person.pk, changes={"id_number": _valid(number)}, reason="补录")
    numbers = [Person.objects.get(pk=p.pk).id_number for p in people]
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    heads = ["姓名", "身份证号", "走访日期", "和谁一起居住", "吃饭、穿衣、上下床、如厕、室内走动、洗澡", "近半年是否常忘事、认错人、走错路",
             "村（社区）意见：是否属于特殊困难老年人", "最需要的帮助"]  # fmt: skip
    for at, cells in enumerate([
        heads,
        ["王桂兰", numbers[0], "2026-02-03", "独居", "一至三项需要人帮", "没有", "属于", "助餐、助浴"],
        ["李秀英", numbers[1], "2026-02-03", "一个人", "都能自己做", "没有", "不属于", ""],
    ]):  # fmt: skip
        sheet.write_row(at, 0, cells)
    book.close()
    file = io.BytesIO(out.getvalue())
    file.name = "sheets.xlsx"
    kind, actor = "screening.sheets", crew[1]
    pk = importing.upload(actor=actor, kind=kind, file=file, settings={"campaign": row.number})
    matching = importing.state(actor=actor, kind=kind, import_id=pk).matching
    state = importing.match(actor=actor, kind=kind, import_id=pk, matching=matching)
    assert (state.counts["new"], [p.row for p in state.problems]) == (1, [3])
    operations.run(importing.commit(actor=actor, kind=kind, import_id=pk))
    tasks = Task.objects.filter(campaign=row).order_by("pk")
    assert [(t.state, t.standing, t.answers.get("needs"), t.filled_by) for t in tasks] == [
        ("filled", "partly", ["meals", "bathing"], actor.name), ("waiting", "", None, ""),
    ]  # fmt: skip
    assert services.confirm(actor=crew[0], ids=[tasks[0].pk]) == {}


def _valid(number: str) -> str:
    from sangyu.kernel.identity import check_character

    return number[:17] + check_character(number[:17])
