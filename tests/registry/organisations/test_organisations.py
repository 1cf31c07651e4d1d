"""Register of providers: legal forms, licences, capability, chain, states (R-006 … R-008, R-179)."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.models import Event
from sangyu.kernel.scoping import scope
from sangyu.registry.organisations import selectors, services
from sangyu.registry.organisations.credit_code import is_valid, normalised
from sangyu.registry.organisations.enums import Action, ContractAction, ContractState, LegalForm, State
from sangyu.registry.organisations.models import Contact, Licence, Mode, Organisation, OrganisationLog
from sangyu.registry.organisations.workflow import CONTRACT, REGISTRATION

from .conftest import NOW, TODAY, credit_code

pytestmark = pytest.mark.django_db


def blocks_of(item, path, day=TODAY):
    return {o.name: [b.code for b in o.blocks] for o in selectors.offering(item, path, day)}


# ---------------------------------------------------------------- credit code
def test_credit_codes():
    """GB 32100-2015; the first is the standard's own example."""
    assert is_valid("91350100M000100Y43")
    assert not is_valid("91350100M000100Y44")
    assert not is_valid("91350100M000100Y4")
    assert not is_valid("91350100M000100I43")
    assert normalised(" 9135 0100-m000100y43 ") == "91350100M000100Y43"


