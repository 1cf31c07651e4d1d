"""Facilities, organisations and workers apply, a panel decides within bounds, and they are paid (R-057 … R-061, X-03)."""

import dataclasses
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from care.policies.conftest import approved, author, chief, document, fresh_facts  # noqa: F401  fixtures
from sangyu.care.applications import selectors, services
from sangyu.care.applications.models import Application, PayeeAccount
from sangyu.care.applications.panels import Member
from sangyu.care.benefits import services as benefits
from sangyu.care.benefits.models import FileItem, Review
from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.scoping import scope
from sangyu.registry.facilities.models import Facility
from support.pages import client_for
from support.world import make_organisation

pytestmark = pytest.mark.django_db
BUILDING = """\
code: building-grant
name: 设施建设补贴
region: "2108"
document: {number: 营民发〔2026〕3号, title: 居家养老服务补贴办法, clause: 第七条}
valid_from: 2026-02-01
subject: facility
period: once
read: last_day
repeat: never
who: [设施类型 = day_care]
amount: {formula: 核定金额, minimum: 5万元, maximum: 50万元}
form: cash
fund: city_budget
payee: organisation
application: required
evidence: []
review: [county, city]
"""


@pytest.fixture
def grant(regions, staff, approved):  # noqa: F811
    """A day-care centre of a provider in county A, and officers who are different people."""
    approved(BUILDING)
    operator = make_organisation(regions["a"], "乐龄养老服务中心", {})[0]
    made = Facility.objects.create(
        name="清华日间照料中心", kind="day_care", organisation=operator, region=regions["a_one"], path=regions["a_one"].path,
        beds=20, opened_on=date(2026, 3, 1), urban_rural="urban",
    )  # fmt: skip
    benefits.open_fund(
        actor=dataclasses.replace(staff("city"), account_id=90), region_id=regions["city"].pk, code="city_budget",
        name="市级财政", valid_from=date(2020, 1, 1),
    )  # fmt: skip

    def officer(place, n):
        return dataclasses.replace(staff(place), name=f"{place}{n}", account_id=len(place) * 10 + n)

    return made, operator, officer


@pytest.fixture
def provider_actor(staff):
    """Factory: who acts for an organisation."""

    def make(organisation):
        return dataclasses.replace(
            staff("city"), audience=Audience.PROVIDER, role="provider_manager", name=organisation.name, account_id=71,
            subject_id=organisation.pk, path=organisation.path,
        )  # fmt: skip

    return make


@pytest.fixture
def own(grant, provider_actor):
    return provider_actor(grant[1])


def hand_in(actor, facility, **more):
    return services.apply_for_body(
        actor=actor, body_kind="facility", body_id=facility.pk, policy_code="building-grant", **more
    )


def test_a_grant_is_applied_for_decided_approved_and_paid(grant, own):
    facility, operator, officer = grant
    with scope(own):
        assert [(b.name, [o.code for o in found]) for b, found in selectors.applicants(own, date(2026, 11, 2))] == [
            (facility.name, ["building-grant"])
        ]
    row = hand_in(own, facility, applied_on=date(2026, 10, 5))
    assert (row.channel, row.body_name, row.organisation_id, row.person_id) == (
        "provider", facility.name, operator.pk, None,
    )  # fmt: skip
    services.approve_step(actor=officer("a", 1), application_id=row.pk)
    with pytest.raises(Refused) as refused:
        services.approve_step(actor=officer("city", 1), application_id=row.pk)
    assert refused.value.code == "applications.undecided"
    services.decide(actor=officer("city", 1), application_id=row.pk, amount=12_000_000, document="评审纪要3号")
    with pytest.raises(Refused) as refused:
        services.approve_step(actor=officer("city", 1), application_id=row.pk)
    assert refused.value.code == "applications.four_eyes"
    row = services.approve_step(actor=officer("city", 2), application_id=row.pk)
    assert (row.state, row.approved_from, row.decided_amount) == ("approved", date(2026, 10, 5), 12_000_000)
    run = benefits.begin(actor=officer("a", 1), region_id=facility.region.parent.parent_id, month=date(2026, 10, 1))
    run = benefits.compute(actor=officer("a", 1), run_id=run.pk)
    line = run.lines.get()
    assert (line.subject_kind, line.subject_id, line.amount) == ("facility", facility.pk, 12_000_000)
    assert line.facts["decided_amount"] == 12_000_000
    for level, act in (("street", benefits.review_street), ("county", benefits.review_county)):
        with scope(officer("a", 1)):
            ids = list(Review.objects.filter(run=run, level=level).values_list("pk", flat=True))
        for pk in ids:
            act(actor=officer("a", 1), review_id=pk)
    benefits.approve(actor=officer("a", 2), run_id=run.pk)
    benefits.release(actor=officer("a", 3), run_id=run.pk)
    given = {"actor": officer("a", 4), "region_id": run.region_id}
    with pytest.raises(Refused) as refused:
        benefits.make_bank_file(**given)
    assert refused.value.code == "benefits.nothing_due"
    account = services.propose_body_payee(
        actor=own, body_kind="facility", body_id=facility.pk, holder=operator.name, number="12345678901", bank="农商行"
    )
    services.approve_payee(actor=officer("a", 1), payee_id=account.pk)
    made = benefits.make_bank_file(**given)
    item = FileItem.objects.get(file=made)
    assert (item.payee, item.payee_account, item.amount) == (operator.name, "12345678901", 12_000_000)


