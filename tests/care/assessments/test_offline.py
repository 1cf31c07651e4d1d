"""The form on a tablet and a phone: answers survive the loss of the network and a reload, then go out once (R-030, X-05)."""

import os

import pytest

from sangyu.care.assessments.models import Sheet
from support.assessing import drive
from support.clients import past_sign_in

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
#: A folder for pictures, when somebody wants to look.
SHOTS = os.environ.get("SANGYU_LOOK", "")


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 768, "height": 1024}, locale="zh-CN")
    made = context.new_page()
    made.set_default_timeout(40_000)
    yield made
    context.close()


@pytest.fixture
def acting(monkeypatch):
    """Requests carry the given actor, past the sign-in middleware."""
    from sangyu.registry.accounts.models import Account

    act = past_sign_in(monkeypatch)
    return lambda actor: act(Account.objects.get(pk=actor.account_id), actor)


def look(page, name: str) -> None:
    over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert over <= 0, f"{name} is {over} px too wide"
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def test_answers_survive_without_a_network(live_server, page, acting, crew, person):
    row = drive(crew, person, "assigned")
    acting(crew.one)
    faults = []
    page.on("pageerror", lambda e: faults.append(str(e)))
    page.goto(f"{live_server.url}/assessments/{row.pk}/form/")
    page.wait_for_selector(".as-steps button")
    assert page.locator(".as-part:visible").count() == 1
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('.as-part:not([hidden]) .as-opt')].map(e => e.offsetHeight))"
    )
    assert smallest >= 56
    page.locator("input[name='a-B.1.1'][value='4']").check()
    page.context.set_offline(True)
    page.locator("input[name='a-B.1.2'][value='3']").check()
    look(page, "form-768")
    page.locator("[data-next]").click()
    page.locator("#as-queue", has_text="无网络").wait_for()
    page.locator("input[name='a-B.2.1'][value='2']").check()
    page.set_viewport_size({"width": 390, "height": 844})
    look(page, "form-390")
    assert Sheet.objects.count() == 0
    page.context.set_offline(False)
    page.locator("#as-queue", has_text="已上传").wait_for()
    sheet = Sheet.objects.get()
    assert sheet.answers == {"B.1.1": "4", "B.1.2": "3", "B.2.1": "2"}
    assert (sheet.base, sheet.conflict) == (0, False)
    page.locator("input[name='a-B.2.2'][value='1']").check()  # kept at once, not sent: the tablet is closed
    page.wait_for_timeout(200)
    page.reload()
    page.locator("#as-queue", has_text="已上传").wait_for()
    assert page.locator("input[name='a-B.2.2'][value='1']").is_checked()
    newest = Sheet.objects.order_by("-number").first()
    assert (newest.number, newest.base, newest.conflict, newest.answers["B.2.2"]) == (2, 1, False, "1")
    for n, name in ((2, "form-mind-390"), (5, "form-needs-390"), (6, "form-sign-390")):
        page.locator(".as-steps button").nth(n).click()
        look(page, name)
    canvas = page.locator("[data-sign=lead] canvas")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 60)
    page.mouse.up()
    page.locator("button[type=submit]").click()
    page.locator("#as-queue", has_text="第 3 版").wait_for()
    assert Sheet.objects.order_by("-number").first().signed_lead_id is not None
    assert faults == []


def test_the_list_and_an_assessment_fit_the_desk(live_server, page, acting, crew, person):
    row = drive(crew, person, "published", findings={"dementia_diagnosis": "1"})
    acting(crew.chief)
    page.set_viewport_size({"width": 1366, "height": 768})
    for url, name in (
        ("", "list"), (f"{row.pk}/", "detail"), ("notice/", "notice"), ("demand/", "demand"), ("scales/gbt-42195-2022/", "scale"),
    ):  # fmt: skip
        page.goto(f"{live_server.url}/assessments/{url}")
        look(page, name)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/assessments/")
    look(page, "list-390")
