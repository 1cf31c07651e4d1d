"""The bars of the screens, measured in a browser on pages with rows: axe, sizes, contrast, targets, overflow, bytes."""

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest

from support.stack import context_of

pytestmark = [pytest.mark.e2e, pytest.mark.stack]
TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
MEASURE = (Path(__file__).parent / "measure.js").read_text()
#: Bars of the two themes: smallest text, least target, least main target in px, least contrast, least line height.
DESK = {"text": 12, "target": 24, "main": 24, "contrast": 4.5, "line": 1.2}
ELDER = {"text": 18, "target": 44, "main": 60, "contrast": 4.5, "line": 1.3}
PHONE = {"text": 12, "target": 24, "main": 44, "contrast": 4.5, "line": 1.2}


def pages(town) -> dict[str, list[str]]:
    """role → addresses with rows."""
    states, elder = town.cast["states"], town.cast["elder"]["id"]
    return {
        "operator": ["/", f"/desk/?person={town.cast['received_person']}&order={states['received']}", "/orders/", f"/orders/{states['confirmed']}/", "/orders/return-visits/"],
        "dispatcher": [f"/orders/{states['received']}/", "/orders/agreements/"],
        "bureau": ["/", "/organisations/", "/vouchers/programmes/", "/orders/"],
        "street": ["/", "/people/", "/catalogue/"],
        "community": ["/", "/people/", "/people/new/"],
        "finance": ["/settlement/", "/vouchers/"],
        "inspector": ["/workforce/", "/organisations/contracts/"],
        "provider_manager": ["/", "/orders/", "/settlement/", "/workforce/"],
        "worker": ["/worker/", "/worker/record/", *(f"/worker/visits/{pk}/" for pk in list(town.cast["worker_visits"].values())[:2])],
        "elder": [f"/elder/{elder}/", f"/elder/{elder}/visits/", f"/elder/{elder}/want/", f"/elder/{elder}/vouchers/", f"/elder/{elder}/family/", f"/elder/{elder}/emergency/"],
        "family": ["/"],
        "system_administrator": ["/ui/operations/"],
        "security_administrator": ["/accounts/"],
        "audit_administrator": ["/"],
    }  # fmt: skip


def limits(role: str) -> dict:
    return ELDER if role in ("elder", "family") else PHONE if role == "worker" else DESK


def test_pages_with_rows_keep_the_bars(town, chromium):
    """axe, text, line height, contrast and targets at the width people use; overflow at 320 … 1440 and at 200 % zoom."""
    from axe_playwright_python.sync_playwright import Axe

    found = []
    for role, urls in pages(town).items():
        first = 390 if role in ("worker", "elder", "family") else 1366
        with context_of(chromium, town, town.role(role)) as context:
            page = context.new_page()
            for url in urls:
                page.set_viewport_size({"width": first, "height": 768})
                page.goto(town.address + url)
                told = page.evaluate(MEASURE, limits(role))
                result = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
                told += [f"{v['id']}: {[n['html'][:110] for n in v['nodes']][:2]}" for v in result.response["violations"]]  # fmt: skip
                # 683 x 384 is 1366 x 768 at 200 %
                for width, height in ((320, 640), (390, 844), (683, 384), (768, 1024), (1366, 768), (1440, 900)):
                    page.set_viewport_size({"width": width, "height": height})
                    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    if over > 0:
                        told.append(f"{over} px too wide at {width}")
                found += [f"{role} {url} {line}" for line in told]
            found += [f"{role} {line}" for line in context.faults]
    assert found == []


BAD = """<style>body{margin:0}</style>
<p style="font-size:9px">too small</p><p style="color:#999;background:#fff">too pale</p><button style="width:10px;height:10px;padding:0"></button>
<p style="line-height:1">a paragraph of more than thirty letters in one line</p><div style="width:9000px;height:5px">wide</div>
<p style="font-size:14px;line-height:1.5">good</p>"""


def test_the_measure_sees_what_is_wrong(chromium):
    page = chromium.new_page()
    page.set_content(BAD)
    told = page.evaluate(MEASURE, DESK)
    page.close()
    kinds = [line.split(" ")[0] for line in told]
    assert sorted(kinds) == ["contrast", "line", "overflow", "target", "text"], told


KB = 1024
WEIGHTS = {
    "operator": [("/desk/", 120), ("/orders/", 120)],
    "street": [("/people/", 120)],
    "elder": [("/elder/", 40)],
}


def test_first_view_is_light_and_a_repeat_lighter(town):
    """What a browser loads through the front door: the page with its styles and scripts, cold, then again."""
    found = []
    for role, rows in WEIGHTS.items():
        for url, most in rows:
            visitor = town.role(role)
            page = visitor.follow(url)
            body = len(visitor.get(page.url, Accept_Encoding="br, zstd, gzip").body)
            assets = [urljoin(page.url, u) for u in re.findall(r'<(?:script[^>]+src|link[^>]+rel="(?:stylesheet|icon|preload|modulepreload)"[^>]+href)="([^"]+)"', page.text)]  # fmt: skip
            got = {u: visitor.get(u, Accept_Encoding="br") for u in dict.fromkeys(assets)}
            cold = body + sum(len(a.body) for a in got.values())
            again = body + sum(len(a.body) for a in got.values() if "immutable" not in a.headers.get("cache-control", ""))  # fmt: skip
            missing = [f"{u} {a.status}" for u, a in got.items() if a.status != 200]
            assert assets, page.text[:500]
            found += [f"{url} {m}" for m in missing]
            if cold > most * KB:
                found.append(f"{url} {cold / KB:.1f} KB cold, bar {most}: " + ", ".join(f"{u.rsplit('/', 1)[1]} {len(a.body)}" for u, a in got.items()))  # fmt: skip
            if again > 10 * KB:
                found.append(f"{url} {again / KB:.1f} KB again, bar 10")
    assert found == []
