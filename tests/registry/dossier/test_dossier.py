"""Papers, checks, assignments and the code on the card (R-015, R-016)."""

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.models import Change, DataRead, StoredFile
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.dossier import selectors, services
from sangyu.registry.dossier.models import Assignment, CardCode, Check, Paper
from sangyu.registry.people import services as people
from sangyu.registry.people.models import Person
from support.pages import client_for
from support.world import make_person

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 21)
PDF = b"%PDF-1.4 proof"


def paper(staff, person, **more):
    values = {"kind": "identity", "content_type": "application/pdf", "data": PDF, "title": "身份证"} | more
    return services.add_paper(actor=staff("a"), person_id=person.pk, **values)


@pytest.fixture
def person(regions):
    return make_person(regions["a_one"])


@pytest.fixture
def worker_of(regions):
    """Factory: a community officer's account in county A."""

    def make(name="宋佳", key="a_one"):
        account = Account.objects.create_user(
            name, "Mulberry-2026", name=name, region=regions[key], path=regions[key].path
        )
        Grant.objects.create(
            account=account, role="community", audience="staff", region=regions[key], path=regions[key].path,
            valid_from=date(2020, 1, 1),
        )  # fmt: skip
        return account

    return make


def test_a_paper_is_kept_withdrawn_and_taken_back(staff, person):
    made = paper(staff, person)
    with scope(staff("a")):
        assert [p.title for p in selectors.papers_of(staff("a"), person.pk)] == ["身份证"]
    with pytest.raises(Invalid):
        services.withdraw_paper(actor=staff("a"), paper_id=made.pk, reason=" ")
    services.withdraw_paper(actor=staff("a"), paper_id=made.pk, reason="拍错了人")
    with scope(staff("a")):
        assert list(selectors.papers_of(staff("a"), person.pk)) == []
        assert [p.withdrawn_reason for p in selectors.papers_of(staff("a"), person.pk, withdrawn=True)] == ["拍错了人"]
    assert StoredFile.objects.filter(pk=made.file_id).exists()
    with pytest.raises(Refused):
        services.withdraw_paper(actor=staff("a"), paper_id=made.pk, reason="又一次")
    services.restore_paper(actor=staff("a"), paper_id=made.pk)
    with pytest.raises(Refused):
        services.restore_paper(actor=staff("a"), paper_id=made.pk)
    assert Paper.objects.get().withdrawn_at is None
    reasons = Change.objects.filter(table_name="dossier_paper", row_id=made.pk, op="U").order_by("id")
    assert reasons[0].reason == "拍错了人"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "moon"},
        {"content_type": "text/html", "data": b"<b>"},
        {"content_type": "application/zip", "data": b"PK\x03\x04"},
        {"data": b"not a pdf"},
        {"data": b""},
        {"data": b"%PDF-" + b"x" * 20_000_001},
    ],
)
def test_what_is_no_paper_is_refused(staff, person, change):
    with pytest.raises(Invalid):
        paper(staff, person, **change)
    assert Paper.objects.count() == StoredFile.objects.count() == 0


def test_papers_need_their_permission_and_scope(staff, person):
    with pytest.raises(Forbidden):
        services.add_paper(
            actor=staff("a", permissions=["people.view"]), person_id=person.pk, kind="identity",
            content_type="application/pdf", data=PDF,
        )  # fmt: skip
    with pytest.raises(NotVisible):
        services.add_paper(
            actor=staff("b"), person_id=person.pk, kind="identity", content_type="application/pdf", data=PDF
        )
    made = paper(staff, person)
    with pytest.raises(NotVisible):
        services.withdraw_paper(actor=staff("b"), paper_id=made.pk, reason="x")
    with scope(staff("b")):
        assert Paper.objects.count() == 0


def test_papers_and_files_go_with_the_person(staff, person, regions):
    made = paper(staff, person)
    people.move(
        actor=staff("city"), person_id=person.pk, region_id=regions["b_one"].pk, moved_on=TODAY, source="x", today=TODAY
    )
    made.refresh_from_db()
    assert (made.path, made.file.path) == (regions["b_one"].path,) * 2
    with scope(staff("a")):
        assert Paper.objects.count() == StoredFile.objects.count() == 0


def test_checked_today_says_who_when_how_and_ends_the_assignment(staff, person, worker_of):
    """R-015: date of last check, with its history."""
    account = worker_of()
    actor = staff("a")
    assert services.assign(actor=actor, person_ids=[person.pk], account_id=account.pk) == 1
    done = {"actor": actor, "person_ids": [person.pk], "today": TODAY}
    assert services.check_files(**done, on=TODAY, way="visit", note="都在") == 1
    assert services.check_files(**done, on=TODAY - timedelta(days=30), way="phone") == 1
    assert Person.objects.get(pk=person.pk).checked_on == TODAY
    with scope(actor):
        found = [(c.on, c.way, c.note, c.actor) for c in selectors.checks_of(actor, person.pk)]
    assert found == [(TODAY, "visit", "都在", actor.name), (TODAY - timedelta(days=30), "phone", "", actor.name)]
    assert Assignment.objects.count() == 0


