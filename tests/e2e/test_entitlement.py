"""The Entitlement road on real screens: three months paid by the demo, the fourth run, reviewed, published, approved, released and paid here
(issue 4 §5.1; R-068, X-03, X-06)."""

import re

import pytest

from support.stack import context_of

pytestmark = [pytest.mark.e2e, pytest.mark.stack]
PHONE = {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}

CAST = """
from sangyu.care.benefits.models import Line, Payment, Recovery, Run
from sangyu.kernel.models import Share
from sangyu.registry.accounts.models import Account
from sangyu.registry.people.models import Person
runs = list(Run.objects.order_by("month").values("id", "number", "state", "month"))
late = Recovery.objects.filter(subject_kind="person").order_by("id").first()
changed = Line.objects.filter(change="changed", subject_kind="person").first()
elder = Share.objects.filter(audience="family", kind="vouchers", subject_id=Account.objects.get(username="elder").pk).first()
answer = {
    "runs": runs, "late": late and {"id": late.pk, "amount": late.amount, "dead": str(Person.objects.get(pk=late.subject_id).died_on)},
    "changed": changed and changed.subject_id, "elder": elder.object_id,
    "rejected": list(Payment.objects.filter(state="rejected").values_list("id", flat=True)),
}
"""
#: All streets but the officer's own, then the counties; the work of seventy people, done by their service.
REVIEWS = """
from sangyu.care.benefits import services
from sangyu.care.benefits.models import Review
from sangyu.runtime.demo.accounts import acting
bureau = acting("bureau2")
for review in Review.objects.filter(run_id=%d, done_at=None).order_by("-level", "path"):
    act = services.review_street if review.level == "street" else services.review_county
    act(actor=bureau, review_id=review.pk)
answer = Review.objects.filter(run_id=%d, done_at=None).count()
"""
#: A week later.
NOTICE_OVER = """
from datetime import timedelta
from django.utils import timezone
from sangyu.care.benefits.models import Notice
today = timezone.localdate()
answer = Notice.objects.filter(run_id=%d).update(opens_on=today - timedelta(days=9), closes_on=today)
"""
BOOKS = """
from django.db.models import Sum
from sangyu.care.benefits.models import Payment, Run
run = Run.objects.get(pk=%d)
paid = dict(Payment.objects.filter(run=run).values_list("form").annotate(n=Sum("amount")))
answer = {"state": run.state, "total": run.total, "by": [run.prepared_by, run.approved_by, run.released_by], "paid": paid,
          "cash": sorted(set(Payment.objects.filter(run=run, form="cash").values_list("state", flat=True)))}
"""


@pytest.fixture(scope="module")
def cast(town):
    return town.city.ask(CAST)


def go(page, town, address: str):
    answer = page.goto(f"{town.address}{address}")
    assert answer.status == 200, (address, answer.status)


def submit(page) -> None:
    """Send the page's form and wait for what comes after it."""
    with page.expect_navigation(wait_until="load"):
        page.locator("main form button[type=submit], #form button[type=submit]").first.click()


def test_what_three_months_left_behind(town, chromium, cast):
    """A late death is owed back, a level change shows, the bank's rejection waits (X-03)."""
    assert [r["state"] for r in cast["runs"]][:1] != ["computed"]
    assert len(cast["runs"]) >= 3
    assert cast["late"]["dead"] != "None"
    with context_of(chromium, town, town.role("bureau"), width=1366, height=768) as context:
        page = context.new_page()
        go(page, town, "/benefits/")
        for run in cast["runs"][:3]:
            assert page.locator("table", has_text=run["number"]).count() == 1
        go(page, town, f"/benefits/recoveries/{cast['late']['id']}/")
        assert f"{cast['late']['amount'] / 100:,.2f}" in page.locator("main").inner_text()
        assert context.faults == []
    assert len(cast["rejected"]) >= 1