# ---------------------------------------------------------------- registering
def test_one_of_each_legal_form_can_be_registered(regions, staff):
    """R-006."""
    for n, form in enumerate(LegalForm):
        code = credit_code(n) if form.has_credit_code else ""
        services.register_organisation(
            actor=staff("city"), region=regions["city"], name=f"机构{n}", legal_form=form, credit_code=code
        )
    with scope(staff("city")):
        assert Organisation.objects.filter(state=State.DRAFT).count() == len(LegalForm)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": " "}, "name"),
        ({"legal_form": "guild"}, "legal_form"),
        ({"credit_code": ""}, "credit_code"),
        ({"credit_code": "91350100M000100Y44"}, "credit_code"),
        ({"legal_form": "individual"}, "credit_code"),
        ({"phone": "12"}, "phone"),
        ({"latitude": 40.6}, "latitude"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_entries_are_named_and_nothing_is_written(regions, staff, fields, wrong):
    given = {"name": "机构", "legal_form": "enterprise", "credit_code": "91350100M000100Y43", **fields}
    with pytest.raises(Invalid) as refusal:
        services.register_organisation(actor=staff("city"), region=regions["city"], **given)
    assert list(refusal.value.errors) == [wrong]
    with scope(staff("city")):
        assert Organisation.objects.count() == 0


def test_a_credit_code_is_registered_once_in_the_whole_country(regions, staff, organisation):
    organisation("a")
    with pytest.raises(Refused) as refusal:
        services.register_organisation(
            actor=staff("b"), region=regions["b"], name="别家", legal_form="enterprise", credit_code=credit_code(1)
        )
    assert refusal.value.code == "organisations.duplicate"
    with scope(staff("city")):
        assert Organisation.objects.count() == 1


def test_a_county_does_not_change_the_citys_organisation(regions, staff, organisation):
    row = organisation("city")
    with pytest.raises(Refused) as refusal:
        services.change_organisation(actor=staff("a"), organisation_id=row.pk, name="改")
    assert refusal.value.code == "scope.above"
    other = organisation("b")
    with pytest.raises(NotVisible):
        services.change_organisation(actor=staff("a"), organisation_id=other.pk, name="改")
    with scope(staff("city")):
        assert sorted(Organisation.objects.values_list("name", flat=True)) == ["机构1", "机构2"]


def test_a_provider_describes_itself_and_no_other(regions, staff, organisation):
    own, other = organisation("a"), organisation("a")
    provider = Actor(
        audience=Audience.PROVIDER,
        path=regions["a"].path,
        name="p",
        subject_id=own.pk,
        permissions=frozenset({"organisations.own"}),
    )
    services.describe(actor=provider, organisation_id=own.pk, phone="0417 2812345", introduction="二十四小时服务")
    with pytest.raises(NotVisible):
        services.describe(actor=provider, organisation_id=other.pk, phone="0417-2812345")
    with pytest.raises(Invalid):
        services.describe(actor=provider, organisation_id=own.pk, name="改名")
    with pytest.raises(Forbidden):
        services.change_organisation(actor=provider, organisation_id=own.pk, name="改名")
    with scope(provider):
        assert list(Organisation.objects.values_list("name", "phone")) == [("机构1", "0417-2812345")]


# ---------------------------------------------------------------- states
def test_approval_needs_a_licence_that_holds(regions, staff, organisation):
    """R-006: an expired licence is none."""
    row = organisation("a", approve=False)
    actor = staff("a")
    with pytest.raises(Refused) as refusal:
        services.approve(actor=actor, organisation_id=row.pk, now=NOW)
    assert refusal.value.code == "organisations.no_licence"
    services.add_licence(
        actor=actor, organisation_id=row.pk, kind="business", number="1", valid_from=date(2020, 1, 1), valid_to=TODAY
    )
    with pytest.raises(Refused):
        services.approve(actor=actor, organisation_id=row.pk, now=NOW)
    services.add_licence(actor=actor, organisation_id=row.pk, kind="business", number="2", valid_from=TODAY)
    row = services.approve(actor=actor, organisation_id=row.pk, now=NOW, expect="draft")
    assert (row.state, row.approved_at) == (State.APPROVED, NOW)
    with scope(actor):
        assert [str(x) for x in OrganisationLog.objects.all()] == ["approve: draft → approved"]


def test_an_individual_needs_no_licence(regions, staff):
    row = services.register_organisation(actor=staff("a"), region=regions["a"], name="李秀兰", legal_form="individual")
    assert services.approve(actor=staff("a"), organisation_id=row.pk, now=NOW).state == State.APPROVED


def test_suspending_tells_orders_from_which_day(regions, staff, organisation):
    row = organisation("a")
    with pytest.raises(Refused):
        services.suspend(actor=staff("a"), organisation_id=row.pk, reason=" ", now=NOW)
    services.suspend(actor=staff("a"), organisation_id=row.pk, reason="投诉核查", now=NOW)
    event = Event.objects.get(name="organisations.suspended")
    assert event.payload == {"id": row.pk, "action": "suspend", "on": "2026-03-02"}
    services.resume(actor=staff("a"), organisation_id=row.pk, now=NOW)
    services.end(actor=staff("a"), organisation_id=row.pk, reason="注销", now=NOW)
    with pytest.raises(Refused) as refusal:
        services.change_organisation(actor=staff("a"), organisation_id=row.pk, name="改")
    assert refusal.value.code == "organisations.ended"


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", Action)
def test_every_edge_not_in_the_table_is_refused_and_changes_nothing(regions, staff, organisation, state, action):
    row = organisation("a")
    stamps = {"approved_at": None if state == State.DRAFT else NOW, "ended_at": NOW if state == State.ENDED else None}
    Organisation.objects.filter(pk=row.pk).update(state=state, **stamps)
    allowed = REGISTRATION.target(action, state)
    act = getattr(services, action.value)
    before = Organisation.objects.values().get(pk=row.pk)
    if allowed:
        assert act(actor=staff("a"), organisation_id=row.pk, reason="理由", now=NOW).state == allowed
        return
    with pytest.raises(Refused) as refusal:
        act(actor=staff("a"), organisation_id=row.pk, reason="理由", now=NOW)
    assert refusal.value.code == "workflow.edge"
    assert Organisation.objects.values().get(pk=row.pk) == before
    assert OrganisationLog.objects.filter(organisation=row).count() == 1


def test_contract_graph():
    edges = {(a, s): t for a, s, t in CONTRACT.edges}
    assert edges == {
        (ContractAction.SIGN, ContractState.DRAFT): ContractState.ACTIVE,
        (ContractAction.END, ContractState.ACTIVE): ContractState.ENDED,
    }


def test_the_database_ties_dates_to_states(regions, organisation):
    row = organisation("a")
    with pytest.raises(IntegrityError, match="organisation_ended_at_fits_state"), transaction.atomic():
        Organisation.objects.filter(pk=row.pk).update(state=State.ENDED)
    with pytest.raises(IntegrityError, match="organisation_not_its_own_operator"), transaction.atomic():
        Organisation.objects.filter(pk=row.pk).update(operator_id=row.pk)


# ---------------------------------------------------------------- records
def test_licences_end_and_do_not_overlap(regions, staff, organisation):
    row, actor = organisation("a"), staff("a")
    given = {"actor": actor, "organisation_id": row.pk, "kind": "food", "number": "F1"}
    licence = services.add_licence(**given, valid_from=date(2025, 1, 1), valid_to=date(2026, 6, 1))
    with pytest.raises(Refused) as refusal:
        services.add_licence(**given, valid_from=date(2026, 5, 1))
    assert refusal.value.code == "dated.overlap"
    with pytest.raises(Invalid):
        services.add_licence(**given, valid_from=date(2026, 6, 1), valid_to=date(2026, 6, 1))
    services.add_licence(**given, valid_from=date(2026, 6, 1))
    services.end_licence(actor=actor, licence_id=licence.pk, day=date(2026, 4, 1))
    with scope(actor):
        food = Licence.objects.filter(kind="food").order_by("valid_from")
        assert [(x.valid_from, x.last_day) for x in food] == [
            (date(2025, 1, 1), date(2026, 3, 31)),
            (date(2026, 6, 1), None),
        ]
        soon = selectors.expiring(TODAY, 30)
        assert [x.number for x in soon["licences"]] == ["F1"]
        assert selectors.expiring(TODAY, 29)["licences"] == []


def test_operating_modes_follow_each_other_and_are_counted(regions, staff, organisation):
    """R-179."""
    row, actor = organisation("a"), staff("city")
    organisation("b")
    services.set_mode(actor=actor, organisation_id=row.pk, mode="own", valid_from=date(2025, 1, 1))
    services.set_mode(actor=actor, organisation_id=row.pk, mode="delegated", valid_from=date(2026, 1, 1))
    with pytest.raises(Refused):
        services.set_mode(actor=actor, organisation_id=row.pk, mode="shared", valid_from=date(2025, 6, 1))
    with scope(actor):
        assert [m.mode for m in Mode.objects.on(date(2025, 12, 31))] == ["own"]
        assert selectors.count_by_mode(regions["city"].path, TODAY) == {"delegated": 1, "": 1}
        assert selectors.count_by_mode(regions["a"].path, date(2025, 3, 1)) == {"own": 1}


def test_a_chain_has_one_level(regions, staff, organisation):
    """R-007."""
    head, site, other = organisation("city"), organisation("a"), organisation("b")
    actor = staff("city")
    services.set_operator(actor=actor, organisation_id=site.pk, operator_id=head.pk)
    for child, parent in ((other, site), (head, other), (head, head)):
        with pytest.raises(Refused) as refusal:
            services.set_operator(actor=actor, organisation_id=child.pk, operator_id=parent.pk)
        assert refusal.value.code == "organisations.chain"
    with scope(actor):
        assert sorted(selectors.sites_of(head.pk)) == [head.pk, site.pk]


def test_contacts_are_for_staff_and_the_provider_only(regions, staff, organisation):
    row = organisation("a")
    services.add_contact(actor=staff("a"), organisation_id=row.pk, name="王某", phone="13800000001", is_main=True)
    services.add_contact(actor=staff("a"), organisation_id=row.pk, name="赵某", phone="13800000002", is_main=True)
    with scope(staff("a")):
        assert list(Contact.objects.values_list("name", "is_main")) == [("赵某", True), ("王某", False)]
    family = Actor(audience=Audience.FAMILY, path=regions["a_one"].path, name="女儿", subject_id=5)
    with scope(family):
        assert list(Organisation.objects.values_list("name", flat=True)) == ["机构1"]
        assert Contact.objects.count() == 0


# ---------------------------------------------------------------- offering
def test_offering_says_who_is_able_and_why_others_are_not(regions, staff, organisation, capable, item):
    """R-008, R-071, R-081: one of each reason."""
    visit = item("visit", category="medical", licence="medical", skill="medical")
    actor = staff("city")
    licensed = capable(organisation(short_name="好"), category="medical", code="visit")
    services.add_licence(
        actor=actor,
        organisation_id=licensed.pk,
        kind="medical",
        number="M",
        valid_from=date(2026, 1, 1),
        valid_to=date(2026, 4, 1),
    )
    capable(organisation(short_name="无证"), category="medical", code="visit")
    lapsed = capable(organisation(short_name="过期"), category="medical", code="visit", price=None)
    services.add_licence(
        actor=actor, organisation_id=lapsed.pk, kind="medical", number="O", valid_from=date(2025, 1, 1), valid_to=TODAY
    )
    stopped = capable(organisation(short_name="停"), area="b", category="medical", code="visit")
    services.suspend(actor=actor, organisation_id=stopped.pk, reason="核查", now=NOW)
    organisation(short_name="无关")
    with scope(actor):
        path = regions["a_one"].path
        assert blocks_of(visit, path) == {
            "好": [],
            "停": ["suspended", "area", "licence"],
            "无证": ["licence"],
            "过期": ["licence", "contract"],
        }
        first = selectors.offering(visit.pk, path, TODAY)[0]
        assert (first.organisation_id, first.unit_price, first.contract_id, first.able) == (
            licensed.pk,
            3000,
            None,
            True,
        )
        assert blocks_of(visit, path, date(2026, 4, 1))["好"] == ["licence"]
        message = next(o for o in selectors.offering(visit, path, TODAY) if o.name == "过期").blocks[0].message
        assert message == "Medical institution licence expired on 2026-03-02"


def test_offering_asks_the_same_number_of_queries_for_many(
    regions, staff, organisation, capable, item, django_assert_num_queries
):
    wanted = item()
    for _n in range(6):
        capable(organisation())
    with scope(staff("city")), django_assert_num_queries(3):
        assert len(selectors.offering(wanted, regions["a_one"].path, TODAY)) == 6


def test_a_street_reads_the_offering_of_its_city(regions, staff, organisation, capable, item):
    wanted = item()
    capable(organisation("city", short_name="城"))
    capable(organisation("b", short_name="邻"))
    with scope(staff("a_street")):
        assert blocks_of(wanted, regions["a_one"].path) == {"城": []}
