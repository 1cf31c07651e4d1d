"""Workers: what gates dispatch (R-151, R-152, R-157, R-158), their calendar, their states, who sees them."""

import dataclasses
import io
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
import xlsxwriter
from django.db import IntegrityError, connection, transaction

from sangyu.kernel import operations
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.importing import services as importing
from sangyu.kernel.models import Change, DataRead, Event
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.catalogue import services as catalogue
from sangyu.registry.organisations import services as organisations
from sangyu.registry.organisations.models import Organisation
from sangyu.registry.workforce import selectors, services
from sangyu.registry.workforce.enums import Action, State
from sangyu.registry.workforce.models import Certificate, Clearance, Duty, Leave, Worker
from sangyu.registry.workforce.workflow import ENGAGEMENT

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)  # a Monday
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
HOUR = timedelta(hours=1)
ID = "21080219850307002X"


@pytest.fixture
def item(regions, staff):
    def make(code="care", **fields):
        given = {
            "name": code,
            "category": "daily_life",
            "unit": "hour",
            "duration_minutes": 60,
            "skill": "care",
            **fields,
        }
        return catalogue.publish_item(
            actor=staff("city"), region=regions["city"], code=code, valid_from=date(2026, 1, 1), today=TODAY, **given
        )

    return make


@pytest.fixture
def employer(regions, staff):
    def make(key="a", name="机构"):
        return organisations.register_organisation(
            actor=staff(key), region=regions[key], name=name, legal_form="volunteer_team"
        )

    return make


@pytest.fixture
def worker(staff, employer):
    """Factory: a worker; ``ready`` ones have everything that dispatch asks for."""

    def make(name="刘敏", row=None, key="a", ready=True, **fields):
        row, actor = row or employer(key), staff(key)
        made = services.hire(actor=actor, organisation_id=row.pk, name=name, today=TODAY, **{"sex": "2", **fields})
        if not ready:
            return made
        for kind in ("entry_training", "health_check", "background_check"):
            services.add_clearance(
                actor=actor, worker_id=made.pk, kind=kind, valid_from=date(2025, 9, 1), valid_to=date(2026, 9, 1)
            )
        services.add_certificate(
            actor=actor,
            worker_id=made.pk,
            skill="care",
            number="C1",
            valid_from=date(2024, 1, 1),
            valid_to=date(2027, 1, 1),
        )
        return services.admit(actor=actor, worker_id=made.pk, now=NOW)

    return make


def codes(made, wanted, start=NOW, end=None):
    return [b.code for b in selectors.blocks(made, wanted, start, end or start + HOUR)]


def as_worker(made, *permissions):
    return Actor(
        audience=Audience.WORKER, path=made.path, name=made.name, subject_id=made.pk, permissions=frozenset(permissions)
    )


# ---------------------------------------------------------------- gates
def test_a_ready_worker_may_be_sent(staff, worker, item):
    made, wanted = worker(), item()
    with scope(staff("a")):
        assert codes(made, wanted) == []
        assert codes(made.pk, wanted.pk) == []


def test_a_fresh_worker_is_blocked_with_every_reason(staff, worker, item):
    """R-152: an untrained worker cannot be dispatched."""
    made, wanted, chat = worker(ready=False), item(), item("chat", skill="none")
    with scope(staff("a")):
        expected = ["candidate", "entry_training", "health_check", "background_check", "certificate"]
        assert codes(made, wanted) == expected
        assert codes(made, chat) == expected[:-1]


