"""Pairs found, weighed, decided and remembered: R-026, issue 3 §3, docs/adr/0013."""

from datetime import date, datetime, timedelta

import pytest
from django.conf import settings
from django.utils.timezone import make_aware

from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.jobs import run_due
from sangyu.kernel.models import Operation
from sangyu.kernel.scoping import scope
from sangyu.registry.duplicates import selectors, services
from sangyu.registry.duplicates.models import Candidate, Pass
from sangyu.registry.duplicates.rules import WrongRules, read, rules_on
from sangyu.registry.people import services as people
from sangyu.registry.people.models import Person
from support.pages import client_for

pytestmark = pytest.mark.django_db
NOW = make_aware(datetime(2026, 11, 22, 9, 0))


@pytest.fixture
def twice(enter, id_number):
    """The same woman twice, her neighbour, and twins with numbers of their own."""
    return {
        "one": enter("张桂兰", id_number=id_number(), phone="13804170001", address="清华路12号楼402室"),
        "two": enter("张贵兰", phone="13804170001", address="清华路12-402"),
        "neighbour": enter("王素芬", birth_date=date(1944, 1, 2), phone="13804170009", address="清华路12号楼401室"),
        "twin": enter(
            "李玉梅", id_number=id_number("19500303", "112"), birth_date=date(1950, 3, 3), address="新兴街1号"
        ),
        "sister": enter(
            "李玉兰", id_number=id_number("19500303", "114"), birth_date=date(1950, 3, 3), address="新兴街1号"
        ),
    }


def pairs():
    return {(c.first.name, c.second.name): c for c in Candidate.objects.select_related("first", "second")}


def test_a_search_finds_the_pair_and_not_the_twins(twice, staff):
    done = services.search(actor=staff("a"), now=NOW)
    assert list(pairs()) == [("张桂兰", "张贵兰")]
    found = pairs()["张桂兰", "张贵兰"]
    assert found.levels == [
        "name.pinyin", "birth.same", "sex.same", "phone.same", "identity.unknown", "area.community", "address.same", "twins.none",
    ]  # fmt: skip
    assert (found.score, found.path, found.rules) == (39.0, twice["one"].path, rules_on(date(2026, 11, 22)).version)
    assert (done.kind, done.found, done.new) == ("whole", 1, 1)
    again = services.search(actor=staff("a"), now=NOW + timedelta(hours=1))
    assert (again.found, again.new) == (1, 0)


def test_a_pair_across_counties_is_for_the_city(twice, enter, staff):
    enter("张桂兰", phone="13804170001", region="b_one")
    services.search(actor=staff("a"), now=NOW)
    assert len(pairs()) == 1
    services.search(actor=staff("city"), now=NOW)
    with scope(staff("a")):
        assert Candidate.objects.count() == 1
    with scope(staff("b")):
        assert Candidate.objects.count() == 0
    with scope(staff("city")):
        assert Candidate.objects.count() == 3
        assert selectors.waiting(staff("city")).count() == 3


def test_not_the_same_is_remembered_until_a_file_changes(twice, staff):
    services.search(actor=staff("a"), now=NOW)
    found = Candidate.objects.get()
    with pytest.raises(Invalid):
        services.keep_apart(actor=staff("a"), candidate_id=found.pk, reason=" ")
    services.keep_apart(actor=staff("a"), candidate_id=found.pk, reason="都走访过", now=NOW)
    people.update_basic(actor=staff("a"), person_id=twice["two"].pk, changes={"needs": "助浴"})
    services.search(actor=staff("a"), now=NOW + timedelta(days=1))
    found.refresh_from_db()
    assert (found.state, found.reason, found.decided_by) == ("different", "都走访过", "bureau a")
    people.update_basic(actor=staff("a"), person_id=twice["two"].pk, changes={"name": "张桂兰"}, reason="核对")
    services.search(actor=staff("a"), now=NOW + timedelta(days=2))
    found.refresh_from_db()
    assert (found.state, found.reason, found.decided_at) == ("open", "", None)


def test_put_off_and_taken_up(twice, staff):
    services.search(actor=staff("a"), now=NOW)
    found = Candidate.objects.get()
    services.put_off(actor=staff("a"), candidate_id=found.pk)
    with pytest.raises(Refused):
        services.put_off(actor=staff("a"), candidate_id=found.pk)
    assert services.take_up(actor=staff("a"), candidate_id=found.pk).state == "open"
    with pytest.raises(NotVisible):
        services.put_off(actor=staff("b"), candidate_id=found.pk)
    with pytest.raises(Forbidden):
        services.put_off(actor=staff("a", permissions=["people.view"]), candidate_id=found.pk)


def test_only_changed_files_are_compared_the_next_time(twice, enter, staff):
    services.search(actor=staff("a"), now=NOW - timedelta(days=30))
    Person.objects.update(updated_at=NOW - timedelta(days=60))
    Candidate.objects.all().delete()
    enter("王素芬", birth_date=date(1944, 2, 1), phone="13804170009", address="清华路12号楼401室")
    done = services.search(actor=staff("a"), whole=False, now=NOW)
    assert (done.kind, done.found) == ("fresh", 1)
    assert list(pairs()) == [("王素芬", "王素芬")]
    assert "birth.swapped" in Candidate.objects.get().levels


