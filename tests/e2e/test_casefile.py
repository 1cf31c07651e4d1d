"""The casefile in a real browser: tabs, papers, checked today, a life event with its check list, a phone (R-015 … R-017, R-027)."""

import re
from pathlib import Path

import pytest

from support.stack import context_of

pytestmark = [pytest.mark.e2e, pytest.mark.stack]
#: Where pictures are kept when somebody looks at them (SANGYU_PICTURES).
PHONE = {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}

ELDER = """
from sangyu.registry.people.models import Person
from sangyu.registry.regions.models import Region
from sangyu.registry.accounts.models import Grant
path = Grant.objects.filter(role="community", account__username="community").first().path
rows = Person.objects.filter(path__startswith=path, died_on=None, registered_on__isnull=False, contacts__isnull=False)
taken = Person.objects.filter(pk__in=[%s])
person = rows.exclude(pk__in=taken).order_by("pk").distinct().first()
answer = {"id": person.pk, "name": person.name}
"""
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\x00\x00\x00\x0cIDATx\x9cc"
    b"\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82"
)


@pytest.fixture(scope="module")
def elder(town):
    """An elder of the community officer's own community."""
    return town.city.ask(ELDER % town.cast["elder"]["id"])


def picture(page, name: str) -> None:
    """Keep a picture where somebody asked for it."""
    import os

    if folder := os.environ.get("SANGYU_PICTURES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def no_overflow(page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def test_the_file_at_a_desk(town, chromium, elder):
    """Every tab loads alone and has its address; a paper is added, withdrawn and taken back; the file is checked."""
    faults = []
    with context_of(chromium, town, town.role("community"), width=1366, height=768) as context:
        page = context.new_page()
        page.goto(f"{town.address}/casefile/{elder['id']}/")
        assert page.locator("h1").inner_text() == elder["name"]
        picture(page, "desk-overview")
        no_overflow(page)
        for tab in ("basic", "family", "services", "vouchers", "files", "events", "history"):
            page.locator(f".tabs a[href$='/casefile/{elder['id']}/{tab}/']").click()
            page.wait_for_url(f"**/casefile/{elder['id']}/{tab}/")
            page.locator("#tab .card").first.wait_for()
            no_overflow(page)
            picture(page, f"desk-{tab}")
        # the page comes anew: nothing personal is kept in the browser
        page.evaluate("() => { window.before = true; setTimeout(() => history.back()); }")
        page.wait_for_function("() => !window.before && document.readyState === 'complete'")
        assert page.url.endswith("/events/")

        # a paper, from a file chooser that a phone opens its camera for
        page.goto(f"{town.address}/casefile/{elder['id']}/files/")
        papers = page.locator(".casefile__files li b", has_text="身份证")
        before = papers.count()
        page.locator("#tab a[href$='/papers/new/']").click()
        chosen = page.locator("input[type=file]")
        assert "image/*" in chosen.get_attribute("accept")
        chosen.set_input_files({"name": "身份证.png", "mimeType": "image/png", "buffer": PNG})
        page.locator("select[name=kind]").select_option("identity")
        page.locator("#form button[type=submit]").click()
        papers.nth(before).wait_for()
        assert page.locator(".casefile__files img").first.evaluate(
            "i => i.complete || new Promise(r => i.onload = () => r(true))"
        )
        picture(page, "desk-files-with-paper")
        page.locator("a[href$='/withdraw/']").first.click()
        page.locator("#dialog input[name=reason]").fill("拍摄不清")
        page.locator("#dialog button[type=submit]").click()
        papers.nth(before).wait_for(state="detached")
        page.locator("details", has_text="已撤下").wait_for()
        assert papers.count() == before

        # checked today
        page.goto(f"{town.address}/casefile/{elder['id']}/basic/")
        page.locator("#tab a[href$='/check/']").click()
        page.locator("#dialog select[name=way]").select_option("phone")
        page.locator("#dialog input[name=note]").fill("电话核对无误")
        page.locator("#dialog button[type=submit]").click()
        page.wait_for_url(f"**/casefile/{elder['id']}/")
        page.locator("#timeline", has_text="电话核对无误").wait_for()
        page.goto(f"{town.address}/casefile/{elder['id']}/basic/")
        assert "电话核查" in page.locator("#tab").inner_text()
        faults += context.faults
    assert faults == []


def test_a_life_event_with_its_check_list(town, chromium, elder):
    """A stay in hospital is recorded with proof, its check list worked through, and the mistake taken back."""
    faults = []
    with context_of(chromium, town, town.role("community"), width=1366, height=768) as context:
        page = context.new_page()
        page.goto(f"{town.address}/casefile/{elder['id']}/")
        page.locator("details.menu summary", has_text="登记").click()
        page.locator("details.menu a[href$='/hospital/']").click()
        page.locator("input[name=place]").fill("市中心医院")
        page.locator("input[name=source]").fill("住院通知单")
        page.locator("input[name=evidence]").set_input_files(
            {"name": "通知单.png", "mimeType": "image/png", "buffer": PNG}
        )
        picture(page, "desk-hospital-form")
        page.locator("#form button[type=submit]").click()
        page.wait_for_url(re.compile(r"/lifeevents/\d+/"))
        address = page.url
        page.locator("#tab", has_text="取消未完成的服务").wait_for()
        picture(page, "desk-event")
        no_overflow(page)
        row = page.locator("tr", has_text="通知家属和服务机构")
        row.locator("a", has_text="已办").click()
        page.locator("#dialog input[name=note]").fill("已电话告知儿子")
        page.locator("#dialog button[type=submit]").click()
        page.locator("tr", has_text="已电话告知儿子").wait_for()
        page.goto(f"{town.address}/casefile/{elder['id']}/events/")
        assert "市中心医院" in page.locator("#tab").inner_text()
        page.goto(f"{town.address}/lifeevents/")
        page.locator("td", has_text=elder["name"]).first.wait_for()
        picture(page, "desk-events-list")
        page.goto(address)
        page.locator("a[href$='/withdraw/']").click()
        page.locator("#dialog textarea[name=reason]").fill("同名误录")
        page.locator("#dialog button[type=submit]").click()
        page.locator("#tab", has_text="同名误录").wait_for()
        faults += context.faults
    assert faults == []


def test_the_file_on_a_phone(town, chromium, elder):
    """Nothing is wider than the screen; the check and the camera are in reach."""
    faults = []
    with context_of(chromium, town, town.role("community"), **PHONE) as context:
        page = context.new_page()
        for where in ("", "basic/", "family/", "files/", "events/", "history/"):
            page.goto(f"{town.address}/casefile/{elder['id']}/{where}")
            no_overflow(page)
            picture(page, f"phone-{where.strip('/') or 'overview'}")
        for where in (f"/dossier/of/{elder['id']}/papers/new/", "/dossier/due/", "/lifeevents/", "/people/tags-ending/",
                      "/people/difficult/", f"/people/{elder['id']}/family-access/"):  # fmt: skip
            page.goto(f"{town.address}{where}")
            no_overflow(page)
            picture(page, "phone-" + where.strip("/").replace("/", "-"))
        faults += context.faults
    assert faults == []


def test_papers_to_print_and_the_card(town, chromium, elder):
    """One A4 with the code; the card's code tells a stranger nothing."""
    faults = []
    with context_of(chromium, town, town.role("community"), width=1366, height=900) as context:
        page = context.new_page()
        for name in ("print", "card"):
            page.goto(f"{town.address}/casefile/{elder['id']}/{name}/")
            page.locator("img[src*='card.svg']").wait_for()
            picture(page, f"desk-{name}")
        page.emulate_media(media="print")
        page.goto(f"{town.address}/casefile/{elder['id']}/print/")
        assert page.locator("article.sheet").bounding_box()["height"] < 1020  # A4 less its margins at 96 dpi
        faults += context.faults
    token = town.city.ask(
        "from sangyu.registry.dossier.models import CardCode\nanswer = CardCode.objects.latest('id').token"
    )
    with context_of(chromium, town, None, width=390, height=844) as context:
        page = context.new_page()
        page.goto(f"{town.address}/dossier/card/{token}/")
        words = page.locator("body").inner_text()
        assert "12349" in words
        assert elder["name"] not in words
        picture(page, "phone-card-stranger")
        faults += context.faults
    assert faults == []
