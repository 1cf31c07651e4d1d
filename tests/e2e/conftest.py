"""A browser on the pages of this process: one actor after another, past sign-in."""

import dataclasses
import os

import pytest

from support.clients import past_sign_in

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def acting(staff, monkeypatch):
    """``acting("a")``: from now on every request is made by the bureau of that region, past sign-in."""
    from sangyu.registry.accounts.models import Account

    act = past_sign_in(monkeypatch)

    def make(key):
        account, _made = Account.objects.get_or_create(username=f"u-{key}", defaults={"name": "周敏"})
        actor = dataclasses.replace(staff(key), account_id=account.pk, name=f"周敏 {key}")
        act(account, actor)
        return actor

    return make


@pytest.fixture
def no_jobs_left():
    """The tables of the library are not emptied with ours: jobs of these tests would meet the next one."""
    from django.db import connection

    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_events")
        cursor.execute("DELETE FROM procrastinate_jobs")


@pytest.fixture
def screen(chromium, live_server, no_jobs_left):
    """A desktop page that notes what goes wrong in it."""
    page = chromium.new_page(viewport={"width": 1366, "height": 768}, locale="zh-CN", base_url=live_server.url)
    page.set_default_timeout(15_000)
    page.faults = []
    page.on("pageerror", lambda e: page.faults.append(str(e)))
    page.on("response", lambda r: page.faults.append(f"{r.status} {r.url}") if r.status >= 500 else None)
    yield page
    page.close()
