"""What-if: both texts over the same people; figures to the fen; nothing is touched (issue 4 §2)."""

from dataclasses import replace
from datetime import date

import pytest

from sangyu.care.policies import services, trials, whatif
from sangyu.care.policies.knobs import knobs, turned
from sangyu.care.policies.models import PolicyVersion, Trial
from sangyu.care.policies.selectors import read_text
from sangyu.kernel import operations
from sangyu.kernel.errors import Forbidden, NotVisible
from sangyu.kernel.models import Change
from sangyu.kernel.scoping import scope
from support.pages import client_for
from support.policies import ADVANCED_AGE, HOME_CARE

pytestmark = pytest.mark.django_db
MONTH = date(2026, 10, 1)


@pytest.fixture
def homes(elder):
    """Two in the first county (self-care, dependent), one in the second (dependent), one who gets nothing."""
    elder("自理", income_category="minimum_living", care_level="0")
    elder("失能", income_category="minimum_living", care_level="4")
    elder("西市", place="b_one", income_category="near_minimum", care_level="3", born=date(1955, 1, 1))
    elder("普通", income_category="ordinary", care_level="4")


def asked(actor, version, text, month=MONTH):
    return trials.ask(actor=actor, version_id=version.pk, text=text, against_id=version.pk, month=month).figures


def test_a_changed_amount(author, approved, homes, regions):
    """Winners and losers by county and level, cost by month and year; the rule itself and the register are as before."""
    version = approved()
    policy = read_text(HOME_CARE)
    text = turned(policy, {"amount.0": "180", "amount.2": "720"})
    assert [k.key for k in knobs(policy)] == [
        "who.0",
        "who.1",
        "who.2",
        "when.0",
        "amount.0",
        "when.1",
        "amount.1",
        "when.2",
        "amount.2",
    ]
    with scope(author):
        before = Change.objects.count()
    found = asked(author, version, text)
    total = {
        k: found["total"][k]
        for k in ("before_people", "after_people", "before", "after", "more", "less", "begin", "stop")
    }
    assert total == {
        "before_people": 3, "after_people": 3, "before": 140_000, "after": 162_000, "more": 2, "less": 1, "begin": 0, "stop": 0,
    }  # fmt: skip
    assert (found["total"]["before_year"], found["total"]["after_year"]) == (1_680_000, 1_944_000)
    assert [(r["label"], r["after"], r["more"], r["less"]) for r in found["places"]] == [
        ("站前区", 90_000, 1, 1), ("西市区", 72_000, 1, 0),
    ]  # fmt: skip
    assert [(r["key"], r["after_people"], r["more"]) for r in found["levels"]] == [("self_care", 1, 0), ("full", 2, 2)]
    assert [(r["label"], r["after_people"]) for r in found["ages"]] == [("70–79", 1), ("80–89", 2)]
    with scope(author):
        assert Change.objects.count() == before
        assert PolicyVersion.objects.get(pk=version.pk).text == HOME_CARE


def test_a_changed_condition_and_the_scope(author, staff, approved, homes):
    """Those who drop out; a county officer sees the county's people only; a trial is its author's own."""
    version = approved()
    text = HOME_CARE.replace("(minimum_living, near_minimum)", "(minimum_living)")
    found = asked(author, version, text)
    assert (found["total"]["stop"], found["total"]["less"], found["total"]["after_people"]) == (1, 1, 2)
    county = replace(staff("a"), account_id=41)
    own = trials.ask(actor=county, version_id=version.pk, text=text, against_id=version.pk, month=MONTH)
    assert (own.figures["total"]["before_people"], own.figures["total"]["stop"]) == (2, 0)
    with scope(author), pytest.raises(NotVisible):
        trials.find(author, own.pk)
    with pytest.raises(Forbidden):
        trials.ask(
            actor=replace(county, permissions=frozenset()),
            version_id=version.pk,
            text=text,
            against_id=None,
            month=MONTH,
        )


def test_what_stacks_is_counted(author, chief, approved, homes):
    """O-3: raising one of a group lowers what the other pays; the change of a person is over both."""
    grouped = HOME_CARE + "stacking: {group: 津贴, rule: highest}\n"
    approved(ADVANCED_AGE)
    version = approved(grouped)
    found = asked(author, version, grouped.replace("amount: 200元", "amount: 50元"))
    assert found["total"]["after"] - found["total"]["before"] == -20_000
    assert found["others"] == 10_000 * 12
    assert found["total"]["less"] == 1


def test_many_people_are_an_operation(author, approved, homes, monkeypatch):
    """Long ones run in the background with progress and leave the same figures."""
    version = approved()
    monkeypatch.setattr(trials, "AT_ONCE", 0)
    trial = trials.ask(actor=author, version_id=version.pk, text=HOME_CARE, against_id=None, month=MONTH)
    assert trial.figures is None
    operations.run(trial.operation_id)
    with scope(author):
        trial = Trial.objects.get(pk=trial.pk)
        assert (trial.figures["total"]["begin"], trial.figures["total"]["after"]) == (3, 140_000)
        assert trials.workbook(author, trial)[:2] == b"PK"
    # the facts are at hand now: the next one answers at once
    again = trials.ask(actor=author, version_id=version.pk, text=HOME_CARE, against_id=version.pk, month=MONTH)
    assert again.figures["total"]["more"] == 0
    whatif.forget()


def test_screens(author, chief, approved, homes):
    """List, plain page, text, versions, editor with problems, what-if: real pages, no trace of a check in the database."""
    version = approved()
    draft = services.draft(actor=author, text=HOME_CARE.replace("2026-02-01", "2027-01-01").replace("200元", "180元"))
    client = client_for(author)
    for query in ("", "?standing=in_force", "?standing=draft", "?region=营口", "?subject=person&q=居家"):
        assert "居家养老服务补贴" in client.get(f"/policies/{query}").content.decode(), query
    for tab in ("", "text/", "versions/", "history/"):
        assert client.get(f"/policies/{draft.pk}/{tab}").status_code == 200, tab
    assert "补贴档次为自理" in client.get(f"/policies/{version.pk}/").content.decode()
    assert client.get(f"/policies/{version.pk}/file/").getvalue().decode() == HOME_CARE
    assert client.get("/policies/files/").status_code == 200
    wrong = {"text": HOME_CARE.replace("年龄 >= 60", "年纪 >= 60"), "check": "1"}
    checked = client.post("/policies/new/", wrong, headers={"HX-Request": "true"}).content.decode()
    assert 'class="bad" id="L9"' in checked
    assert client.post("/policies/new/", wrong | {"save": "1"}).status_code == 422
    with scope(author):
        assert PolicyVersion.objects.count() == 2
    assert client.get(f"/policies/{draft.pk}/approve/").status_code == 200
    own = client.post(f"/policies/{draft.pk}/approve/", {"document_id": draft.document_id})
    assert own.status_code == 409
    page = f"/policies/{version.pk}/try/"
    assert client.get(page).status_code == 200
    turned_page = client.post(
        page,
        {"text": HOME_CARE, "month": "2026-10", "against": version.pk, "knob.amount.0": "180", "was.amount.0": "200"},
    )
    said = turned_page.content.decode()
    assert turned_page.status_code == 200
    assert "领得更少" in said
    assert "站前区" in said
    with scope(author):
        trial = Trial.objects.latest("id")
    assert client.get(f"/policies/trials/{trial.pk}/export/").status_code == 200
    assert client.get("/policies/what-if/").status_code == 200
    assert client.post(page, {"text": "x: 1", "month": "2026-10"}).status_code == 422