def test_a_check_that_is_refused_changes_nothing(staff, person):
    done = {"person_ids": [person.pk], "today": TODAY}
    for change in ({"on": TODAY + timedelta(days=1), "way": "visit"}, {"on": TODAY, "way": "moon"}):
        with pytest.raises(Invalid):
            services.check_files(actor=staff("a"), **done, **change)
    with pytest.raises(NotVisible):
        services.check_files(actor=staff("b"), **done, on=TODAY, way="visit")
    with pytest.raises(Forbidden):
        services.check_files(actor=staff("a", permissions=[]), **done, on=TODAY, way="visit")
    assert Check.objects.count() == 0
    assert Person.objects.get(pk=person.pk).checked_on is None


def test_the_list_of_files_due_by_area_and_turn(staff, regions, worker_of):
    never, old, fresh = (make_person(regions[k], n) for k, n in (("a_one", "甲"), ("a_two", "乙"), ("a_one", "丙")))
    elsewhere = make_person(regions["b_one"], "丁")
    Person.objects.filter(pk=old.pk).update(checked_on=TODAY - timedelta(days=365))
    Person.objects.filter(pk=fresh.pk).update(checked_on=TODAY - timedelta(days=364))
    actor = staff("a")
    with scope(actor):
        assert {p.name for p in selectors.due(actor, TODAY)} == {"甲", "乙"}
    with scope(staff("city")):
        assert elsewhere in selectors.due(staff("city"), TODAY)
    account = worker_of()
    outside = worker_of("外人", "b_one")
    with pytest.raises(Invalid):
        services.assign(actor=actor, person_ids=[never.pk], account_id=outside.pk)
    services.assign(actor=actor, person_ids=[never.pk], account_id=account.pk)
    page = client_for(actor).get(reverse("dossier:due")).content.decode()
    assert "宋佳" in page
    assert "丁" not in page
    page = client_for(actor).get(reverse("dossier:due") + f"?path={regions['a_two'].path}").content.decode()
    assert ("乙" in page, "甲" in page) == (True, False)
    page = client_for(actor).get(reverse("dossier:due") + "?turn=none").content.decode()
    assert ("乙" in page, "甲" in page) == (True, False)
    services.assign(actor=actor, person_ids=[never.pk], account_id=None)
    assert Assignment.objects.count() == 0


def test_many_files_are_marked_in_few_statements(staff, regions, django_assert_max_num_queries):
    ids = [make_person(regions["a_one"], f"老人{n}").pk for n in range(40)]
    with django_assert_max_num_queries(13):
        assert services.check_files(actor=staff("a"), person_ids=ids, on=TODAY, way="list", today=TODAY) == 40
    with pytest.raises(Invalid):
        services.check_files(actor=staff("a"), person_ids=range(1_001), on=TODAY, way="list", today=TODAY)


# ---------------------------------------------------------------- the card
def plain(page: str, token: str) -> str:
    """The page without its address and the token of its forms."""
    return re.sub(r"csrf\w*\W+[\w-]{20,}|FToken[^}]*", "", page.replace(token, ""), flags=re.IGNORECASE)


def test_a_stranger_who_scans_the_card_learns_nothing(client, staff, person):
    code = services.card_code(actor=staff("a"), person_id=person.pk)
    answer = client.get(reverse("dossier:card", args=[code.token]))
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "12349" in page
    for secret in (person.name, person.address, "王", f"/{person.pk}/", f'="{person.pk}"'):
        assert secret not in page
    unknown = client.get(reverse("dossier:card", args=["x" * 20])).content.decode()
    assert plain(unknown, "x" * 20) == plain(page, code.token), "an unknown code looks the same"


def test_who_is_signed_in_gets_what_the_role_may_see(staff, person):
    code = services.card_code(actor=staff("a"), person_id=person.pk)
    address = reverse("dossier:card", args=[code.token])
    own = client_for(staff("a")).get(address)
    assert (own.status_code, own["Location"]) == (303, reverse("casefile:page", args=[person.pk]))
    assert DataRead.objects.get().what == "card"
    assert client_for(staff("b")).get(address).status_code == 404
    stranger = Actor(Audience.WORKER, person.path, "周敏", subject_id=9, role="worker")
    assert client_for(stranger).get(address).status_code == 404
    assert DataRead.objects.count() == 1


def test_a_lost_card_is_replaced_and_the_old_code_opens_nothing(staff, person):
    actor = staff("a")
    old = services.card_code(actor=actor, person_id=person.pk)
    assert services.card_code(actor=actor, person_id=person.pk).pk == old.pk
    with pytest.raises(Invalid):
        services.replace_card_code(actor=actor, person_id=person.pk, reason="")
    new = services.replace_card_code(actor=actor, person_id=person.pk, reason="卡片遗失")
    assert new.token != old.token
    assert client_for(actor).get(reverse("dossier:card", args=[old.token])).status_code == 404
    assert client_for(actor).get(reverse("dossier:card", args=[new.token])).status_code == 303
    assert [(c.replaced_reason, c.replaced_at is None) for c in CardCode.objects.order_by("id")] == [
        ("卡片遗失", False),
        ("", True),
    ]
    picture = client_for(actor).get(reverse("dossier:card_image", args=[person.pk]))
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/svg+xml")
    assert client_for(staff("b")).get(reverse("dossier:card_image", args=[person.pk])).status_code == 404
