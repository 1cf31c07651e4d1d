"""The Need road through the real screens: three people, three roles, the books to the fen (issue 2 §4.2)."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sangyu.runtime.trial import BOOKS
from support.stack import context_of

pytestmark = [pytest.mark.e2e, pytest.mark.stack]
PHONE = {"width": 390, "height": 844}


def test_a_need_becomes_a_visit_and_is_paid(town, chromium):
    """R-078, R-052, R-081, R-085, R-084: desk → provider → worker → elder."""
    faults = []
    order = desk(town, chromium, faults)
    books = town.city.ask(BOOKS.format(pk=order))
    assert books["state"] == "offered"
    assert (
        books["market_price"] == sum(books[n] for n in ("concession", "voucher_amount", "public_pay", "self_pay")) > 0
    )
    assert (books["held"], books["left_vouchers"]) == (books["voucher_amount"], 0)

    provider(town, chromium, faults, order, town.cast["managers"][str(books["organisation_id"])])
    worker(town, chromium, faults, order, town.cast["workers"][str(books["worker_id"])])
    elder(town, chromium, faults, order, books)

    after = town.city.ask(BOOKS.format(pk=order))
    assert (after["state"], after["rating"]) == ("confirmed", 5)
    assert {n: after[n] for n in ("market_price", "voucher_amount", "self_pay")} == {n: books[n] for n in ("market_price", "voucher_amount", "self_pay")}  # fmt: skip
    assert (after["left_vouchers"], after["held"]) == (books["voucher_amount"], 0)
    checked = town.city.sangyu("check")
    assert checked.returncode == 0, checked.stdout
    assert faults == []


def desk(town, chromium, faults) -> int:
    """The operator finds the elder, registers the need and sends somebody without leaving the page; the order's id."""
    person = town.cast["elder"]
    with context_of(chromium, town, town.role("operator")) as context:
        page = context.new_page()
        page.goto(f"{town.address}/desk/")
        page.locator("#find").press_sequentially(person["name"], delay=30)
        page.locator(f"#found a[href$='person={person['id']}']").click()
        page.locator("#need").wait_for()
        page.select_option("#id_item_code", "cleaning")
        tomorrow = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(days=1)
        page.fill("#id_planned_start", f"{tomorrow:%Y-%m-%d}T10:00")
        page.fill("#id_requested_by", "老人本人")
        page.locator("#price dd").first.wait_for()
        assert re.search(r"\d\.\d\d", page.locator("#price").inner_text())
        page.locator("#need button[type=submit]").click()
        page.locator("#dispatch .resp").first.wait_for()
        order = int(re.search(r"order=(\d+)", page.url)[1])
        page.locator("#dispatch .resp form button").first.click()
        page.locator("#dispatch .price").wait_for()
        page.locator("#dispatch .resp form").first.wait_for(state="detached")
        faults += context.faults
    return order


def provider(town, chromium, faults, order: int, username: str) -> None:
    """The provider's manager accepts on a phone."""
    with context_of(chromium, town, town.visitor(username), **PHONE) as context:
        page = context.new_page()
        page.goto(f"{town.address}/orders/{order}/")
        page.locator(f"a[href*='/orders/{order}/accept/']").first.click()
        page.locator("#dialog button[type=submit]").click()
        page.locator(f"a[href*='/orders/{order}/accept/']").first.wait_for(state="detached")
        faults += context.faults


def worker(town, chromium, faults, order: int, username: str) -> None:
    """The worker sets out, checks in by place, ticks, signs, finishes."""
    person = town.cast["elder"]
    spot = {"latitude": person["latitude"] + 0.0002, "longitude": person["longitude"], "accuracy": 20}
    more = {"geolocation": spot, "permissions": ["geolocation"], "is_mobile": True, "has_touch": True}
    with context_of(chromium, town, town.visitor(username), **PHONE, **more) as context:
        page = context.new_page()
        page.goto(f"{town.address}/worker/")
        page.goto(f"{town.address}/worker/visits/{order}/")
        page.locator("section[data-stage=depart] .m-big").click()
        page.locator("section[data-stage=arrive] .m-big").click()
        finish = page.locator("section[data-stage=finish]")
        finish.locator(".m-check").first.or_(finish.locator("textarea[name=more]")).first.wait_for()
        if finish.locator(".m-check").count():
            finish.locator(".m-check").first.click()
        finish.locator("textarea[name=note]").fill("老人状态良好")
        canvas = finish.locator("canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        page.mouse.move(box["x"] + 40, box["y"] + 30)
        page.mouse.down()
        page.mouse.move(box["x"] + 160, box["y"] + 70, steps=8)
        page.mouse.up()
        finish.locator(".m-big").click()
        page.locator("section[data-stage=done]").wait_for()
        faults += context.faults


def elder(town, chromium, faults, order: int, books: dict) -> None:
    """The elder reads the price and confirms with five stars."""
    person = town.cast["elder"]
    with context_of(chromium, town, town.visitor(person["username"]), **PHONE) as context:
        page = context.new_page()
        page.goto(f"{town.address}/elder/")
        page.locator(f"a[href='/elder/{person['id']}/visits/']").first.click()
        page.locator(f"a[href^='/elder/{person['id']}/visits/{order}/']").first.click()
        shown = page.locator(".eh-price").inner_text().replace(",", "")
        assert f"{books['self_pay'] // 100}.{books['self_pay'] % 100:02}" in shown
        page.locator(".eh-star").first.click()
        page.locator(".eh-go-on").click()
        page.locator(".eh-star").first.wait_for(state="detached")
        faults += context.faults