def test_an_overdue_health_check_blocks_from_its_last_day_on(staff, worker, item):
    """R-157."""
    made, wanted = worker(), item()
    last_evening = datetime(2026, 8, 31, 12, 0, tzinfo=UTC)
    with scope(staff("a")):
        assert codes(made, wanted, last_evening) == []
        after = selectors.blocks(
            made, wanted, last_evening + timedelta(days=1), last_evening + timedelta(days=1, hours=1)
        )
        assert [b.message for b in after][1] == "Health check has lapsed"
    services.add_clearance(
        actor=staff("a"),
        worker_id=made.pk,
        kind="health_check",
        valid_from=date(2026, 8, 20),
        valid_to=date(2027, 8, 20),
    )
    with scope(staff("a")):
        checks = Clearance.objects.filter(kind="health_check").order_by("valid_from")
        assert [c.last_day for c in checks] == [date(2026, 8, 19), date(2027, 8, 19)]
        assert codes(made, wanted, last_evening + timedelta(days=1)) == ["entry_training", "background_check"]


def test_a_lapsed_certificate_blocks_and_lowers_the_rate(regions, staff, worker, item):
    """R-151: the certified rate comes from rows; a lapse lowers it."""
    made, wanted = worker(), item()
    worker(name="王芳", row=made.organisation)
    with scope(staff("city")):
        assert selectors.certified_rate(regions["city"].path, TODAY) == (2, 2)
    held = Certificate.objects.get(worker=made)
    services.end_certificate(actor=staff("a"), certificate_id=held.pk, day=TODAY)
    with scope(staff("city")):
        assert selectors.certified_rate(regions["city"].path, TODAY) == (1, 2)
        assert codes(made, wanted) == ["certificate"]
        found = selectors.blocks(made, wanted, NOW, NOW + HOUR)
        assert found[0].message == "Certificate “Elder care worker” has expired"


def test_duties_are_read_before_visits_and_again_when_they_change(regions, staff, worker, item):
    """R-158."""
    made, wanted = worker(), item()
    publish = {
        "actor": staff("city"),
        "region": regions["city"],
        "post": "carer",
        "title": "护理员职责",
        "text": "守时",
    }
    first = services.publish_duty(**publish, valid_from=date(2026, 1, 1))
    services.publish_duty(**{**publish, "post": "nurse"}, valid_from=date(2026, 1, 1))
    with scope(staff("a")):
        assert codes(made, wanted) == ["duty"]
    me = as_worker(made, "workforce.acknowledge")
    with scope(me):
        assert selectors.unread_duties(made, TODAY) == [first]
    services.acknowledge(actor=me, duty_id=first.pk, now=NOW)
    services.acknowledge(actor=me, duty_id=first.pk, now=NOW)
    with scope(staff("a")):
        assert codes(made, wanted) == []
    services.publish_duty(**publish, valid_from=date(2026, 4, 1))
    with scope(staff("a")):
        assert codes(made, wanted) == []
        assert codes(made, wanted, datetime(2026, 4, 1, 2, 0, tzinfo=UTC)) == ["duty"]
    nurse = Duty.objects.get(post="nurse")
    with pytest.raises(NotVisible):
        services.acknowledge(actor=me, duty_id=nurse.pk)


def test_leave_blocks_only_what_it_touches(staff, worker, item):
    made, wanted, actor = worker(), item(), staff("a")
    taken = services.record_leave(actor=actor, worker_id=made.pk, kind="sick", starts=NOW, ends=NOW + 2 * HOUR)
    with pytest.raises(Refused) as refusal:
        services.record_leave(actor=actor, worker_id=made.pk, kind="sick", starts=NOW + HOUR, ends=NOW + 3 * HOUR)
    assert refusal.value.code == "workforce.leave_overlap"
    with scope(actor):
        assert codes(made, wanted, NOW - HOUR) == []
        assert codes(made, wanted, NOW + HOUR) == ["leave"]
        assert codes(made, wanted, NOW + 2 * HOUR) == []
    services.cancel_leave(actor=actor, leave_id=taken.pk, now=NOW + HOUR)
    with scope(actor):
        assert list(Leave.objects.values_list("ends", flat=True)) == [NOW + HOUR]
        assert codes(made, wanted, NOW + HOUR) == []
    with pytest.raises(Refused):
        services.cancel_leave(actor=actor, leave_id=taken.pk, now=NOW + 2 * HOUR)


