"""A county asks for the file of who moved there; both sides see the request (迁入迁出): R-026, X-01, docs/adr/0014."""

from datetime import date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import make_aware

from sangyu.kernel import files
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.jobs import run_due
from sangyu.kernel.models import Event
from sangyu.kernel.scoping import scope
from sangyu.registry.people import selectors as people
from sangyu.registry.people.models import Person
from sangyu.registry.transfers import selectors, services
from sangyu.registry.transfers.enums import State
from sangyu.registry.transfers.models import Transfer, TransferLog
from support.pages import client_for
from support.workflow import unreachable

pytestmark = pytest.mark.django_db
NOW = make_aware(datetime(2026, 11, 20, 9, 0))


@pytest.fixture
def held(enter, id_number):
    """Registered in county A."""
    return enter("张桂兰", id_number=id_number(), phone="13804170001", registered_on=date(2020, 1, 1))


@pytest.fixture
def ask(held, staff, regions):
    """Factory: county B asks."""

    def make(**more):
        given = {
            "id_number": held.id_number, "name": "张桂兰", "region_id": regions["b_one"].pk, "moved_on": date(2026, 11, 1),
            "reason": "随子女居住", "evidence": "居住证", "address": "新兴街 5 号", "now": NOW,
        }  # fmt: skip
        return services.request(actor=staff("b"), **given | more)

    return make


def test_both_sides_see_the_request_and_only_the_holder_the_file(ask, held, staff, regions):
    row = ask()
    assert (row.path, row.held_path, row.state) == (regions["b_one"].path, held.path, "requested")
    assert row.answer_by == make_aware(datetime(2026, 11, 27, 23, 59, 59))
    for side in ("a", "b", "a_street", "city"):
        with scope(staff(side)):
            assert Transfer.objects.count() == 1
    with scope(staff("b_two")):
        assert Transfer.objects.count() == 0
    with scope(staff("b")):
        assert Person.objects.count() == 0
    assert [(e.path, e.payload) for e in Event.objects.filter(name="transfers.requested").order_by("id")] == [
        (row.path, {"id": row.pk}), (held.path, {"id": row.pk}),
    ]  # fmt: skip
    with scope(staff("a")):
        assert selectors.waiting(staff("a")).count() == 1
    with scope(staff("b")):
        assert selectors.waiting(staff("b")).count() == 0


def test_both_sides_open_the_picture_of_what_was_shown(ask, staff):
    """The evidence is a file of the request (R-026)."""
    scan = SimpleUploadedFile("居住证.pdf", b"%PDF-1.7 x", "application/pdf")
    row = ask(paper=scan)
    for side in ("a", "b"):
        assert files.read(staff(side), row.paper_id) == b"%PDF-1.7 x"
        assert "居住证" in client_for(staff(side)).get(f"/transfers/{row.pk}/").content.decode()
    with pytest.raises(NotVisible):
        files.read(staff("b_two"), row.paper_id)


def test_handing_over_moves_the_living_file(ask, held, staff, regions):
    row = ask()
    with pytest.raises(Forbidden):
        services.agree(actor=staff("b"), transfer_id=row.pk, now=NOW)
    done = services.agree(actor=staff("a"), transfer_id=row.pk, answer="情况属实", now=NOW)
    assert (done.state, done.closed_by, done.answer) == ("agreed", "bureau a", "情况属实")
    now = Person.objects.get(pk=held.pk)
    assert (now.region_id, now.path, now.address) == (regions["b_one"].pk, regions["b_one"].path, "新兴街 5 号")
    with scope(staff("b")):
        assert people.facts_on(held.pk, date(2026, 10, 1))["region"] == str(regions["a_one"].pk)
        assert people.facts_on(held.pk, date(2026, 11, 2))["region"] == str(regions["b_one"].pk)
        assert [t.action for t in TransferLog.objects.filter(transfer=row)] == ["agree"]
    with scope(staff("a")):
        assert Person.objects.count() == 0
        assert Transfer.objects.get().state == "agreed"
    run_due()


