"""The whole stack as tests use it: one demo city a session, people signed in, pages in a real browser."""

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sangyu.runtime.trial import CASTING, City, Visitor

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), "")
ARGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-gpu", "--lang=zh-CN"]


class Town:
    """A running demo city with who is who in it; sign-ins are made once a session and shared."""

    def __init__(self, city: City) -> None:
        self.city, self.visitors = city, {}
        self.cast = city.ask(CASTING)

    @property
    def address(self) -> str:
        return self.city.address

    def visitor(self, username: str) -> Visitor:
        """``username`` signed in over HTTP."""
        known = self.visitors.get(username)
        if known is None or "/accounts/" in known.get("/").location:  # an idle session has ended meanwhile
            made = known or Visitor(self.city.port)
            answer = made.sign_in(username)
            assert answer.status in (200, 302, 303), (username, answer.status, answer.words[:300])
            home = made.get("/")
            assert "/accounts/" not in home.location, f"{username} is not signed in: {home.location}"
            self.visitors[username] = made
        return self.visitors[username]

    def role(self, role: str) -> Visitor:
        """Somebody of ``role``; "elder" is whoever acts for the elder of the road."""
        return self.visitor(self.cast["elder"]["username"] if role == "elder" else self.cast["roles"][role])


@pytest.fixture(scope="session")
def town():
    """One demo city under `sangyu up` for all tests of the session; gone afterwards.

    SANGYU_TRIAL_HOME names a demo city that runs already, while tests are being written.
    """
    if home := os.environ.get("SANGYU_TRIAL_HOME"):
        city = City.running(Path(home))
        # an earlier session kept the secrets of the second factors to itself
        city.ask(
            "from sangyu.registry.accounts.models import SecondFactor\nanswer = SecondFactor.objects.all().delete()"
        )
        yield Town(city)
        return
    with City() as city:
        city.build().start()
        yield Town(city)


@pytest.fixture(scope="session")
def chromium():
    """One browser for the session. Fails, rather than draw boxes, when no Chinese font can be had."""
    assert CHROMIUM, "no Chromium: sudo apt-get install -y chromium"
    from playwright.sync_api import sync_playwright

    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright, fonts() as env:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGS, env={**os.environ, "LANGUAGE": "zh_CN", **env}
        )
        page = browser.new_page()
        # Without a font every character is the same box: 永 and 国 would be drawn alike.
        page.set_content("<canvas width=120 height=60></canvas>")
        same = page.evaluate(SAME_GLYPH)
        page.close()
        assert not same, "no Chinese font: install fonts-noto-cjk"
        yield browser
        browser.close()


SAME_GLYPH = """() => {
  const c = document.querySelector('canvas').getContext('2d'); c.font = '40px sans-serif';
  const draw = t => { c.clearRect(0, 0, 120, 60); c.fillText(t, 5, 45); return c.canvas.toDataURL(); };
  return draw('永') === draw('国');
}"""


@contextmanager
def fonts():
    """Environment in which Chinese can be drawn: the machine's fonts, else those of the font wheel."""
    listed = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=False) if shutil.which("fc-list") else None  # fmt: skip
    if listed and listed.stdout.strip():
        yield {}
        return
    import tempfile

    import pylopdf_fonts_zh_cn

    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "fonts.conf"
        config.write_text(
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><include ignore_missing="yes">'
            f"/etc/fonts/fonts.conf</include><dir>{Path(pylopdf_fonts_zh_cn.__file__).parent}</dir>"
            f"<cachedir>{folder}/cache</cachedir></fontconfig>"
        )
        yield {"FONTCONFIG_FILE": str(config)}


@contextmanager
def context_of(browser, town: Town, visitor: Visitor | None = None, *, width: int = 1440, height: int = 900, **more):
    """A browser context signed in as ``visitor``, that watches for faults: ``context.faults`` is a list of sentences."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN", **more)
    context.set_default_timeout(60_000)  # machines are slow at times; a wait ends with what it waits for
    if visitor is not None:
        context.add_cookies([{"name": k, "value": v, "url": town.address} for k, v in visitor.cookies.items()])
    context.faults = []

    def watch(page) -> None:
        told = context.faults.append
        page.on("console", lambda m: told(f"{path(page.url)} console: {m.text}") if m.type == "error" and not expected(m) else None)  # fmt: skip
        page.on("pageerror", lambda e: told(f"{path(page.url)} script: {e}"))
        page.on("request", lambda r: None if own(r.url) else told(f"{path(page.url)} off-origin: {r.url}"))
        page.on("response", lambda r: told(f"{r.status} {path(r.url)}") if r.status >= 500 else None)

    def own(url: str) -> bool:
        return url.startswith((town.address, "data:", "blob:", "about:"))

    def expected(message) -> bool:
        """The browser's own line for an answer that a test provokes (a refused form, an unknown address)."""
        return "Failed to load resource" in message.text and any(f"status of {n}" in message.text for n in (403, 404, 409, 422))  # fmt: skip

    context.on("page", watch)
    try:
        yield context
    finally:
        context.close()


def path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
