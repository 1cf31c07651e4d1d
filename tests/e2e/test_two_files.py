"""Two files of one person on screen: found, compared, merged, parted; and a file that moves to another county (R-026)."""

import os
from datetime import date
from pathlib import Path

import pytest

from sangyu.kernel.identity import check_character
from sangyu.registry.people.models import Person

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
#: A folder for pictures, while the screens are being made.
SHOTS = os.environ.get("SANGYU_SHOTS", "")


def number(sequence: str = "992") -> str:
    body = f"21080219450612{sequence}"
    return body + check_character(body)


def enter(actor, regions, name, region, **more):
    from sangyu.registry.people import services

    given = {
        "source": "社区台账",
        "sex": "2",
        "birth_date": date(1945, 6, 12),
        "registered_on": date(2020, 5, 1),
    } | more
    return services.register(actor=actor, name=name, region_id=regions[region].pk, **given)


def shot(page, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{SHOTS}/{name}-phone.png", full_page=True)
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        page.set_viewport_size({"width": 1366, "height": 768})
        assert over <= 0, f"{name}: {over} px too wide on a phone"


def test_a_pair_is_compared_merged_and_parted(screen, acting, regions):
    from sangyu.registry.duplicates import services as duplicates
    from sangyu.registry.people import services

    actor = acting("a")
    one = enter(actor, regions, "张桂兰", "a_one", id_number=number(), phone="13804170001", address="清华路12号楼402室")
    two = enter(actor, regions, "张贵兰", "a_one", phone="13804170001", address="清华路12-402", needs="助浴")
    for person, value in ((one, "alone"), (two, "with_family")):
        services.record_fact(
            actor=actor, person_id=person.pk, kind="living", value=value, valid_from=date(2024, 1, 1), source="走访"
        )
    services.add_contact(actor=actor, person_id=two.pk, name="李梅", relation="3", phone="13904170009")
    duplicates.search(actor=actor)

    screen.goto("/duplicates/")
    row = screen.locator("[data-row]")
    assert row.count() == 1
    assert "读音相同" in row.inner_text()
    shot(screen, "duplicates-queue")
    row.locator("a.name").first.click()
    screen.locator(".merge__t").wait_for()
    assert screen.locator("tr.merge__differs").count() >= 4
    shot(screen, "duplicates-compare")
    screen.locator("input[name='c:name'][value=gone]").check()
    screen.locator("input[name='c:facts.living'][value=gone]").check()
    screen.fill("input[name=reason]", "两份台账，上门核实为同一人")
    screen.locator(".merge__act button[type=submit]").click()
    screen.wait_for_url(f"**/casefile/{one.pk}/merges/")
    shot(screen, "duplicates-merges")
    assert Person.objects.get(pk=one.pk).name == "张贵兰"
    assert Person.objects.get(pk=one.pk).contacts.count() == 1

    screen.goto(f"/casefile/{two.pk}/")
    assert screen.url.endswith(f"/casefile/{one.pk}/")
    assert "并入" in screen.locator("body").inner_text()
    screen.goto("/duplicates/?state=open")
    assert screen.locator("[data-row]").count() == 0

    screen.goto(f"/casefile/{one.pk}/merges/")
    screen.locator("a[href$='/undo/']").click()
    screen.locator("input[name=reason]").fill("女儿说是两位老人")
    shot(screen, "duplicates-undo")
    screen.locator("main form button[type=submit], #dialog button[type=submit]").first.click()
    screen.wait_for_url(f"**/casefile/{one.pk}/merges/")
    assert "女儿说是两位老人" in screen.locator("main").inner_text()
    assert (Person.objects.get(pk=one.pk).name, Person.objects.get(pk=two.pk).name) == ("张桂兰", "张贵兰")
    screen.goto(f"/casefile/{two.pk}/")
    assert screen.url.endswith(f"/casefile/{two.pk}/")
    assert screen.faults == []


def test_a_file_moves_to_another_county(screen, acting, regions):
    holder = acting("a")
    person = enter(holder, regions, "张桂兰", "a_one", id_number=number(), phone="13804170001")

    acting("b")
    screen.goto("/transfers/new/")
    for field, value in (
        ("id_number", number()), ("name", "张桂兰"), ("region_id", "210803001001"), ("address", "新兴街 5 号"),
        ("moved_on", "2026-11-01"), ("reason", "随子女居住"), ("evidence", "居住证"),
    ):  # fmt: skip
        screen.fill(f"main [name={field}]", value)
    shot(screen, "transfers-new")
    screen.locator("main form button[type=submit]").last.click()
    screen.locator("a[href$='/withdraw/']").wait_for()
    address = screen.url
    assert screen.locator("a[href*='/casefile/transfers/']").count() == 0
    assert screen.request.get(f"/casefile/{person.pk}/").status == 404

    acting("a")
    screen.goto("/transfers/?state=requested&side=out")
    shot(screen, "transfers-list")
    screen.locator("[data-row] a.name").first.click()
    screen.wait_for_url(address)
    shot(screen, "transfers-detail")
    screen.locator("a[href*='/casefile/transfers/']").first.click()
    screen.locator("table").first.wait_for()
    shot(screen, "transfers-hand-over")
    screen.locator("main form button[type=submit]").click()
    screen.wait_for_url(address)
    assert Person.objects.get(pk=person.pk).region_id == regions["b_one"].pk

    acting("b")
    screen.goto(f"/casefile/{person.pk}/")
    assert "张桂兰" in screen.locator("h1").inner_text()
    screen.goto(address)
    assert "已迁出" in screen.locator("main").inner_text()
    assert screen.faults == []