@pytest.mark.parametrize(
    ("amount", "paper", "field"),
    [(4_999_999, "x", "amount"), (50_000_001, "x", "amount"), (5_000_000, " ", "document")],
)
def test_what_the_policy_does_not_allow_is_not_decided(grant, own, amount, paper, field):
    facility, _operator, officer = grant
    row = hand_in(own, facility)
    with pytest.raises(Invalid) as refused:
        services.decide(actor=officer("city", 1), application_id=row.pk, amount=amount, document=paper)
    assert list(refused.value.errors) == [field]
    with pytest.raises(Refused) as refused:
        services.decide(actor=officer("a", 1), application_id=row.pk, amount=5_000_000, document="x")
    assert refused.value.code == "applications.step"
    assert Application.objects.values_list("decided_amount", "state").get() == (None, "submitted")


def test_a_provider_acts_for_its_own_and_an_office_for_its_area(grant, own, regions, provider_actor):
    facility, _operator, officer = grant
    other = provider_actor(make_organisation(regions["b"], "康宁服务社", {})[0])
    with pytest.raises(NotVisible):
        hand_in(other, facility)
    with pytest.raises(NotVisible):
        hand_in(officer("b", 1), facility)
    with pytest.raises(NotVisible):
        services.propose_body_payee(
            actor=other, body_kind="facility", body_id=facility.pk, holder="x", number="12345678901", bank="x"
        )
    assert not Application.objects.exists()
    row = hand_in(officer("a", 5), facility)
    assert row.channel == "office"
    with pytest.raises(Refused) as refused:
        hand_in(own, facility)
    assert refused.value.code == "applications.open"
    with scope(own):
        assert selectors.applications_visible(own).count() == 1
    with scope(other):
        assert selectors.applications_visible(other).count() == 0
    with pytest.raises(Refused) as refused:
        services.apply_for_body(actor=own, body_kind="facility", body_id=facility.pk, policy_code="nowhere")
    assert refused.value.code == "applications.unknown"


def test_an_account_of_a_body_needs_four_eyes(grant, own):
    facility, operator, officer = grant
    given = {"body_kind": "facility", "body_id": facility.pk, "holder": operator.name, "bank": "农商行"}
    with pytest.raises(Invalid):
        services.propose_body_payee(actor=own, number="12", **given)
    mine = services.propose_body_payee(actor=officer("a", 1), number="12345678901", **given)
    with pytest.raises(Refused) as refused:
        services.propose_body_payee(actor=own, number="12345678902", **given)
    assert refused.value.code == "applications.payee_open"
    with pytest.raises(Refused) as refused:
        services.approve_payee(actor=officer("a", 1), payee_id=mine.pk)
    assert refused.value.code == "applications.four_eyes"
    with pytest.raises((Forbidden, Refused, NotVisible)):
        services.approve_payee(actor=dataclasses.replace(own, permissions=frozenset()), payee_id=mine.pk)
    assert PayeeAccount.objects.get().state == "proposed"


