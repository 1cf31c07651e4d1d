"""Application → steps → decision → objection → appeal; holds, forms, accounts (R-029, R-049, X-03)."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest
from django.db import connection

from sangyu.care.applications import offers, selectors, services
from sangyu.care.applications.models import Application, ApplicationPaper, Delivery, Hold, Objection, PayeeAccount
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.files import save
from sangyu.kernel.models import Change, DataRead, Event
from sangyu.kernel.scoping import scope
from sangyu.registry.people.sharing import share_file
from support.pages import client_for
from support.world import NOW, make_person

pytestmark = pytest.mark.django_db
CARD = "6228481234567890128"


class Window(tuple):
    start, end = property(lambda self: self[0]), property(lambda self: self[1])

    def __contains__(self, day) -> bool:
        return self[0] <= (day.month, day.day) <= self[1]


def offer(code="home_service", **more):
    stacking = SimpleNamespace(group=more.pop("group", ""), excludes=more.pop("excludes", ()), excluded_by=())
    given = {
        "name": "居家养老服务补贴",
        "version_id": None,
        "subject": "person",
        "on_application": True,
        "form": "cash",
    } | more
    return offers.Offer(code=code, policy=SimpleNamespace(stacking=stacking), **given)


@pytest.fixture
def county(staff):
    """Officers of each level with accounts of their own."""
    made = {k: replace(staff(k), account_id=n) for n, k in enumerate(("a_one", "a_street", "a", "city"), start=101)}
    made["second"] = replace(staff("a"), account_id=120, name="second")
    return made


@pytest.fixture
def elder(regions, monkeypatch):
    """An elder in whose area three policies hold; one asks for a paper and all three steps."""
    held = [
        offer(review=("community", "street", "county"), evidence=("身份证",)),
        offer("age_allowance", name="高龄津贴", on_application=False),
        offer("festival", name="节日补贴", windows={"application": Window(((3, 1), (4, 30)))}),
    ]
    monkeypatch.setattr(offers, "offers", lambda path, day: held)
    monkeypatch.setattr(selectors, "offers", lambda path, day: held)
    return make_person(regions["a_one"])


def apply(county, elder, code="home_service", **more):
    return services.apply(actor=county["a_one"], person_id=elder.pk, policy_code=code, now=NOW, **more)


def paper(county, application):
    stored = save(county["a_one"], title="x", content_type="application/pdf", data=b"%PDF-1.4", owner=application)
    return ApplicationPaper.objects.create(application=application, asked="身份证", file=stored, actor="x")


def step(actor, application, **more):
    return services.approve_step(actor=actor, application_id=application.pk, now=NOW, **more)


def codes(call) -> str:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code


def test_three_levels_take_their_steps_and_the_last_one_approves(county, elder):
    row = apply(county, elder, text="一人生活")
    assert (row.state, row.steps, row.asked, row.channel) == (
        "submitted", ["community", "street", "county"], ["身份证"], "community",
    )  # fmt: skip
    assert codes(lambda: step(county["a_one"], row)) == "applications.four_eyes"  # handed it in
    row = step(replace(county["a_one"], account_id=150), row)
    assert (row.state, row.next_step) == ("review", "street")
    assert codes(lambda: step(county["a_one"], row)) == "applications.step"
    row = step(county["a_street"], row, expect=1)
    assert codes(lambda: step(county["a"], row, expect=1)) == "workflow.stale"
    assert codes(lambda: step(county["a"], row)) == "applications.evidence"
    paper(county, row)
    row = step(county["a"], row, reason="符合第五条")
    assert (row.state, row.approved_from, row.next_step) == ("approved", NOW.date(), "")
    assert list(row.trail.values_list("action", "data__step")) == [
        ("submit", None), ("pass", "community"), ("pass", "street"), ("approve", "county"),
    ]  # fmt: skip
    assert selectors.applied_on(["home_service"], elder.path[:12], until=NOW.date()) == [
        (elder.pk, "home_service", NOW.date())
    ]
    assert codes(lambda: apply(county, elder)) == "applications.open"


def test_what_cannot_be_applied_for(county, elder):
    assert codes(lambda: apply(county, elder, "age_allowance")) == "applications.automatic"
    assert codes(lambda: apply(county, elder, "nothing")) == "applications.unknown"
    assert codes(lambda: apply(county, elder, "festival")) == "applications.window"
    apply(county, elder)
    assert codes(lambda: apply(county, elder)) == "applications.open"
    with pytest.raises(NotVisible):
        services.apply(actor=county["a_one"], person_id=10**9, policy_code="home_service", now=NOW)
    assert Application.objects.count() == 1


def test_refusal_objection_and_an_appeal_that_changes_the_result(county, elder):
    """R-029: the full path."""
    row = apply(county, elder)
    with pytest.raises(Invalid):
        services.refuse(actor=county["a"], application_id=row.pk, reason=" ", now=NOW)
    row = services.refuse(actor=county["a"], application_id=row.pk, reason="收入超过标准", now=NOW)
    assert (row.state, row.answer) == ("refused", "收入超过标准")
    made = services.object_to(
        actor=county["a_one"], person_id=elder.pk, application_id=row.pk, text="核对有误", now=NOW
    )
    again = lambda: services.object_to(  # noqa: E731
        actor=county["a_one"], person_id=elder.pk, application_id=row.pk, text="再次", now=NOW
    )
    assert codes(again) == "applications.objected"
    answer = {"objection_id": made.pk, "now": NOW}
    assert codes(lambda: services.answer_objection(actor=county["a"], agree=True, reason="x", **answer)) == (
        "applications.four_eyes"
    )
    services.answer_objection(actor=county["second"], agree=False, reason="维持", **answer)
    services.appeal(actor=county["a_one"], objection_id=made.pk, text="请上级复核", now=NOW)
    assert codes(lambda: services.answer_objection(actor=county["a_street"], agree=True, reason="x", **answer)) == (
        "applications.step"
    )
    row.refresh_from_db()
    assert row.state == "refused"
    made = services.answer_objection(actor=county["city"], agree=True, reason="核对有误，予以纠正", **answer)
    row.refresh_from_db()
    assert (made.state, made.appeal_answer) == ("upheld", "核对有误，予以纠正")
    assert (row.state, row.approved_from) == ("approved", NOW.date())
    event = Event.objects.get(name="applications.objections.upheld")
    assert event.payload["person"] == elder.pk


def test_objection_to_a_month(county, elder):
    made = services.object_to(
        actor=county["a_one"], person_id=elder.pk, policy_code="age_allowance", month=date(2026, 9, 17), text="少发",
        now=NOW,
    )  # fmt: skip
    assert (made.month, made.policy_name) == (date(2026, 9, 1), "高龄津贴")
    services.answer_objection(actor=county["a"], objection_id=made.pk, agree=True, reason="属实", now=NOW)
    assert Event.objects.get(name="applications.objections.upheld").payload["month"] == "2026-09-01"
    assert Objection.objects.get().closed_at == NOW


def test_stop_and_resume(county, elder):
    made = services.hold(
        actor=county["a"], person_id=elder.pk, kind="confirm", reason="未年审", valid_from=date(2026, 9, 1), now=NOW
    )
    again = lambda: services.hold(  # noqa: E731
        actor=county["a"], person_id=elder.pk, kind="check", reason="x", valid_from=date(2026, 10, 1), now=NOW
    )
    assert codes(again) == "applications.held"
    start, end = date(2026, 10, 1), date(2026, 11, 1)
    assert selectors.held(elder.path[:9], start, end) == [("person", elder.pk, "", date(2026, 9, 1), None)]
    services.resume(actor=county["a"], hold_id=made.pk, on=start, reason="已年审")
    assert selectors.held(elder.path[:9], start, end) == []
    assert Hold.objects.get().resumed_because == "已年审"
    with pytest.raises(Forbidden):
        services.hold(
            actor=replace(county["a"], permissions=frozenset()), person_id=elder.pk, kind="check", reason="x",
            valid_from=start,
        )  # fmt: skip


def test_form_changes_from_the_first_of_a_month(county, elder):
    """R-049: switch from next year; one form a day."""
    given = {"actor": county["a"], "person_id": elder.pk, "policy_code": "home_service", "source": "县通知"}
    services.set_delivery(form="service", valid_from=date(2026, 1, 1), **given)
    with pytest.raises(Invalid):
        services.set_delivery(form="cash", valid_from=date(2026, 11, 2), **given)
    services.set_delivery(form="cash", valid_from=date(2027, 1, 1), **given)
    assert list(Delivery.objects.order_by("valid_from").values_list("form", "valid_from", "valid_to")) == [
        ("service", date(2026, 1, 1), date(2027, 1, 1)), ("cash", date(2027, 1, 1), None),
    ]  # fmt: skip
    assert selectors.forms_on("000", date(2026, 12, 31)) == {(elder.pk, "home_service"): "service"}


def test_an_account_needs_four_eyes_and_is_sealed(county, elder):
    given = {"person_id": elder.pk, "bank": "农业银行站前支行"}
    with pytest.raises(Invalid) as invalid:
        services.propose_payee(actor=county["a_one"], holder="李建华", number="6228481234567890123", **given)
    assert sorted(invalid.value.errors) == ["number"]
    first = services.propose_payee(actor=county["a"], holder=elder.name, number=CARD, now=NOW, **given)
    assert codes(lambda: services.approve_payee(actor=county["a"], payee_id=first.pk)) == "applications.four_eyes"
    assert selectors.payees([elder.pk]) == {}
    services.approve_payee(actor=county["second"], payee_id=first.pk, now=NOW)
    assert selectors.payees([elder.pk])[elder.pk].number == CARD
    with pytest.raises(Invalid) as invalid:
        services.propose_payee(
            actor=county["a_one"], holder="李建华", number="12345678901", is_proxy=True, relation="儿子", **given
        )
    assert list(invalid.value.errors) == ["evidence"]
    proof = save(county["a_one"], title="委托书", content_type="application/pdf", data=b"%PDF-1.4", owner=elder)
    new = services.propose_payee(
        actor=county["a_one"], holder="李建华", number="12345678901", is_proxy=True, relation="儿子", evidence_id=proof.pk,
        now=NOW, **given,
    )  # fmt: skip
    services.approve_payee(actor=county["a"], payee_id=new.pk, now=NOW)
    assert list(PayeeAccount.objects.order_by("pk").values_list("state", flat=True)) == ["ended", "active"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(p::text, '') || (SELECT string_agg(fields::text, '') FROM kernel_change) "
                       "FROM applications_payeeaccount p")  # fmt: skip
        assert CARD not in cursor.fetchone()[0]
    assert services.reveal_payee(actor=county["a"], payee_id=new.pk, purpose="核对") == "12345678901"
    assert DataRead.objects.filter(what="account_number").count() == 1
    assert Change.objects.filter(table_name="applications_payeeaccount").exists()


def test_hints_at_a_double_benefit(county, elder, regions, monkeypatch):
    other = make_person(regions["a_two"])
    for person in (elder, other):
        made = services.propose_payee(
            actor=county["a_one" if person is elder else "a"],
            person_id=person.pk,
            holder=person.name,
            number=CARD,
            bank="农行",
            now=NOW,
        )
        services.approve_payee(actor=county["second"], payee_id=made.pk, now=NOW)
    make_person(regions["b_one"])
    row = apply(county, elder)
    with scope(county["a"]):
        found = selectors.hints(county["a"], row)
    assert len(found) == 3
    assert "1" in found[0]
    assert "其他地区有 1 份" in found[2]


def test_the_elder_applies_and_sees_only_own(county, elder, world):
    account = replace(world.family, path=elder.path)
    with pytest.raises(NotVisible):
        services.apply(actor=account, person_id=elder.pk, policy_code="home_service", now=NOW)
    share_file(77, elder, ["vouchers"], "consent")
    row = services.apply(actor=account, person_id=elder.pk, policy_code="home_service", now=NOW)
    assert (row.channel, row.applicant) == ("family", "李建华")
    assert [a.pk for a in selectors.applications_of(account, elder.pk)] == [row.pk]
    services.withdraw(actor=account, application_id=row.pk, now=NOW)
    row.refresh_from_db()
    assert row.state == "withdrawn"


def test_pages(county, elder):
    row = apply(county, elder)
    client = client_for(county["a"])
    for address in (
        "", "objections/", "holds/", "accounts/", f"{row.pk}/", f"{row.pk}/trail/", f"{row.pk}/papers/new/",
        f"people/{elder.pk}/new/", f"people/{elder.pk}/hold/", f"people/{elder.pk}/form/", f"people/{elder.pk}/account/",
        f"people/{elder.pk}/object/", f"{row.pk}/approve/", f"{row.pk}/refuse/",
    ):  # fmt: skip
        assert client.get(f"/applications/{address}").status_code == 200, address
    assert client.get("/applications/?step=community&state=submitted").text.count(row.number) >= 1
    answer = client.post(f"/applications/{row.pk}/refuse/", {"reason": "材料不实"})
    assert answer.status_code in (302, 303), answer.text
    row.refresh_from_db()
    assert (row.state, row.answer) == ("refused", "材料不实")