def test_refusing_and_withdrawing(ask, held, staff):
    row = ask()
    with pytest.raises(Invalid):
        services.refuse(actor=staff("a"), transfer_id=row.pk, answer=" ")
    with pytest.raises(Forbidden):
        services.withdraw(actor=staff("a"), transfer_id=row.pk)
    with pytest.raises(NotVisible):
        services.refuse(actor=staff("b_two"), transfer_id=row.pk, answer="x")
    services.refuse(actor=staff("a"), transfer_id=row.pk, answer="仍住本区", now=NOW)
    with pytest.raises(Refused) as over:
        services.withdraw(actor=staff("b"), transfer_id=row.pk)
    assert over.value.code == "workflow.edge"
    second = ask()
    assert services.withdraw(actor=staff("b"), transfer_id=second.pk).state == "withdrawn"
    assert Person.objects.get(pk=held.pk).path == held.path


def test_what_cannot_be_asked(ask, held, staff, regions, id_number):
    for more, code in (({"id_number": id_number("19390101", "118")}, "transfers.unknown"),):
        with pytest.raises(Refused) as refused:
            ask(**more)
        assert refused.value.code == code
    with pytest.raises(Refused) as own:
        services.request(
            actor=staff("a"), id_number=held.id_number, name="张桂兰", region_id=regions["a_two"].pk,
            moved_on=date(2026, 11, 1), reason="x", evidence="x", now=NOW,
        )  # fmt: skip
    assert own.value.code == "transfers.own"
    with pytest.raises(NotVisible):
        ask(region_id=regions["a_two"].pk)
    with pytest.raises(Invalid) as wrong:
        ask(id_number="123", moved_on=date(2027, 1, 1), reason=" ")
    assert sorted(wrong.value.errors) == ["id_number", "moved_on", "reason"]
    assert not Transfer.objects.exists()
    ask()
    with pytest.raises(Refused) as twice:
        ask()
    assert twice.value.code == "transfers.open"
    assert Transfer.objects.count() == 1


def test_late_answers_are_told_once(ask, staff, regions):
    row = ask()
    clock = Actor.job("clock")
    assert services.tell_overdue(actor=clock, now=NOW + timedelta(days=3)) == 0
    assert services.tell_overdue(actor=clock, now=NOW + timedelta(days=9)) == 1
    assert services.tell_overdue(actor=clock, now=NOW + timedelta(days=9)) == 0
    told = Event.objects.filter(name="transfers.overdue").order_by("id").values_list("path", flat=True)
    assert list(told) == [row.path, row.held_path, regions["city"].path]


def test_the_graph_has_no_dead_end():
    assert unreachable(services.FLOW, State.REQUESTED) == set()


def test_pages_of_both_sides(ask, held, staff):
    row = ask(name="张贵兰")
    asking, holding = client_for(staff("b")), client_for(staff("a"))
    assert row.number in asking.get("/transfers/").content.decode()
    page = asking.get(f"/transfers/{row.pk}/").content.decode()
    assert "随子女居住" in page
    assert "另一个" not in page
    assert f"/casefile/transfers/{row.pk}/" not in page
    assert asking.get(f"/casefile/transfers/{row.pk}/").status_code == 404
    assert asking.get(f"/transfers/{row.pk}/refuse/").status_code == 404
    page = holding.get(f"/casefile/transfers/{row.pk}/").content.decode()
    assert "张贵兰" in page
    assert "张桂兰" in page
    done = holding.post(f"/casefile/transfers/{row.pk}/", {"answer": ""})
    assert (done.status_code, done["Location"]) == (303, f"/transfers/{row.pk}/")
    assert asking.get(f"/casefile/{held.pk}/").status_code == 200
    assert holding.get(f"/casefile/{held.pk}/").status_code == 404
    assert holding.get(f"/transfers/{row.pk}/").status_code == 200


def test_asking_on_screen(held, staff, regions):
    client = client_for(staff("b"))
    given = {
        "id_number": held.id_number, "name": "张桂兰", "region_id": "210803001001", "moved_on": "2026-11-01",
        "reason": "随子女居住", "evidence": "居住证",
    }  # fmt: skip
    done = client.post("/transfers/new/", given)
    row = Transfer.objects.get()
    assert (done.status_code, done["Location"]) == (303, f"/transfers/{row.pk}/")
    assert client.post("/transfers/new/", given).status_code == 409
