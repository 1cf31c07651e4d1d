"""Scope in the database: design rule 1, R-001, R-011."""

from datetime import date

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import ScopeError
from sangyu.kernel.models import Change, Operation, Share
from sangyu.kernel.scoping import as_system, lineage, scope
from sangyu.registry.regions.models import Region

pytestmark = pytest.mark.django_db


def rows_in_a_and_b(regions, audience="staff"):
    for key in ("a_one", "b_one"):
        Operation.objects.create(
            kind="test",
            title=key,
            path=regions[key].path,
            audience=audience,
            actor="x",
            subject_id=7 if key == "a_one" else 8,
        )


def test_staff_sees_its_region_and_below_only(regions, staff):
    rows_in_a_and_b(regions)
    with scope(staff("a")):
        assert [o.title for o in Operation.objects.all()] == ["a_one"]
    with scope(staff("city")):
        assert Operation.objects.count() == 2
    with scope(staff("b_two")):
        assert Operation.objects.count() == 0


def test_visible_to_says_the_same_as_the_policy(regions, staff):
    rows_in_a_and_b(regions)
    for key in ("a", "b", "city", "b_two"):
        actor = staff(key)
        plain = set(Operation.objects.visible_to(actor).values_list("title", flat=True))
        with scope(actor):
            assert set(Operation.objects.values_list("title", flat=True)) == plain


def test_subject_rule_for_providers_does_not_take_a_workers_id_for_theirs(regions):
    rows_in_a_and_b(regions, "provider")
    rows_in_a_and_b(regions, "worker")
    for audience in (Audience.PROVIDER, Audience.WORKER):
        actor = Actor(audience=audience, path=regions["city"].path, name="p", subject_id=8)
        with scope(actor):
            assert [(o.title, o.audience) for o in Operation.objects.all()] == [("b_one", audience.value)]
        assert [o.audience for o in Operation.objects.visible_to(actor)] == [audience.value]


def test_an_empty_scope_raises_and_another_actor_inside_is_refused(regions, staff):
    with pytest.raises(ScopeError), scope(Actor(audience=Audience.STAFF, path="", name="nobody")):
        pass
    with scope(staff("a")), pytest.raises(ScopeError), scope(staff("b")):
        pass


def test_role_without_settings_raises_instead_of_returning_nothing(regions):
    with pytest.raises(ProgrammingError, match="no scope is open"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE sangyu_staff")
        cursor.execute("SELECT count(*) FROM kernel_operation")


def test_writing_outside_the_scope_is_refused_and_changes_nothing(regions, staff):
    with scope(staff("a")), pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        Operation.objects.create(kind="test", title="foreign", path=regions["b_one"].path, audience="staff", actor="x")
    assert Operation.objects.count() == 0


def test_as_system_writes_outside_and_history_names_the_person(regions, staff):
    with scope(staff("a")):
        with as_system("test"):
            region = Region.objects.create(
                parent=regions["b"],
                level=4,
                path=regions["b"].path + "009",
                name="新街",
                full_name="新街",
                code="1",
                valid_from=date(2020, 1, 1),
            )
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, sangyu.scope_path()")
            assert cursor.fetchone() == ("sangyu_staff", regions["a"].path)
    change = Change.objects.get(table_name="regions_region", row_id=region.pk)
    assert (change.op, change.actor) == ("I", "bureau a")


def test_history_keeps_old_and_new_of_bulk_updates(regions, staff):
    with scope(staff("city"), reason="renamed", source="test"):
        Region.objects.filter(path__startswith=regions["a"].path).update(urban=True)
    changes = Change.objects.filter(op="U", table_name="regions_region").order_by("row_id")
    assert [c.fields for c in changes] == [{"urban": [None, True]}] * 4
    assert {(c.actor, c.reason, c.source) for c in changes} == {("bureau city", "renamed", "test")}


def test_functions_that_compare_old_with_new_rows_never_do_so_in_a_loop(regions):
    """Their plan is kept from the first row that changes; as a nested loop it would cost a bulk update n² steps."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, 'enable_nestloop=off' = ANY (proconfig) FROM pg_proc "
            "WHERE prosrc ~ 'old_rows' AND prosrc ~ 'new_rows' ORDER BY 1"
        )
        assert cursor.fetchall() == [("benefit_lines_stand", True), ("history", True)]


def test_shared_rows_end_when_the_share_ends(regions):
    family = Actor(audience=Audience.FAMILY, path=regions["a"].path, name="daughter", subject_id=5)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sangyu.share('family', 5, 'person', 41, %s, NULL, 'consent 3')", [regions["a"].path])
    with scope(family), connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(i) FROM sangyu.shared_ids('person') i")
        assert cursor.fetchone() == ([41],)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE kernel_share SET until = now() - interval '1 second'")
    with scope(family), connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(i) FROM sangyu.shared_ids('person') i")
        assert cursor.fetchone() == (None,)
    assert Share.objects.count() == 1


def test_lineage():
    assert lineage("000001002") == ["000", "000001", "000001002"]