def test_what_no_longer_looks_alike_leaves_the_queue(twice, staff):
    services.search(actor=staff("a"), now=NOW - timedelta(days=1))
    changes = {"name": "赵淑华", "birth_date": date(1939, 9, 9), "phone": "13804179999"}
    people.update_basic(
        actor=staff("a"), person_id=twice["two"].pk, changes=changes, reason="核对", today=date(2026, 11, 21)
    )
    services.search(actor=staff("a"), whole=False, now=NOW)
    assert not Candidate.objects.exists()


def test_a_merge_closes_the_pair_and_its_undo_keeps_it_apart(twice, staff):
    services.search(actor=staff("a"), now=NOW)
    found = Candidate.objects.get()
    record = people.merge(actor=staff("a"), kept_id=twice["one"].pk, gone_id=twice["two"].pk, reason="同一人")
    with scope(staff("a")):
        assert selectors.waiting(staff("a")).count() == 0
    run_due()
    found.refresh_from_db()
    assert (found.state, found.merge_id) == ("merged", record.pk)
    services.search(actor=staff("a"), now=NOW + timedelta(days=1))
    found.refresh_from_db()
    assert found.state == "merged"
    people.undo_merge(actor=staff("a"), merge_id=record.pk, reason="不是同一人")
    run_due()
    services.search(actor=staff("a"), now=NOW + timedelta(days=2))
    found.refresh_from_db()
    assert found.state == "different"


def test_the_search_is_an_operation(twice, staff):
    row = services.start_search(actor=staff("a"))
    run_due()
    row = Operation.objects.get(pk=row.pk)
    assert (row.state, row.result, row.done, row.total) == ("done", {"compared": 2, "found": 1, "new": 1}, 9, 9)
    assert Pass.objects.get().path == staff("a").path


def test_pages(twice, staff):
    services.search(actor=staff("a"), now=NOW)
    found = Candidate.objects.get()
    client = client_for(staff("a"))
    page = client.get("/duplicates/").content.decode()
    assert "张桂兰" in page
    assert "读音相同" in page
    one, two = twice["one"].pk, twice["two"].pk
    address = f"/casefile/{one}/compare/{two}/"
    page = client.get(address).content.decode()
    assert "清华路12-402" in page
    assert "138****0001" in page
    refused = client.post(address, {"keep": one})
    assert refused.status_code == 422
    done = client.post(address, {"keep": one, "reason": "同一人", "c:name": "gone"})
    assert (done.status_code, done["Location"]) == (303, f"/casefile/{one}/merges/")
    assert Person.objects.get(pk=one).name == "张贵兰"
    moved = client.get(f"/casefile/{two}/")
    assert (moved.status_code, moved["Location"]) == (302, f"/casefile/{one}/")
    assert client.get(f"/people/{two}/")["Location"] == f"/people/{one}/"
    assert client_for(staff("b")).get(f"/casefile/{two}/").status_code == 404
    found.refresh_from_db()
    assert found.state == "merged"
    merges = client.get(f"/casefile/{one}/merges/").content.decode()
    assert "同一人" in merges
    undo = f"/casefile/merges/{found.merge_id}/undo/"
    assert client.get(undo).status_code == 200
    assert client_for(staff("b")).get(undo).status_code == 404
    people.update_basic(actor=staff("a"), person_id=one, changes={"name": "张桂芝"}, reason="核对")
    assert client.post(undo, {"reason": "两个人"}).status_code == 409
    assert client.post(undo, {"reason": "两个人", "partly": "on"}).status_code == 303
    assert Person.objects.get(pk=one).name == "张桂芝"
    assert Person.objects.get(pk=two).name == "张贵兰"
    assert "张桂芝" in client.get(f"/casefile/{one}/merges/").content.decode()


def test_wrong_rules_are_named(tmp_path):
    good = (settings.DATA / "duplicates" / "person.yaml").read_text()
    for wrong, message in (
        (good.replace("review: 17", "review: many"), "review must be a number"),
        (good.replace("  twins:", "  triplets:"), "points must name"),
        (good.replace("swapped: 7, ", ""), r"points.name must give a number for each of same_rare"),
        (good.replace("version: 1\n", ""), "version missing or unknown"),
    ):
        path = tmp_path / "person.yaml"
        path.write_text(wrong)
        with pytest.raises(WrongRules, match=message):
            read(path)


def test_the_form_of_a_new_file_tells_who_is_there_already(twice, staff, id_number):
    """R-026: checked before registering, in the area of who registers."""
    given = {
        "name": "张桂蓝",
        "sex": "2",
        "birth_date": "1945-06-12",
        "region_id": "210802001001",
        "address": "清华路12-402",
    }
    client = client_for(staff("a"))
    page = client.post("/duplicates/similar/", given).content.decode()
    assert f"/casefile/{twice['one'].pk}/" in page
    assert f"/casefile/{twice['two'].pk}/" in page
    assert "王素芬" not in page
    assert client.post("/duplicates/similar/", {"name": "李四"}).content.decode().strip() == ""
    assert client.post("/duplicates/similar/", given | {"id_number": id_number(sequence="118")}).status_code == 200
    elsewhere = client_for(staff("b")).post("/duplicates/similar/", given).content.decode()
    assert "张" not in elsewhere
    assert client.get("/duplicates/similar/").status_code == 200
    assert "/duplicates/similar/" in client.get("/people/new/").content.decode()
