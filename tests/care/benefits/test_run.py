"""A run from its lines to the approval: what changed, who looks, what stands (issue 4 §3)."""

from datetime import date

import pytest
from django.db import DatabaseError, transaction

from care.benefits.conftest import NOVEMBER, OCTOBER, VERSIONS, at
from sangyu.care.benefits import computing, selectors, services
from sangyu.care.benefits.enums import Change, LineAction, LineState, RunAction, RunState
from sangyu.care.benefits.models import Line, Review, Run
from sangyu.care.benefits.workflow import LINE_FLOW, RUN_FLOW
from sangyu.kernel import checks
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from support.workflow import unreachable, walk_graph

pytestmark = pytest.mark.django_db


def changes(run):
    return {(x.subject_id, x.policy): (x.change, x.amount, x.previous) for x in run.lines.all()}


def test_lines_are_compared_with_the_last_run(county):
    """R-068: new, changed, stopped, same, with what differs in the facts."""
    one, two, three, four, five = county.people
    line = county.line
    first = county.released(
        OCTOBER,
        [
            line(one, 30000),
            line(two, 30000, facts={"care_level": "2"}),
            line(three, 20000, "home-care"),
            line(five, 0, stacked="excluded", winner="home-care"),
        ],
    )
    assert changes(first) == {
        (one.pk, "age-allowance"): (Change.NEW, 30000, None), (two.pk, "age-allowance"): (Change.NEW, 30000, None),
        (three.pk, "home-care"): (Change.NEW, 20000, None), (five.pk, "age-allowance"): (Change.NOTHING, 0, None),
    }  # fmt: skip
    assert (first.line_count, first.subject_count, first.total) == (4, 3, 80000)
    second = county.computed(
        NOVEMBER,
        [
            line(one, 30000, month=NOVEMBER),
            line(two, 60000, month=NOVEMBER, facts={"care_level": "4"}),
            line(four, 30000, month=NOVEMBER),
        ],
    )
    assert changes(second) == {
        (one.pk, "age-allowance"): (Change.SAME, 30000, 30000), (two.pk, "age-allowance"): (Change.CHANGED, 60000, 30000),
        (three.pk, "home-care"): (Change.STOPPED, 0, 20000), (four.pk, "age-allowance"): (Change.NEW, 30000, None),
    }  # fmt: skip
    assert second.previous == first
    assert second.counts == {"changed": 1, "new": 1, "same": 1, "stopped": 1}
    assert second.lines.get(subject_id=two.pk).reason == {"care_level": ["2", "4"]}


def test_the_same_input_gives_the_same_lines(county):
    """R-068: computed twice, the digests and the lines are equal."""
    rows = [county.line(p, 30000 + n, facts={"care_level": str(n)}) for n, p in enumerate(county.people)]
    run = county.computed(OCTOBER, rows)
    before = (run.lines_digest, list(run.lines.order_by("id").values_list("subject_id", "amount", "facts", "change")))
    services.again(actor=county.prepares, run_id=run.pk, now=at(10, 6))
    assert run.lines.count() == 0
    lines = computing.frame(list(reversed(rows)))
    run = services.enter(actor=county.prepares, run_id=run.pk, lines=lines, versions=VERSIONS, now=at(10, 6))
    assert (
        run.lines_digest,
        list(run.lines.order_by("id").values_list("subject_id", "amount", "facts", "change")),
    ) == before


def test_a_run_begins_once_for_its_region_and_month(county, staff, regions):
    run = services.begin(actor=county.prepares, region_id=county.region.pk, month=OCTOBER, now=at(10))
    assert (
        services.begin(actor=county.prepares, region_id=county.region.pk, month=date(2026, 10, 20), now=at(10)) == run
    )
    services.enter(actor=county.prepares, run_id=run.pk, lines=computing.frame([]), now=at(10))
    for given, error in (
        ({"month": OCTOBER}, "benefits.exists"),
        ({"month": date(2027, 3, 1)}, "invalid"),
        ({"month": NOVEMBER, "back_months": 25}, "invalid"),
        ({"month": NOVEMBER, "region_id": regions["b"].pk}, "invalid"),
    ):
        with pytest.raises((Refused, Invalid)) as refused:
            services.begin(**{"actor": county.prepares, "region_id": county.region.pk, "now": at(10), **given})
        assert refused.value.code == error
    assert Run.objects.count() == 1
    with pytest.raises(Forbidden):
        services.begin(actor=staff("a", permissions=()), region_id=county.region.pk, month=NOVEMBER)