def test_the_screens(grant, own):
    facility, _operator, officer = grant
    client = client_for(own)
    page = client.get(reverse("applications:body-new"))
    assert page.status_code == 200
    assert facility.name in page.content.decode()
    sent = client.post(
        reverse("applications:body-new"),
        {"body": f"facility-{facility.pk}", "policy_code": "building-grant", "applied_on": "2026-10-05", "text": ""},
    )
    assert sent.status_code == 303
    row = Application.objects.get()
    for name in ("applications:list", "applications:payees", "applications:body-payee"):
        assert client.get(reverse(name)).status_code == 200, name
    assert facility.name in client.get(reverse("applications:detail", args=[row.pk])).content.decode()
    office = client_for(officer("city", 1))
    assert office.get(reverse("applications:decide", args=[row.pk])).status_code == 200
    sent = office.post(reverse("applications:decide", args=[row.pk]), {"amount": "120000", "document": "评审纪要3号"})
    assert sent.status_code == 303
    row.refresh_from_db()
    assert (row.decided_amount, row.decided_document) == (12_000_000, "评审纪要3号")


OPERATING = BUILDING.replace("building-grant", "operating-grant").replace("设施建设补贴", "设施运营补贴").replace(
    "{formula: 核定金额, minimum: 5万元, maximum: 50万元}", "300元"
).replace("period: once", "period: month").replace("repeat: never\n", "").replace("read: last_day\n", "").replace(
    "application: required", "application: automatic"
)  # fmt: skip


def computed(officer, facility, month):
    run = benefits.begin(actor=officer("a", 1), region_id=facility.region.parent.parent_id, month=month)
    return benefits.compute(actor=officer("a", 1), run_id=run.pk).lines.get(subject_kind="facility", month=month)


