"""The gallery and a register in a real browser: axe, console, other origins, overflow, keys. ux.md §5."""

import os

import pytest

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
WIDTHS = [(320, 640), (390, 844), (768, 1024), (1366, 768), (1440, 900)]
PAGES = ["/ui/gallery/", "/t/regions/", "/t/operations/", "/t/regions/new/", "/ui/operations/", "/t/operations/?q=zz"]


@pytest.fixture
def browser(chromium):
    """The session's browser; what a test opened is closed after it, so that the test server can stop."""
    yield chromium
    for context in chromium.contexts:
        context.close()


@pytest.fixture
def rows(regions, acting):
    from sangyu.kernel.models import Operation

    acting()
    Operation.objects.bulk_create(
        Operation(kind="test", title=f"批次 {i}", path=regions["a_one"].path, audience="staff", actor="周敏")
        for i in range(30)
    )


def watch(page, origin):
    """Lines of the console and requests that leave the origin."""
    seen = []
    page.on("console", lambda m: seen.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: seen.append(str(e)))
    page.on("request", lambda r: None if r.url.startswith((origin, "data:")) else seen.append(r.url))
    return seen


def test_pages_have_no_accessibility_or_console_faults_at_any_width(live_server, browser, rows):
    from axe_playwright_python.sync_playwright import Axe

    found = []
    for width, height in WIDTHS:
        page = browser.new_page(viewport={"width": width, "height": height}, locale="zh-CN")
        page.set_default_timeout(10_000)
        seen = watch(page, live_server.url)
        for url in PAGES:
            page.goto(live_server.url + url)
            over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if over > 0:
                found.append((url, width, f"{over} px too wide"))
            if width in (390, 1440):
                result = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
                found += [
                    (url, width, v["id"], [n["html"][:120] for n in v["nodes"]][:3])
                    for v in result.response["violations"]
                ]
        found += [(width, line) for line in seen]
        page.close()
    assert found == []


def test_keys_filter_and_form_in_the_browser(live_server, browser, rows, regions):
    page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    page.set_default_timeout(10_000)
    page.goto(live_server.url + "/t/operations/")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.text_content("[data-count]") == "1"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "gsearch"
    page.keyboard.press("Escape")
    page.locator("main input[name=q]").press_sequentially("批次 7")
    page.wait_for_url("**q=*")
    page.wait_for_function("document.querySelectorAll('[data-row]').length === 1")
    page.keyboard.press("Escape")
    page.goto(live_server.url + f"/t/regions/{regions['a'].pk}/edit/")
    page.fill("#id_name", "坏")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("[data-problem]")
    assert page.evaluate("document.activeElement.hasAttribute('data-problem')")
    page.fill("#id_name", "站前新区")
    page.click("button:has-text('保存')")
    page.wait_for_selector(".toast:has-text('已保存')")
    assert page.text_content("h1") == "站前新区"