def test_weekly_hours(staff, worker, item):
    made, wanted, actor = worker(), item(), staff("a")
    hours = [(1, time(8), time(12)), (1, time(13, 30), time(17)), (2, time(8), time(12))]
    services.set_hours(actor=actor, worker_id=made.pk, hours=hours, valid_from=date(2026, 3, 1))
    with scope(actor):
        assert codes(made, wanted) == []  # Monday 10:00 to 11:00
        assert codes(made, wanted, NOW + HOUR) == []
        assert codes(made, wanted, NOW + HOUR, NOW + 2.5 * HOUR) == ["shift"]  # to 12:30
        assert codes(made, wanted, NOW + timedelta(days=2)) == ["shift"]  # Wednesday
        assert codes(made, wanted, NOW, NOW + 24 * HOUR) == ["shift"]  # over midnight
        assert codes(made, wanted, NOW - timedelta(days=3)) == []  # before any hours were set
    services.set_hours(actor=actor, worker_id=made.pk, hours=[], valid_from=date(2026, 3, 9))
    with scope(actor):
        assert codes(made, wanted, NOW + timedelta(days=9)) == []
        assert codes(made, wanted, NOW + timedelta(days=2)) == ["shift"]
    for wrong in ([(8, time(8), time(9))], [(1, time(9), time(9))], [(1, time(8), time(10)), (1, time(9), time(11))]):
        with pytest.raises(Invalid):
            services.set_hours(actor=actor, worker_id=made.pk, hours=wrong, valid_from=date(2026, 4, 1))


def test_candidates_of_many_organisations_in_one_query(staff, worker, employer, item, django_assert_num_queries):
    wanted = item()
    rows = [employer(name=f"机构{n}") for n in range(3)]
    made = [worker(name=name, row=row) for row in rows for name in ("刘敏", "王芳")]
    worker(name="赵丽", row=rows[0], ready=False)
    gone = worker(name="孙红", row=rows[0])
    services.leave(actor=staff("a"), worker_id=gone.pk, reason="离职", now=NOW)
    with scope(staff("city")), django_assert_num_queries(1):
        found = selectors.candidates([r.pk for r in rows], wanted, NOW, NOW + HOUR)
    assert [(c.name, c.able) for c in found] == [("刘敏", True)] * 3 + [("王芳", True)] * 3 + [("赵丽", False)]
    assert {c.worker_id for c in found if c.able} == {m.pk for m in made}
    assert (found[0].sex, found[0].skills, found[0].languages) == ("2", "Elder care worker", ())


def test_expiring_papers(staff, worker):
    worker()
    with scope(staff("city")):
        soon = selectors.expiring(date(2026, 8, 15), 30)
        assert [c.kind for c in soon["clearances"]] == ["entry_training", "health_check", "background_check"]
        assert soon["certificates"] == []
        assert selectors.expiring(TODAY, 30) == {"certificates": [], "clearances": []}