def test_streets_review_before_the_county_and_withhold_lines(county, staff):
    """Review work by level; a withheld line leaves the total."""
    one, two, *_rest = county.people
    run = county.computed(OCTOBER, [county.line(one, 30000), county.line(two, 20000)])
    street, whole = (Review.objects.get(run=run, level=level) for level in ("street", "county"))
    assert (street.line_count, street.total, whole.line_count) == (2, 50000, 2)
    with pytest.raises(Refused) as refused:
        services.review_county(actor=county.prepares, review_id=whole.pk)
    assert refused.value.code == "benefits.streets_open"
    only_street = staff("a_street", "street", permissions=("benefits.review_street", "benefits.view"))
    line = run.lines.get(subject_id=two.pk)
    with pytest.raises(Invalid):
        services.withhold(actor=only_street, line_id=line.pk, reason=" ")
    services.withhold(actor=only_street, line_id=line.pk, reason="住址待核实")
    run.refresh_from_db()
    assert (run.total, run.withheld) == (30000, 20000)
    with pytest.raises(NotVisible):
        services.withhold(actor=staff("b_street", "street"), line_id=line.pk, reason="x")
    services.review_street(actor=only_street, review_id=street.pk, note="已核")
    with pytest.raises(Refused) as refused:
        services.withhold(actor=only_street, line_id=run.lines.get(subject_id=one.pk).pk, reason="迟了")
    assert refused.value.code == "benefits.review_done"
    services.review_county(actor=county.prepares, review_id=whole.pk)
    run.refresh_from_db()
    assert run.state == RunState.REVIEWED


def test_nobody_approves_what_they_prepared_nor_releases_what_they_approved(county):
    """X-03: four eyes, by the service and by the database."""
    run = county.reviewed(county.computed(OCTOBER, [county.line(county.people[0], 30000)]))
    for act, actor in ((services.approve, county.prepares), (services.release, county.releases)):
        with pytest.raises(Refused):
            act(actor=actor, run_id=run.pk)
    run.refresh_from_db()
    assert run.state == RunState.REVIEWED
    services.approve(actor=county.approves, run_id=run.pk, now=at(10, 8))
    for actor in (county.prepares, county.approves):
        with pytest.raises(Refused) as refused:
            services.release(actor=actor, run_id=run.pk)
        assert refused.value.code == "benefits.four_eyes"
        with pytest.raises(Refused):
            services.start_release(actor=actor, run_id=run.pk)
    run.refresh_from_db()
    assert run.state == RunState.APPROVED
    with pytest.raises(DatabaseError), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(released_by="x", released_by_account=county.approves.account_id)


def test_the_public_notice_comes_before_the_approval(county):
    """R-039: a policy that asks for seven days gets them."""
    run = county.reviewed(county.computed(OCTOBER, [county.line(county.people[0], 30000)], notice_days=7))
    with pytest.raises(Refused) as refused:
        services.approve(actor=county.approves, run_id=run.pk, now=at(10, 8))
    assert refused.value.code == "benefits.no_notice"
    with pytest.raises(Invalid):
        services.publish(actor=county.prepares, run_id=run.pk, days=3, now=at(10, 8))
    notice = services.publish(actor=county.prepares, run_id=run.pk, now=at(10, 8))
    assert (notice.opens_on, notice.closes_on, notice.line_count) == (date(2026, 10, 8), date(2026, 10, 15), 1)
    with pytest.raises(Refused) as refused:
        services.approve(actor=county.approves, run_id=run.pk, now=at(10, 14))
    assert refused.value.code == "benefits.notice_runs"
    services.reopen(actor=county.prepares, run_id=run.pk, reason="公示有异议", now=at(10, 14))
    assert not Run.objects.get(pk=run.pk).reviews.filter(level="county", done_at__isnull=False).exists()
    county.reviewed(run)
    services.publish(actor=county.prepares, run_id=run.pk, now=at(10, 14))
    assert services.approve(actor=county.approves, run_id=run.pk, now=at(10, 21)).state == RunState.APPROVED


@pytest.mark.parametrize(
    "change",
    [
        lambda run: Line.objects.filter(run=run).update(amount=1),
        lambda run: Line.objects.filter(run=run).update(state=LineState.WITHHELD, withheld_for="x"),
        lambda run: Line.objects.filter(run=run).delete(),
        lambda run: Run.objects.filter(pk=run.pk).update(total=1),
        lambda run: Run.objects.filter(pk=run.pk).update(state=RunState.COMPUTED, approved_at=None),
        lambda run: Line.objects.create(
            run=run, path=run.path, subject_kind="person", subject_id=1, policy="x", version_id=1, month=OCTOBER,
            kind="entitlement", form="cash", fund="fiscal", amount=1, computed=1, change="new",
        ),
    ],
)  # fmt: skip
def test_an_approved_run_stands_in_the_database(county, change):
    """Frozen at approval: nothing changes after."""
    run = county.approved(OCTOBER, [county.line(county.people[0], 30000)])
    before = list(Line.objects.values()), Run.objects.values().get()
    with pytest.raises(DatabaseError), transaction.atomic():
        change(run)
    assert (list(Line.objects.values()), Run.objects.values().get()) == before