def test_the_month_from_computing_to_the_bank(town, chromium, cast):
    """Bureau computes, street and county review, all read the notice, another approves, finance releases and pays."""
    with context_of(chromium, town, town.role("bureau"), width=1366, height=768) as context:
        page = context.new_page()
        go(page, town, "/benefits/new/")
        page.fill("[name=region]", "营口市")
        submit(page)
        run = int(re.search(r"/benefits/(\d+)/", page.url)[1])
        # the progress is loaded by itself, then asks until the work is done
        page.wait_for_function(
            "() => !document.querySelector('[hx-trigger*=every], [hx-trigger=load]:empty')", timeout=120_000
        )
        assert town.city.ask(BOOKS % run)["state"] == "computed"
        go(page, town, f"/benefits/lines/?run={run}&change=same")
        first = page.locator("table tbody a[href*='/benefits/lines/']").first
        first.click()
        page.wait_for_url(re.compile(r"/benefits/lines/\d+/"))
        assert "元" in page.locator("main").inner_text()
        go(page, town, f"/benefits/{run}/approve/")
        page.locator("main form button[type=submit]").first.click()
        page.locator(".toast, .note--bad, [role=alert], [role=status]").first.wait_for()
        assert town.city.ask(BOOKS % run)["state"] == "computed", (
            "who prepared cannot approve, least of all before the review"
        )
        faults = list(context.faults)
    with context_of(chromium, town, town.role("street"), width=1366, height=768) as context:
        page = context.new_page()
        go(page, town, "/benefits/reviews/")
        finish = page.locator("a[href*='/benefits/reviews/'][href*='street'], a[hx-get*='street']").first
        finish.click()
        page.locator("#dialog button[type=submit]").click()
        finish.wait_for(state="detached")
        faults += context.faults
    assert town.city.ask(REVIEWS % (run, run)) == 0
    with context_of(chromium, town, town.role("bureau"), width=1366, height=768) as context:
        page = context.new_page()
        go(page, town, f"/benefits/{run}/publish/")
        submit(page)
        faults += context.faults
    assert town.city.ask(NOTICE_OVER % run) == 1
    for who, act in (("bureau2", "approve"), ("finance", "release")):
        with context_of(chromium, town, town.visitor(who), width=1366, height=768) as context:
            page = context.new_page()
            go(page, town, f"/benefits/{run}/{act}/")
            submit(page)
            faults += context.faults
    with context_of(chromium, town, town.visitor("finance"), width=1366, height=768) as context:
        page = context.new_page()
        go(page, town, "/benefits/files/bank/")
        page.fill("[name=region]", "营口市")
        submit(page)
        made = int(re.search(r"/benefits/files/(\d+)/", page.url)[1])
        for act in ("send", "confirm"):
            go(page, town, f"/benefits/files/{made}/{act}/")
            submit(page)
        faults += context.faults
    books = town.city.ask(BOOKS % run)
    assert len(set(books["by"])) == 3
    assert books["cash"] == ["paid"]
    assert town.city.sangyu("check").returncode == 0
    assert faults == []


def test_the_elder_reads_why_and_objects(town, chromium, cast):
    """我的补贴 on a phone: what comes, why, and an objection; the casefile's tab says the same (X-06)."""
    elder = cast["elder"]
    with context_of(chromium, town, town.visitor("elder"), **PHONE) as context:
        page = context.new_page()
        go(page, town, f"/elder/{elder}/subsidies/")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.locator(f"a[href*='/elder/{elder}/subsidies/']").first.click()
        page.wait_for_url(re.compile(r"/subsidies/[\w-]+/"))
        assert "为什么是这个数" in page.locator("main, body").first.inner_text()
        code = page.url.rstrip("/").rsplit("/", 1)[1]
        page.fill("#text", "请核对我的档次")
        with page.expect_navigation(wait_until="load"):
            page.locator("button[value=object]").click()
        assert page.url.endswith(f"/elder/{elder}/subsidies/")
        assert "待答复" in page.locator("body").inner_text()
        faults = list(context.faults)
    with context_of(chromium, town, town.role("bureau"), width=1366, height=768) as context:
        page = context.new_page()
        go(page, town, f"/casefile/{elder}/subsidies/")
        assert page.locator("details.casefile__why").count() >= 5
        assert page.locator("#tab", has_text="请核对我的档次").count() == 1
        faults += context.faults
    assert code
    assert faults == []