def test_a_body_objects_to_a_refusal_and_appeals(grant, own, provider_actor, regions):
    """As a person: a provider for its own, once at a time, somebody else answers; the amount is decided before it is agreed."""
    facility, _operator, officer = grant
    row = hand_in(own, facility, applied_on=date(2026, 10, 5))
    services.refuse(actor=officer("a", 1), application_id=row.pk, reason="床位不足")
    with pytest.raises(Refused) as refused:
        services.decide(actor=officer("city", 1), application_id=row.pk, amount=12_000_000, document="纪要")
    assert refused.value.code == "workflow.edge"
    other = provider_actor(make_organisation(regions["b"], "康宁服务社", {})[0])
    with pytest.raises(NotVisible):
        services.object_to_refusal(actor=other, application_id=row.pk, text="不服")
    with pytest.raises(Invalid):
        services.object_to_refusal(actor=own, application_id=row.pk, text=" ")
    made = services.object_to_refusal(actor=own, application_id=row.pk, text="床位共20张")
    assert (made.body_name, made.organisation_id, made.person_id, made.channel) == (
        facility.name, own.subject_id, None, "provider",
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        services.object_to_refusal(actor=own, application_id=row.pk, text="再来")
    assert refused.value.code == "applications.objected"
    for who in (own, officer("a", 1)):
        with pytest.raises(Refused) as refused:
            services.answer_objection(actor=who, objection_id=made.pk, agree=True, reason="x")
        assert refused.value.code == "applications.four_eyes"
    services.answer_objection(actor=officer("a", 2), objection_id=made.pk, agree=False, reason="维持")
    services.appeal(actor=own, objection_id=made.pk, text="请市里复核")
    with pytest.raises(Refused) as refused:
        services.answer_objection(actor=officer("city", 1), objection_id=made.pk, agree=True, reason="属实")
    assert refused.value.code == "applications.undecided"
    before = Application.objects.get(pk=row.pk).decided_at
    row = services.decide(actor=officer("city", 1), application_id=row.pk, amount=12_000_000, document="纪要9号")
    assert (row.state, row.decided_at) == ("refused", before)
    with pytest.raises(Refused) as refused:
        services.answer_objection(actor=officer("city", 1), objection_id=made.pk, agree=True, reason="属实")
    assert refused.value.code == "applications.four_eyes"
    made = services.answer_objection(actor=officer("city", 2), objection_id=made.pk, agree=True, reason="属实")
    row.refresh_from_db()
    assert (made.state, row.state, row.approved_from) == ("upheld", "approved", date(2026, 10, 5))
    assert computed(officer, facility, date(2026, 10, 1)).amount == 12_000_000


def test_what_a_body_is_given_stops_and_goes_on(grant, own, approved, regions, provider_actor):  # noqa: F811
    """A hold of a facility: its line stays with amount 0 and the reason; nobody stops what is not theirs, or twice."""
    facility, operator, officer = grant
    approved(OPERATING)
    given = {"body_kind": "facility", "body_id": facility.pk, "kind": "check", "reason": "年检不合格"}
    with pytest.raises(NotVisible):
        services.hold_body(actor=officer("b", 1), valid_from=date(2026, 10, 1), **given)
    with pytest.raises(Forbidden):
        services.hold_body(actor=dataclasses.replace(own, permissions=own.permissions - {"applications.hold"}),
                           valid_from=date(2026, 10, 1), **given)  # fmt: skip
    with pytest.raises(Refused) as refused:
        services.hold_body(actor=officer("a", 1), valid_from=date(2026, 10, 1), policy_code="nowhere", **given)
    assert refused.value.code == "applications.unknown"
    made = services.hold_body(
        actor=officer("a", 1), valid_from=date(2026, 10, 1), policy_code="operating-grant", **given
    )
    assert (made.body_name, made.policy_name, made.organisation_id) == (facility.name, "设施运营补贴", operator.pk)
    with pytest.raises(Refused) as refused:
        services.hold_body(actor=officer("a", 1), valid_from=date(2026, 11, 1), policy_code="operating-grant", **given)
    assert refused.value.code == "applications.held"
    # somebody of another kind with the same number is not stopped by it
    with scope(officer("a", 1)):
        found = selectors.held(facility.path[:9], date(2026, 10, 1), date(2026, 11, 1))
    assert found == [("facility", facility.pk, "operating-grant", date(2026, 10, 1), None)]
    line = computed(officer, facility, date(2026, 10, 1))
    assert (line.amount, line.stacked) == (0, "held")
    with scope(own):
        assert [h.pk for h in type(made).objects.visible_to(own)] == [made.pk]
    with scope(other := provider_actor(make_organisation(regions["b"], "康宁服务社", {})[0])):
        assert not type(made).objects.visible_to(other).exists()
    services.resume(actor=officer("a", 2), hold_id=made.pk, on=date(2026, 11, 1), reason="复检合格")
    assert computed(officer, facility, date(2026, 11, 1)).amount == 30000
    # and it objects to what the month gave
    objected = services.object_for_body(
        actor=own, body_kind="facility", body_id=facility.pk, policy_code="operating-grant", month=date(2026, 10, 15), text="已复检"
    )  # fmt: skip
    assert (objected.month, objected.policy_name) == (date(2026, 10, 1), "设施运营补贴")
    with pytest.raises(Refused) as refused:
        services.object_for_body(actor=own, body_kind="facility", body_id=facility.pk, policy_code="x", text="y")
    assert refused.value.code == "applications.unknown"


def test_the_screens_of_objections_and_holds(grant, own, approved):  # noqa: F811
    facility, _operator, officer = grant
    approved(OPERATING)
    row = hand_in(own, facility, applied_on=date(2026, 10, 5))
    services.refuse(actor=officer("a", 1), application_id=row.pk, reason="床位不足")
    client, office = client_for(own), client_for(officer("city", 1))
    assert (
        reverse("applications:refusal-object", args=[row.pk]) in client.get(f"/applications/{row.pk}/").content.decode()
    )
    sent = client.post(reverse("applications:refusal-object", args=[row.pk]), {"text": "床位共20张"})
    assert sent.status_code == 303
    assert facility.name in client.get(sent.url).content.decode()
    assert reverse("applications:decide", args=[row.pk]) in office.get(f"/applications/{row.pk}/").content.decode()
    assert facility.name in client.get(reverse("applications:body-object")).content.decode()
    body = {"body": f"facility-{facility.pk}", "policy_code": "operating-grant"}
    sent = client.post(reverse("applications:body-object"), {**body, "month": "2026-10-05", "text": "少了"})
    assert sent.status_code == 303
    assert office.get(reverse("applications:body-hold")).status_code == 200
    held = office.post(
        reverse("applications:body-hold"), {**body, "kind": "check", "valid_from": "2026-11-01", "reason": "年检"}
    )
    assert held.status_code == 303
    for name in ("applications:holds", "applications:objections"):
        for who in (client, office):
            assert facility.name in who.get(reverse(name)).content.decode(), name


PANEL = BUILDING.replace("building-grant", "panel-grant").replace("review: [county, city]", "review: [county, panel]")


def test_a_panel_decides_and_is_written_down(grant, own, approved, settings, tmp_path):  # noqa: F811
    """Where the policy names a panel, its day, members, votes and minutes are kept; the run pays what it decided."""
    settings.MEDIA_ROOT = tmp_path
    facility, _operator, officer = grant
    approved(PANEL)
    row = services.apply_for_body(
        actor=own, body_kind="facility", body_id=facility.pk, policy_code="panel-grant", applied_on=date(2026, 10, 5)
    )
    given = {"application_id": row.pk, "amount": 12_000_000, "document": "评审纪要3号"}
    sat = [
        Member("王丽", "科长"),
        Member("赵强", "专家"),
        Member("孙梅", "财政局", "against"),
        Member("李明", "", "withdrew"),
    ]
    for day in (None, date(2026, 10, 4), date(2099, 1, 1)):
        with pytest.raises(Invalid) as wrong:
            services.decide(actor=officer("a", 1), held_on=day, members=sat, **given)
        assert list(wrong.value.errors) == ["held_on"]
    given["held_on"] = date(2026, 10, 20)
    not_carried = [
        [], sat[:2], [*sat[:2], sat[3]], [*sat[:2], sat[0]], [sat[0], sat[2], Member("钱", "", "abstained")],
        [*sat[:2], Member("钱", "", "maybe")],
    ]  # fmt: skip
    for members in not_carried:
        with pytest.raises(Invalid) as wrong:
            services.decide(actor=officer("a", 1), members=members, **given)
        assert list(wrong.value.errors) == ["members"]
    row.refresh_from_db()
    assert (row.decided_amount, row.decisions.count()) == (None, 0)
    office = client_for(officer("a", 1))
    page = reverse("applications:decide", args=[row.pk])
    assert "评审组成员" in office.get(page).content.decode()
    posted = {"amount": "120000", "document": "评审纪要3号", "held_on": "2026-10-20"}
    wrong = office.post(page, {**posted, "members": "王丽 科长 同意\n赵强 专家"})
    assert wrong.status_code == 422
    assert "第 2 行" in wrong.content.decode()
    paper = SimpleUploadedFile("纪要.pdf", b"%PDF-1.4\n%%EOF\n", content_type="application/pdf")
    said = "王丽 科长 同意\n赵强，专家，同意\n\n孙梅\t财政局\t反对\n李明 区局 回避"
    assert office.post(page, {**posted, "members": said, "file": paper}).status_code == 303
    with scope(officer("a", 1)):
        made = row.decisions.get()
        assert [(m["name"], m["vote"]) for m in made.members] == [
            ("王丽", "for"), ("赵强", "for"), ("孙梅", "against"), ("李明", "withdrew"),
        ]  # fmt: skip
        assert (made.amount, made.held_on, made.file.title) == (12_000_000, date(2026, 10, 20), "纪要.pdf")
    seen = office.get(f"/applications/{row.pk}/panel/").content.decode()
    assert "孙梅" in seen
    assert "财政局" in seen
    with scope(own):
        assert not type(made).objects.filter(application=row).exists()
    services.decide(actor=officer("a", 1), members=sat, **{**given, "amount": 10_000_000, "document": "更正"})
    row = services.approve_step(actor=officer("a", 2), application_id=row.pk)
    assert (row.state, row.decided_amount, row.decided_document) == ("approved", 10_000_000, "更正")
    assert computed(officer, facility, date(2026, 10, 1)).amount == 10_000_000
