"""From the application to the level in the register; objection, second look, samples, needs, settings (R-029 … R-037)."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest

from sangyu.care.assessments import selectors, services
from sangyu.care.assessments.enums import Action, State
from sangyu.care.assessments.instruments import ABILITY
from sangyu.care.assessments.models import Assessment, Assessor, Need, Sheet
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.models import Event
from sangyu.kernel.scoping import scope
from sangyu.registry.people import selectors as people
from sangyu.registry.people import services as persons
from support.assessing import NOW, drive, picture
from support.scales import answers_for, full, scale
from support.workflow import unreachable, walk_graph
from support.world import make_organisation, make_person

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


def level_on(person, day: date) -> str:
    return people.facts_on(person.pk, day).get("care_level", "")


def test_the_whole_road(crew, person):
    """R-029, R-030: application, home visit, second look, notice, decision; level and rule kept, facts dated."""
    row = drive(crew, person, "decided", total=60, findings={"dementia": "mild", "dementia_diagnosis": "1"})
    assert (row.state, row.level, row.level_name, row.current) == ("decided", 3, "重度失能", True)
    result = row.sheet.result
    assert (result["total"], result["preliminary"], result["rule"]) == (60, 2, "level.2")
    assert [c["code"] for c in result["changes"]] == ["dementia_change"]
    assert (row.effective_on, row.due_on) == (TODAY + timedelta(days=8), date(2027, 10, 22))
    assert level_on(person, row.effective_on) == "3"
    assert level_on(person, row.effective_on - timedelta(days=1)) == ""
    assert people.facts_on(person.pk, row.effective_on)["dementia"] == "mild"
    assert list(row.trail.values_list("target", flat=True)) == [
        "applied", "assigned", "visited", "reviewed", "published", "decided",
    ]  # fmt: skip
    assert Event.objects.filter(name="assessments.level").get().payload["level"] == 3
    with scope(crew.chief):
        assert [n.kind for n in selectors.needs_of_person(crew.chief, person.pk)] == ["health", "cleaning", "safety"]
        assert selectors.setting_of(row.pk).recommended == "institution"  # severe and alone


def test_an_objection_changes_the_result_from_the_day_it_held(crew, person):
    """R-029: others assess anew; the new level replaces the old one, and history keeps both."""
    first = drive(crew, person, "decided", total=60)
    again = services.object_to(
        actor=crew.chief, assessment_id=first.pk, objection="当天发烧", objected_by="女儿", now=NOW
    )
    first.refresh_from_db()
    assert (first.state, again.reason, again.previous_id) == ("objected", "objection", first.pk)
    assert level_on(person, first.effective_on) == "2"  # in force until the new result
    with pytest.raises(Refused) as caught:
        drive(crew, person, "assigned", row=again)
    assert caught.value.code == "assessments.same_people"
    with pytest.raises(Refused):
        services.withdraw(actor=crew.chief, assessment_id=again.pk, reason="算了")
    later = NOW + timedelta(days=30)
    again = drive(crew, person, "decided", row=again, total=70, pair=crew.spare, now=later, needs=("comfort",))
    first.refresh_from_db()
    assert (first.state, first.current, again.level, again.current) == ("reassessed", False, 1, True)
    assert again.effective_on == first.effective_on
    assert level_on(person, first.effective_on) == "1"
    with scope(crew.chief):
        assert [n.kind for n in selectors.needs_of_person(crew.chief, person.pk)] == ["comfort"]
    assert Need.objects.filter(ended_on__isnull=False).count() == 2


def test_an_objection_during_the_notice(crew, person):
    row = drive(crew, person, "published")
    again = services.object_to(actor=crew.chief, assessment_id=row.pk, objection="不符", objected_by="邻居", now=NOW)
    row.refresh_from_db()
    assert (row.state, level_on(person, TODAY + timedelta(days=60))) == ("objected", "")
    drive(crew, person, "decided", row=again, total=90, pair=crew.spare)
    assert level_on(person, TODAY + timedelta(days=60)) == "0"


# ---------------------------------------------------------------- four eyes and waiting
@pytest.mark.parametrize(
    ("state", "act", "who", "code"),
    [
        ("visited", "review", "one", "assessments.four_eyes"),
        ("visited", "review", "two", "assessments.four_eyes"),
        ("visited", "send_back", "one", "assessments.four_eyes"),
        ("reviewed", "publish", "two", "assessments.four_eyes"),
        ("published", "decide", "reviewer", "assessments.four_eyes"),
        ("published", "decide", "chief", "assessments.notice"),
        ("assigned", "review", "reviewer", "workflow.edge"),
    ],
)
def test_four_eyes_and_the_notice(crew, person, state, act, who, code):
    row = drive(crew, person, state)
    before = Assessment.objects.filter(pk=row.pk).values().get()
    extra = {"reason": "改"} if act == "send_back" else {}
    with pytest.raises(Refused) as caught:
        getattr(services, act)(actor=getattr(crew, who), assessment_id=row.pk, now=NOW, **extra)
    assert caught.value.code == code
    assert Assessment.objects.filter(pk=row.pk).values().get() == before
    assert row.trail.count() == {"assigned": 2, "visited": 3, "reviewed": 4, "published": 5}[state]


def test_sent_back_and_corrected(crew, person):
    row = drive(crew, person, "visited", total=60)
    with pytest.raises(Invalid):
        services.send_back(actor=crew.reviewer, assessment_id=row.pk, reason=" ")
    services.send_back(actor=crew.reviewer, assessment_id=row.pk, reason="第三项漏看", now=NOW)
    row.refresh_from_db()
    assert (row.state, row.level, row.visited_at) == ("assigned", None, None)
    row = drive(crew, person, "visited", total=65, row=row, base=1)
    assert (row.sheet.number, row.sheet.result["total"], row.sheets.count()) == (2, 65, 2)


# ---------------------------------------------------------------- in the home
def test_two_versions_are_both_kept_and_a_person_chooses(crew, person):
    """R-030, X-05: two tablets without a network; nothing is overwritten."""
    row = drive(crew, person, "assigned")
    instrument = scale(ABILITY)
    sheet = {"assessment_id": row.pk, "informant": "child", "now": NOW}
    both = {"lead": picture(), "second": picture(), "informant": picture()}
    first = services.save_sheet(actor=crew.one, answers={"B.1.1": "4"}, base=0, client_id=(key := uuid4()), **sheet)
    assert services.save_sheet(actor=crew.one, answers={"B.1.1": "4"}, base=0, client_id=key, **sheet).pk == first.pk
    two = services.save_sheet(actor=crew.one, answers=answers_for(instrument, 60), base=1, signatures=both, **sheet)
    three = services.save_sheet(actor=crew.two, answers=answers_for(instrument, 50), base=1, signatures=both, **sheet)
    row.refresh_from_db()
    assert [(s.number, s.conflict) for s in Sheet.objects.order_by("number")] == [(1, False), (2, False), (3, True)]
    assert row.sheet_id == two.pk
    with pytest.raises(Refused) as caught:
        services.finish_visit(actor=crew.one, assessment_id=row.pk, now=NOW)
    assert caught.value.code == "assessments.conflict"
    services.choose_sheet(actor=crew.two, assessment_id=row.pk, sheet_id=three.pk, now=NOW)
    services.finish_visit(actor=crew.one, assessment_id=row.pk, now=NOW)
    row.refresh_from_db()
    assert (row.level, row.sheet_id) == (2, three.pk)
    two.refresh_from_db()
    assert two.result["total"] == 60
    with pytest.raises(Refused) as caught:
        services.save_sheet(actor=crew.one, answers={}, base=3, **sheet)
    assert caught.value.code == "assessments.not_open"


@pytest.mark.parametrize(
    ("answers", "signed", "more", "code"),
    [
        (lambda i: {"B.1.1": "4"}, ("lead", "second", "informant"), {}, "assessments.incomplete"),
        (full, ("lead", "informant"), {}, "assessments.unsigned"),
        (full, ("lead", "second"), {}, "assessments.unsigned"),
        (full, ("lead", "second"), {"remark": "老人无法签字，按手印有视频", "informant": ""}, "invalid"),
        (full, ("lead", "second"), {"remark": "老人无法签字，按手印有视频"}, ""),
    ],
)
def test_what_a_visit_needs_before_it_is_handed_in(crew, person, answers, signed, more, code):
    row = drive(crew, person, "assigned")
    given = {"informant": "self", **more}
    services.save_sheet(
        actor=crew.one, assessment_id=row.pk, answers=answers(scale(ABILITY)), now=NOW,
        signatures={k: picture() for k in signed}, **given,
    )  # fmt: skip
    if not code:
        assert services.finish_visit(actor=crew.one, assessment_id=row.pk, now=NOW).state == "visited"
        return
    with pytest.raises((Refused, Invalid)) as caught:
        services.finish_visit(actor=crew.one, assessment_id=row.pk, now=NOW)
    assert caught.value.code == code
    row.refresh_from_db()
    assert row.state == "assigned"


def test_a_signature_belongs_to_the_answers_that_were_signed(crew, person):
    row = drive(crew, person, "assigned")
    common = {"actor": crew.one, "assessment_id": row.pk, "informant": "self", "now": NOW}
    one = services.save_sheet(answers={"B.1.1": "4"}, signatures={"lead": picture()}, **common)
    same = services.save_sheet(answers={"B.1.1": "4"}, base=1, remark="同", **common)
    other = services.save_sheet(answers={"B.1.1": "3"}, base=2, **common)
    assert one.signed_lead_id is not None
    assert same.signed_lead_id == one.signed_lead_id
    assert other.signed_lead_id is None


def test_only_the_two_assessors_fill_in_the_form_and_wrong_answers_are_refused(crew, person):
    row = drive(crew, person, "assigned")
    with pytest.raises(Refused) as caught:
        services.save_sheet(actor=crew.reviewer, assessment_id=row.pk, answers={}, now=NOW)
    assert caught.value.code == "assessments.not_assessor"
    for bad in (
        {"answers": {"B.1.1": "9"}}, {"answers": {}, "findings": {"fall": "7"}}, {"answers": {}, "needs": ["gold"]},
        {"answers": {}, "findings": {"dementia": "much"}}, {"answers": {}, "informant": "dog"},
    ):  # fmt: skip
        with pytest.raises(Invalid):
            services.save_sheet(actor=crew.one, assessment_id=row.pk, now=NOW, **bad)
    assert Sheet.objects.count() == 0


# ---------------------------------------------------------------- assigning
def test_who_may_be_sent(crew, person, regions, staff):
    row = drive(crew, person, "applied")
    care, social = crew.spare
    for lead, second, field in (
        (crew.second, social, "second_id"),
        (care, care, "second_id"),
        (care, None, "second_id"),
    ):
        with pytest.raises(Invalid) as caught:
            services.assign(
                actor=crew.chief, assessment_id=row.pk, lead_id=lead.pk, second_id=second and second.pk, now=NOW
            )
        assert list(caught.value.errors) == [field]
    care.valid_to = date(2026, 10, 14)
    care.save()
    with pytest.raises(Invalid) as caught:
        services.assign(actor=crew.chief, assessment_id=row.pk, lead_id=care.pk, second_id=social.pk, now=NOW)
    assert list(caught.value.errors) == ["lead_id"]
    row.refresh_from_db()
    assert (row.state, row.lead_id) == ("applied", None)


def test_bought_from_a_body_with_quota_fee_and_sample(crew, person, regions, staff):
    """R-033: assignment, quota, fee, a repeatable sample by others, the disagreement report."""
    body, _contract = make_organisation(regions["a"], "评估中心", {})
    pair = [
        Assessor.objects.create(path=regions["a"].path, name=n, background="nursing", body=body, valid_from=date(2026, 1, 1))
        for n in ("外评一", "外评二")
    ]  # fmt: skip
    commission = services.add_commission(
        actor=crew.chief, body_id=body.pk, region_id=regions["a"].pk, number="PG-1", valid_from=date(2026, 1, 1),
        valid_to=date(2027, 1, 1), quota=3, fee=15000, sample_percent=50,
    )  # fmt: skip
    rows = [
        drive(
            crew, make_person(regions["a_one"], f"老人{n}"), "decided", total=total, pair=pair, commission=commission.pk
        )
        for n, total in enumerate((60, 60, 20))
    ]
    assert [(r.fee, r.body_id) for r in rows] == [(15000, body.pk)] * 3
    with pytest.raises(Refused) as caught:
        drive(crew, person, "assigned", pair=pair, commission=commission.pk)
    assert caught.value.code == "assessments.quota"
    with scope(crew.chief):
        bought = selectors.commissions(crew.chief).get()
        assert (bought.used, bought.cost) == (3, 45000)
    period = {"commission_id": commission.pk, "since": date(2026, 10, 1), "until": date(2026, 11, 1), "now": NOW}
    draw = services.draw_sample(actor=crew.chief, **period)
    assert (draw.population, len(draw.drawn), draw.seed) == (3, 2, f"{commission.pk}-2026-10-01-2026-11-01")
    with pytest.raises(Refused):
        services.draw_sample(actor=crew.chief, **period)
    again = list(Assessment.objects.filter(reason="sample").order_by("previous_id"))
    assert [a.previous_id for a in again] == draw.drawn
    with pytest.raises(Refused) as caught:
        drive(crew, person, "assigned", row=again[0], pair=pair, commission=commission.pk)
    assert caught.value.code in ("assessments.quota", "assessments.same_people")
    first, second = again
    drive(crew, person, "compared", row=first, total=first.previous.sheet.result["total"])
    drive(crew, person, "compared", row=second, total=50 if second.previous.level != 2 else 20)
    with scope(crew.chief):
        report = selectors.disagreement(crew.chief, draw)
    assert (len(report.pairs), report.agreed, report.share) == (2, 1, 0.5)
    assert report.items
    assert level_on(rows[0].person, date(2026, 12, 1)) == "2"  # a sample decides nothing


def test_kappa():
    assert selectors.kappa([]) is None
    assert selectors.kappa([(1, 1), (1, 1)]) is None
    assert selectors.kappa([(1, 1), (2, 2)]) == 1.0
    assert selectors.kappa([(1, 1), (1, 2), (2, 1), (2, 2)]) == 0.0
    assert round(selectors.kappa([(1, 1)] * 20 + [(1, 2)] * 5 + [(2, 1)] * 10 + [(2, 2)] * 15), 2) == 0.4


# ---------------------------------------------------------------- settings, due, application
def test_a_setting_is_confirmed_or_overridden_with_a_reason(crew, person):
    """R-032: overrides are counted."""
    row = drive(crew, person, "decided", total=10)
    with pytest.raises(Invalid):
        services.choose_setting(actor=crew.chief, assessment_id=row.pk, chosen="home")
    made = services.choose_setting(actor=crew.chief, assessment_id=row.pk, chosen="home", reason="女儿辞工照护")
    assert (made.recommended, made.chosen, made.overridden) == ("nursing", "home", True)
    with scope(crew.chief):
        (counted,) = selectors.setting_counts(crew.chief)
    assert {k: counted[k] for k in ("all", "confirmed", "overridden", "open")} == {
        "all": 1, "confirmed": 0, "overridden": 1, "open": 0,
    }  # fmt: skip


def test_due_yearly_and_on_change(crew, person):
    row = drive(crew, person, "decided")
    with scope(crew.chief):
        assert list(selectors.due(crew.chief, row.due_on - timedelta(days=31))) == []
        assert list(selectors.due(crew.chief, row.due_on - timedelta(days=30))) == [row]
    assert services.mark_due(actor=crew.chief, person_id=person.pk, on=date(2026, 12, 1)) == 1
    assert services.mark_due(actor=crew.chief, person_id=person.pk, on=date(2026, 12, 5)) == 0
    with scope(crew.chief):
        assert [r.due_reason for r in selectors.due(crew.chief, date(2026, 12, 1))] == ["change"]
    services.apply(actor=crew.chief, person_id=person.pk, reason="change", now=NOW)
    with scope(crew.chief):
        assert list(selectors.due(crew.chief, date(2026, 12, 1))) == []


def test_applications_that_are_refused(crew, person, regions, staff):
    services.apply(actor=crew.chief, person_id=person.pk, reason="first", now=NOW)
    cases = [
        (crew.chief, {"reason": "first"}, "assessments.open"),
        (crew.chief, {"reason": "first", "instrument": "mzt-039-2013"}, "assessments.history"),
        (crew.chief, {"reason": "objection"}, "invalid"),
        (crew.chief, {"reason": "first", "instrument": "none"}, "invalid"),
    ]
    for actor, given, code in cases:
        with pytest.raises((Refused, Invalid)) as caught:
            services.apply(actor=actor, person_id=person.pk, now=NOW, **given)
        assert caught.value.code == code
    with pytest.raises(NotVisible):
        services.apply(actor=staff("b"), person_id=person.pk, reason="first")
    dead = make_person(regions["a_one"], "已故")
    persons.record_death(actor=crew.chief, person_id=dead.pk, died_on=date(2026, 10, 1), source="证明")
    with pytest.raises(Refused) as caught:
        services.apply(actor=crew.chief, person_id=dead.pk, reason="first", now=NOW)
    assert caught.value.code == "people.dead"
    assert Assessment.objects.count() == 1


def test_two_scales_side_by_side(crew, person):
    """R-031: the insurance scale is stored with its version and says nothing about the ability level."""
    drive(crew, person, "decided", total=60)
    other = services.apply(actor=crew.chief, person_id=person.pk, reason="first", instrument="ltci-2021", now=NOW)
    one = {"actor": crew.one, "assessment_id": other.pk, "now": NOW}
    services.assign(actor=crew.chief, assessment_id=other.pk, lead_id=crew.lead.pk, second_id=crew.second.pk, now=NOW)
    services.save_sheet(
        answers=full(scale("ltci-2021")), informant="self",
        signatures={"lead": picture(), "second": picture(), "informant": picture()}, **one,
    )  # fmt: skip
    services.finish_visit(**one)
    drive(crew, person, "decided", row=other)
    other.refresh_from_db()
    assert (other.level_name, level_on(person, other.effective_on)) == ("基本正常", "2")
    assert Assessment.objects.filter(person=person, current=True).count() == 2
    with scope(crew.chief):
        assert selectors.payment_levels(TODAY, person.region)[level_on(person, other.effective_on)] == "part"


# ---------------------------------------------------------------- graph and scope
def test_the_graph(crew, person, regions):
    assert unreachable(services.FLOW, State.APPLIED) == set()
    decided = drive(crew, person, "decided")
    reached = [
        "applied",
        "assigned",
        "visited",
        "reviewed",
        "published",
        "decided",
        "objected",
        "reassessed",
        "compared",
    ]

    def make(state):
        """A row with the dates of its state, whatever the road to it."""
        at = reached.index(state) if state in reached else 0
        return Assessment.objects.create(
            number=f"T-{state}-{uuid4().hex[:8]}", path=person.path, person=person, person_name="图", reason="first",
            version=decided.version, state=state, level=2, previous=decided, effective_on=TODAY, notice_to=TODAY,
            assigned_at=NOW if at >= 1 else None, visited_at=NOW if at >= 2 else None, sheet=decided.sheet if at >= 2 else None,
            reviewed_at=NOW if at >= 3 else None, decided_at=NOW if state == "decided" else None,
            closed_at=NOW if state in ("refused", "withdrawn") else None,
        )  # fmt: skip

    def arguments(action, row):
        given = {"now": NOW + timedelta(days=9)}
        if action == Action.ASSIGN:
            given["changes"] = {"lead": crew.lead, "second": crew.second}
        elif action in (Action.TAKE_BACK, Action.WITHDRAW):
            given["changes"] = {"assigned_at": None, "lead": None, "second": None}
        elif action == Action.VISIT:
            given["changes"] = {"sheet": decided.sheet}
        elif action == Action.SEND_BACK:
            given["changes"] = {"visited_at": None}
        elif action == Action.DECIDE:
            given["changes"] = {"effective_on": TODAY}
        elif action == Action.OBJECT:
            given["changes"] = {"current": False}
        return given

    worked, refused = walk_graph(
        services.FLOW, actor=crew.chief, make=make, actions=Action, states=State, arguments=arguments
    )
    assert worked == len(services.FLOW.edges)
    assert worked + refused == len(State) * len(Action)


def test_another_county_sees_nothing_and_the_body_only_what_it_was_given(crew, person, regions, staff):
    row = drive(crew, person, "assigned")
    other = staff("b")
    with scope(other):
        assert list(selectors.assessments_visible(other)) == []
    for act in (services.finish_visit, services.review, services.publish, services.decide):
        with pytest.raises(NotVisible):
            act(actor=replace(other, account_id=99), assessment_id=row.pk)