# ---------------------------------------------------------------- file
def test_the_id_number_fills_sex_and_birth_date_and_is_kept_encrypted(staff, worker):
    made = worker(ready=False, id_number=ID.lower(), phone="138 0000 1111", sex="1")
    assert (made.sex, made.birth_date) == ("2", date(1985, 3, 7))
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number, phone FROM workforce_worker WHERE id = %s", [made.pk])
        assert all(ID.encode() not in bytes(v) and b"13800001111" not in bytes(v) for v in cursor.fetchone())
    with pytest.raises(Refused) as refusal:
        worker(name="同一人", row=made.organisation, ready=False, id_number=ID)
    assert refusal.value.code == "workforce.duplicate"
    assert Worker.objects.count() == 1
    assert services.reveal(actor=staff("a"), worker_id=made.pk, field="phone", purpose="联系") == "13800001111"
    assert list(DataRead.objects.values_list("what", "purpose", "row_id")) == [("phone", "联系", made.pk)]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"sex": "3"}, "sex"),
        ({"post": "king"}, "post"),
        ({"id_number": ID[:-1] + "7"}, "id_number"),
        ({"phone": "12"}, "phone"),
        ({"birth_date": date(2012, 2, 29)}, "birth_date"),
        ({"longitude": 122.2}, "latitude"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_entries_are_named_and_nothing_is_written(worker, fields, wrong):
    with pytest.raises(Invalid) as refusal:
        worker(ready=False, **fields)
    assert list(refusal.value.errors) == [wrong]
    assert Worker.objects.count() == 0


def test_changes_are_in_the_history_without_search_columns(staff, worker):
    made = worker(ready=False)
    services.change_worker(actor=staff("a"), worker_id=made.pk, today=TODAY, name="刘敏敏", phone="13800002222")
    change = Change.objects.filter(table_name="workforce_worker", op="U").get()
    assert set(change.fields) == {"name", "phone"}
    assert change.fields["name"] == ["刘敏", "刘敏敏"]
    assert Worker.objects.get().initials == "lmm"


def test_leaving_closes_the_file_and_ends_access(regions, staff, worker):
    """R-157: the role for this worker ends that day, wherever it was given; another worker's stays."""
    made = worker()
    account = Account.objects.create_user("liumin", "Mulberry-2026", name="刘敏")
    for subject, valid_from in ((made.pk, date(2026, 1, 1)), (made.pk + 1, date(2026, 1, 1))):
        Grant.objects.create(
            account=account,
            role="worker",
            audience="worker",
            region=regions["city"],
            path=regions["city"].path,
            subject_id=subject,
            valid_from=valid_from,
        )
    services.link_account(actor=staff("a"), worker_id=made.pk, account_id=77)
    with pytest.raises(Refused):
        services.leave(actor=staff("a"), worker_id=made.pk, reason="", now=NOW)
    services.leave(actor=staff("a"), worker_id=made.pk, reason="离职", now=NOW)
    assert Event.objects.get(name="workforce.left").payload == {
        "id": made.pk,
        "action": "leave",
        "organisation_id": made.organisation_id,
        "account_id": 77,
        "on": "2026-03-02",
    }
    assert list(Grant.objects.order_by("id").values_list("valid_to", flat=True)) == [TODAY, None]
    with pytest.raises(Refused) as refusal:
        services.change_worker(actor=staff("a"), worker_id=made.pk, today=TODAY, name="改")
    assert refusal.value.code == "workforce.left"


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", Action)
def test_every_edge_not_in_the_table_is_refused_and_changes_nothing(staff, worker, state, action):
    made = worker(ready=False)
    stamps = {"admitted_at": None if state == State.CANDIDATE else NOW, "left_at": NOW if state == State.LEFT else None}
    Worker.objects.filter(pk=made.pk).update(state=state, **stamps)
    before = Worker.objects.values("state", "admitted_at", "left_at").get(pk=made.pk)
    act = getattr(services, action.value)
    target = ENGAGEMENT.target(action, state)
    if target:
        assert act(actor=staff("a"), worker_id=made.pk, reason="理由", now=NOW).state == target
        return
    with pytest.raises(Refused):
        act(actor=staff("a"), worker_id=made.pk, reason="理由", now=NOW)
    assert Worker.objects.values("state", "admitted_at", "left_at").get(pk=made.pk) == before
    assert made.trail.count() == 0


def test_the_database_ties_dates_to_states(worker):
    made = worker(ready=False)
    for change, name in (
        ({"state": "left"}, "worker_left_fits_state"),
        ({"state": "active"}, "worker_admitted_fits_state"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Worker.objects.filter(pk=made.pk).update(**change)


# ---------------------------------------------------------------- who sees whom
def test_each_audience_sees_its_own_workers(regions, staff, worker, employer):
    made, other = worker(), worker(name="王芳", row=employer("b", "邻县"), key="b")
    provider = Actor(audience=Audience.PROVIDER, path=regions["a"].path, name="p", subject_id=made.organisation_id)
    family = Actor(audience=Audience.FAMILY, path=regions["a_one"].path, name="女儿", subject_id=5)
    with scope(staff("a")):
        assert list(Worker.objects.values_list("name", flat=True)) == ["刘敏"]
    with scope(provider):
        assert list(Worker.objects.values_list("name", flat=True)) == ["刘敏"]
        assert Clearance.objects.count() == 3
    with scope(as_worker(other)):
        assert list(Worker.objects.values_list("name", flat=True)) == ["王芳"]
        assert list(Organisation.objects.values_list("name", flat=True)) == ["邻县"]
        assert Clearance.objects.count() == 3
    with scope(family):
        assert Worker.objects.count() == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT sangyu.share('family', 5, 'worker', %s, %s, NULL, 'order')", [made.pk, made.path])
    with scope(family):
        assert list(Worker.objects.values_list("name", flat=True)) == ["刘敏"]
        assert (Certificate.objects.count(), Clearance.objects.count()) == (1, 0)


def test_a_transferred_worker_sees_the_new_employer(staff, worker, employer):
    """R-007: shared staff."""
    made, site = worker(), employer("a", "二店")
    services.transfer(actor=staff("a"), worker_id=made.pk, organisation_id=site.pk)
    made.refresh_from_db()
    with scope(as_worker(made)):
        assert list(Organisation.objects.values_list("name", flat=True)) == ["二店"]


def test_another_county_does_not_touch_the_file(staff, worker):
    made = worker()
    with pytest.raises(NotVisible):
        services.suspend(actor=staff("b"), worker_id=made.pk, reason="x", now=NOW)
    with pytest.raises(Refused) as refusal:
        services.suspend(actor=staff("a_street"), worker_id=made.pk, reason="x", now=NOW)
    assert refusal.value.code == "scope.above"
    assert Worker.objects.get().state == State.ACTIVE


def test_ratings_are_stored_in_one_statement(staff, worker, django_assert_max_num_queries):
    made = worker()
    assert services.rate_workers(actor=staff("city"), ratings={made.pk: Decimal("4.80"), 999: Decimal(1)}) == 1
    assert services.rate_workers(actor=staff("city"), ratings={}) == 0
    assert Worker.objects.get().rating == Decimal("4.80")


# ---------------------------------------------------------------- import
def test_a_list_of_workers_comes_in_as_candidates(regions, staff, worker, employer):
    """Design rule 11: wrong rows say why, the others come in together and see their employer."""
    row = employer()
    worker(row=row, ready=False, id_number=ID)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    lines = (
        ("姓名", "所属机构", "性别", "身份证号", "联系电话", "岗位"),
        ("王芳", "机构", "女", "", "13800002222", "护理员"),
        ("同一人", "机构", "", ID, "", ""),
        ("赵丽", "别家", "女", "", "", ""),
        ("孙红", "机构", "", "", "", ""),
        ("周强", "机构", "男", "", "12", ""),
    )
    for at, cells in enumerate(lines):
        sheet.write_row(at, 0, cells)
    book.close()
    upload = io.BytesIO(out.getvalue())
    upload.name = "workers.xlsx"
    given = {"actor": dataclasses.replace(staff("a"), account_id=7), "kind": "workforce.workers"}
    pk = importing.upload(**given, file=upload)
    state = importing.match(**given, import_id=pk, matching=importing.state(**given, import_id=pk).matching)
    assert [(p.row, p.column) for p in state.problems] == [
        (3, "身份证号"),
        (4, "所属机构"),
        (5, "性别"),
        (6, "联系电话"),
    ]
    operations.run(importing.commit(**given, import_id=pk))
    made = Worker.objects.get(name="王芳")
    assert (made.state, made.post, made.phone, made.path) == ("candidate", "carer", "13800002222", row.path)
    with scope(as_worker(made)):
        assert list(Organisation.objects.values_list("name", flat=True)) == ["机构"]
