"""Every form and act that names a service names it rightly: its arguments exist, and so does the page it returns to."""

import inspect

import pytest
from django.forms import BaseForm
from django.urls import URLPattern, get_resolver, reverse

from sangyu.ui.pages import ActionPage, FormPage


def _pages(patterns, found):
    for p in patterns:
        if not isinstance(p, URLPattern):
            _pages(p.url_patterns, found)
        elif issubclass(getattr(p.callback, "view_class", object), (ActionPage, FormPage)):
            found.add(p.callback.view_class)
    return found


PAGES = sorted(
    (p for p in _pages(get_resolver().url_patterns, set()) if p.service is not None),
    key=lambda p: (p.__module__, p.__qualname__),
)


def _overrides(page, name):
    return any(name in vars(c) for c in page.__mro__ if c.__module__.split(".")[1:3] != ["ui", "pages"])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: f"{p.__module__}.{p.__qualname__}")
def test_the_service_takes_what_the_page_gives(page):
    known = inspect.signature(page.service).parameters
    anything = any(p.kind is p.VAR_KEYWORD for p in known.values())
    assert "actor" in known
    if page.model is not None:
        assert page.argument in known, f"{page.argument!r} is no argument of {page.service.__name__}"
    fields = set(page.form_class.base_fields) if issubclass(page.form_class, BaseForm) else set()
    if (
        not anything
        and page.arguments.__qualname__ == "ObjectMixin.arguments"
        and not (_overrides(page, "act") or _overrides(page, "save"))
    ):
        assert fields - {"last_day"} <= set(known), f"{page.service.__name__} does not take {fields - set(known)}"
        needed = {n for n, p in known.items() if p.default is p.empty} - {"actor", page.argument, "valid_to"}
        assert needed <= fields, f"the form of {page.__qualname__} does not ask for {needed - fields}"
    if page.detail:
        assert reverse(page.detail + (f"-{page.tab}" if page.tab else ""), args=[1])


def test_pages_are_found():
    assert len(PAGES) > 15