def test_a_computed_line_stands_too(county):
    run = county.computed(OCTOBER, [county.line(county.people[0], 30000)])
    with pytest.raises(DatabaseError), transaction.atomic():
        run.lines.update(amount=1)
    services.cancel(actor=county.prepares, run_id=run.pk, reason="政策有误")
    run.refresh_from_db()
    assert (run.state, run.lines.count(), run.line_count) == (RunState.CANCELLED, 0, 0)
    county.computed(OCTOBER, [county.line(county.people[0], 30000)])


def test_a_computed_line_stands_in_every_column(county):
    """The database compares column by column: one that is added later must be among them."""
    run = county.computed(OCTOBER, [county.line(county.people[0], 30000)])
    line = run.lines.values().get()
    others = {"month": NOVEMBER, "kind": "arrears", "facts": {"other": 1}, "reason": {"other": [1, 2]}}
    for name, value in line.items():
        if name in ("id", "state", "withheld_for"):
            continue
        other = others.get(name) or (f"{value}1"[-10:] if isinstance(value, str) else (value or 0) + 1)
        with pytest.raises(DatabaseError, match="a computed line stands"), transaction.atomic():
            run.lines.update(**{name: other})
    assert run.lines.values().get() == line


def test_what_another_county_pays_is_not_paid_again(county, regions, staff):
    """A move between regions: one subject, policy and month is paid once."""
    person = county.people[0]
    county.computed(OCTOBER, [county.line(person, 30000)])
    other = staff("b", "bureau")
    run = services.begin(actor=other, region_id=regions["b"].pk, month=OCTOBER, now=at(10))
    rows = [county.line(person, 30000, path=regions["b_one"].path), county.line(county.people[1], 100)]
    run = services.enter(actor=other, run_id=run.pk, lines=computing.frame(rows), versions=VERSIONS, now=at(10))
    assert (run.line_count, run.total, run.counts) == (2, 100, {"elsewhere": 1, "new": 1, "nothing": 1})
    line = run.lines.get(subject_id=person.pk)
    assert (line.amount, line.base, line.stacked) == (0, 30000, "elsewhere")
    assert "已由其他地区发放" in selectors.explain(other, line).sentence


def test_the_graph_of_runs(county):
    def make(state):
        from django.db import connection

        run = county.computed(OCTOBER, [])
        stamps = {"approved": 1, "released": 2, "paid": 3, "reconciled": 4}.get(state, 0)
        names = ("approved_at", "released_at", "paid_at", "reconciled_at")
        values = {n: at(10) if i < stamps else None for i, n in enumerate(names)}
        values["computed_at"] = None if state == "computing" else at(10)
        with connection.cursor() as cursor:  # past the trigger that holds frozen runs
            cursor.execute("SET LOCAL session_replication_role = replica")
        Run.objects.filter(pk=run.pk).update(state=state, **values)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = origin")
        return run

    def arguments(action, row):
        return {"changes": {"computed_at": at(10)} if action == RunAction.COMPUTE else {"computed_at": None}
                if action == RunAction.AGAIN else {}}  # fmt: skip

    worked, _refused = walk_graph(
        RUN_FLOW, actor=county.prepares, make=make, actions=RunAction, states=RunState, arguments=arguments
    )
    assert worked == len(RUN_FLOW.edges)
    assert unreachable(RUN_FLOW, RunState.COMPUTING) == set()
    assert unreachable(LINE_FLOW, LineState.OPEN) == set()
    assert LineAction.WITHHOLD in LineAction


def test_a_month_without_lines_goes_its_way(county):
    """Nobody is entitled, and that too is looked at and released, so that the next month has something to compare with."""
    run = county.computed(OCTOBER, [])
    assert list(run.reviews.values_list("level", "path", "line_count", "total")) == [
        ("county", county.region.path, 0, 0)
    ]
    with pytest.raises(Refused):
        services.approve(actor=county.approves, run_id=run.pk, now=at(10, 8))
    county.reviewed(run)
    services.approve(actor=county.approves, run_id=run.pk, now=at(10, 8))
    run = services.release(actor=county.releases, run_id=run.pk, now=at(10, 9))
    assert (run.state, run.total, run.payments.count()) == (RunState.RECONCILED, 0, 0)
    assert county.computed(NOVEMBER, [county.line(county.people[0], 30000, month=NOVEMBER)]).previous == run


def test_checks_pass_on_a_road_walked_to_its_end(county):
    from django.db import connection

    county.released(OCTOBER, [county.line(p, 30000) for p in county.people])
    with connection.cursor() as cursor:
        assert {k: v for k, v in checks.run(cursor).items() if v} == {}
