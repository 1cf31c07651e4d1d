"""`make shots`: a picture of every screen in two widths, with rows, dialogs, errors and emptiness, and an index of them."""

import html
import re
import shutil
from pathlib import Path

import pytest

from support.stack import ROOT, context_of, path

from .screens import ROLES, screens

pytestmark = [pytest.mark.e2e, pytest.mark.stack]
FOLDER = ROOT / "shots"
WIDTHS = {1440: 900, 390: 844}


@pytest.fixture
def folder(request):
    if "shots" not in (request.config.option.keyword or ""):
        pytest.skip("pictures are taken by `make shots`")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    return FOLDER


def test_shots(town, chromium, folder):
    """Every kind of page once, under the first role that reaches it; each role's home; then the states of a page."""
    taken, faults, seen = [], [], set()
    for role in ROLES:
        visitor = town.role(role)
        found = screens(visitor)
        home = path(visitor.follow("/").url)
        wanted = {"home": home} | {k: u for k, u in found.items() if k not in seen and u != home}
        seen |= set(found)
        with context_of(chromium, town, visitor) as context:
            page = context.new_page()
            for name, url in (wanted | extras(town, role)).items():
                taken.append(shoot(page, folder, role, name, town.address + url))
            faults += [f"{role} {f}" for f in context.faults]
            for name, url, selector in dialogs(town, role):
                taken.append(shoot(page, folder, role, name, town.address + url, press=selector))
    with context_of(chromium, town) as context:
        page = context.new_page()
        for name, url in DOOR.items():
            taken.append(shoot(page, folder, "door", name, town.address + url))
        taken.append(shoot(page, folder, "door", "sign-in-refused", f"{town.address}/accounts/sign-in/", press="main button[type=submit], form button[type=submit]", fill=True))  # fmt: skip
    index(folder, taken)
    assert len(taken) > 100
    assert [t for t in taken if t[2] > 0] == [], "wider than the screen"
    assert faults == []


DOOR = {"sign-in": "/accounts/sign-in/", "phone": "/accounts/phone/", "phone-elder": "/accounts/phone/?as=elder"}


def extras(town, role: str) -> dict[str, str]:
    """Addresses that no link leads to: states of lists and orders, errors."""
    if role == "operator":
        person = town.cast["elder"]["id"]
        states = {f"order-{s}": f"/orders/{pk}/" for s, pk in town.cast["states"].items()}
        return {
            "desk-caller": f"/desk/?person={person}",
            "desk-dispatch": f"/desk/?person={town.cast['received_person']}&order={town.cast['states'].get('received')}",
            "desk-nobody": "/desk/?q=zzzzzz",
            "orders-empty": "/orders/?q=zzzzzz",
            "people-empty": "/people/?q=zzzzzz",
            "people-found": f"/people/?q={town.cast['elder']['name'][0]}",
            "not-found": "/orders/99999999/",
            "not-allowed": "/settlement/close/",
            "search": f"/people/?q={town.cast['elder']['name']}",
            **states,
        }
    if role == "worker":
        return {f"visit-{s}": f"/worker/visits/{pk}/" for s, pk in town.cast["worker_visits"].items()}
    if role == "elder":
        return {f"visit-{s}": f"/elder/{town.cast['elder']['id']}/visits/{pk}/" for s, pk in town.cast["elder_visits"].items()}  # fmt: skip
    return {}


def dialogs(town, role: str) -> list[tuple[str, str, str]]:
    """(name, page, what to press) for what opens on a page."""
    states = town.cast["states"]
    if role == "operator" and "done" in states:
        return [
            ("dialog-confirm", f"/orders/{states['done']}/", "a[data-dialog][href*='/confirm/']"),
            ("dialog-cancel", f"/orders/{states['received']}/", "a[data-dialog][href*='/cancel/']"),
        ]
    return []


def shoot(page, folder: Path, role: str, name: str, url: str, press: str = "", fill: bool = False):
    """Both widths of one page; (role, name, px too wide)."""
    wide = 0
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.goto(url, wait_until="load")
        if fill:
            page.fill("[name=username]", "nobody")
            page.fill("[name=password]", "wrong-2108")
        if press and page.locator(press).count():
            page.locator(press).first.click()
            page.wait_for_timeout(500)
        wide = max(wide, page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
        target = folder / role / f"{re.sub(r'[^A-Za-z0-9-]+', '-', name)}-{width}.png"
        target.parent.mkdir(exist_ok=True)
        high = min(page.evaluate("document.documentElement.scrollHeight"), 3000)
        page.set_viewport_size({"width": width, "height": max(high, height)})
        page.screenshot(path=target, animations="disabled", timeout=30_000)
    return role, name, wide, path(url)


def index(folder: Path, taken: list) -> None:
    """shots/index.html: all pictures, by role."""
    out = ["<!doctype html><meta charset=utf-8><title>Screens</title><style>img{height:300px;border:1px solid #ccc;margin:4px}"
           "figure{display:inline-block;margin:8px}</style>"]  # fmt: skip
    role = ""
    for of, name, _wide, url in taken:
        if of != role:
            role = of
            out.append(f"<h2>{html.escape(role)}</h2>")
        file = re.sub(r"[^A-Za-z0-9-]+", "-", name)
        pictures = "".join(f'<a href="{role}/{file}-{w}.png"><img loading="lazy" alt="" src="{role}/{file}-{w}.png"></a>' for w in WIDTHS)  # fmt: skip
        out.append(f"<figure>{pictures}<figcaption>{html.escape(name)} <code>{html.escape(url)}</code></figcaption></figure>")  # fmt: skip
    (folder / "index.html").write_text("\n".join(out))
