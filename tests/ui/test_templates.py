"""Guards over every template, style sheet and script of the project; formats."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.utils import translation

import sangyu
from sangyu.runtime.messages import missing
from sangyu.ui import format as fmt

SOURCE = Path(sangyu.__file__).parent
TEMPLATES = sorted(p for p in SOURCE.rglob("templates/**/*.html"))
STATIC = SOURCE / "ui/static/ui"
FORBIDDEN = {
    "inline style": re.compile(r"\sstyle\s*=", re.I),
    "inline style sheet": re.compile(r"<style[\s>]", re.I),
    "inline script": re.compile(r"<script(?![^>]*\ssrc=)(?![^>]*application/json)[^>]*>", re.I),
    "event attribute": re.compile(r"\son[a-z]+\s*=", re.I),
    "hx-on": re.compile(r"\shx-on", re.I),
    "hx-vals js": re.compile(r"""=["']\s*(?:js|javascript):""", re.I),
    "other origin": re.compile(r"""(?:src|href|action)=["'](?:https?:)?//""", re.I),
}
#: Templates for other readers than browsers under our policy: path → reason.
EXCEPTIONS: dict[str, str] = {}


def test_there_are_templates():
    assert len(TEMPLATES) > 40


@pytest.mark.parametrize("rule", FORBIDDEN)
def test_no_template_breaks_the_content_security_policy(rule):
    found = {str(p.relative_to(SOURCE)) for p in TEMPLATES if FORBIDDEN[rule].search(p.read_text())}
    assert sorted(found - set(EXCEPTIONS)) == []
    assert all(EXCEPTIONS.values())
    stale = [p for p in EXCEPTIONS if not any(r.search((SOURCE / p).read_text()) for r in FORBIDDEN.values())]
    assert stale == []


def test_the_rules_find_what_they_forbid():
    bad = {
        "inline style": '<p style="a">',
        "inline style sheet": "<style>",
        "inline script": "<script>x</script>",
        "event attribute": '<a onclick="x">',
        "hx-on": '<a hx-on:click="x">',
        "hx-vals js": "<a hx-vals='js:{}'>",
        "other origin": '<img src="//cdn.example/x">',
    }
    assert all(FORBIDDEN[rule].search(text) for rule, text in bad.items())
    assert not any(
        r.search('<script src="/static/ui/js/app.js" defer></script><a data-on="1">') for r in FORBIDDEN.values()
    )


def test_every_file_that_a_template_names_is_there():
    """A name that the manifest lacks is an error page; npm's files are there once `make assets` has run."""
    named = {name for p in TEMPLATES for name in re.findall(r"""\{%\s*static\s+['"]([^'"]+)['"]""", p.read_text())}
    assert "vendor/leaflet/leaflet.js" in named
    assert sorted(name for name in named if finders.find(name) is None) == []


def test_every_word_of_the_frame_is_translated():
    assert [(m.context, m.text) for m in missing(SOURCE) if (SOURCE / "ui") in m.file.parents] == []


def test_templates_hold_no_chinese_of_their_own():
    """Words on screen go through gettext; the gallery shows sample data."""
    han = re.compile(r"[\u4e00-\u9fff]")
    own = [
        p.name
        for p in (SOURCE / "ui/templates").rglob("*.html")
        if p.name != "gallery.html" and han.search(p.read_text())
    ]
    assert own == []


def test_style_sheets_of_a_desk_page_stay_below_40_kilobytes():
    names = ("tokens", "base", "components", "shell")
    assert sum((STATIC / f"css/{n}.css").stat().st_size for n in names) < 40 * 1024


def test_style_sheets_keep_to_the_browser_floor():
    """Chrome 87: no nesting, no :has()."""
    for sheet in (STATIC / "css").glob("*.css"):
        text = sheet.read_text()
        assert ":has(" not in text, sheet.name
        assert not re.search(r"\{[^{}@]*&", text), sheet.name


def test_icons_that_templates_name_exist():
    sprite = set(re.findall(r'id="i-([\w-]+)"', (STATIC / "icons.svg").read_text()))
    used = {n for p in TEMPLATES for n in re.findall(r'\{% icon "([\w-]+)"', p.read_text())}
    assert used - sprite == set()


@pytest.mark.parametrize(
    ("fen", "text"),
    [(3000, "30.00 元"), (0, "0.00 元"), (-5, "−0.05 元"), (46020000, "460,200.00 元"), (None, "—")],
)
def test_money(fen, text):
    with translation.override("zh-hans"):
        assert fmt.money(fen) == text


def test_money_refuses_floats():
    with pytest.raises(TypeError):
        fmt.money(1.5)


def test_dates_are_local():
    assert fmt.moment(datetime(2026, 10, 15, 18, 30, tzinfo=UTC)) == "2026-10-16 02:30"
    assert fmt.day(datetime(2026, 10, 15, 18, 30, tzinfo=UTC)) == "2026-10-16"
    assert fmt.day(date(2026, 10, 15)) == "2026-10-15"
    assert (fmt.day(None), fmt.moment(None), fmt.or_dash(""), fmt.or_dash(0)) == ("—", "—", "—", "0")


def test_masks():
    assert fmt.mask_id("210802194203082024") == "210802********2024"
    assert fmt.mask_phone("13812346021") == "138****6021"
    assert fmt.mask_name("王桂兰") == "王**"
    assert fmt.mask_id("12345") == "*****"
    assert fmt.mask_id("") == "—"


def test_tags_escape():
    assert fmt.tag("<b>", "ok") == '<span class="tag tag--ok">&lt;b&gt;</span>'
