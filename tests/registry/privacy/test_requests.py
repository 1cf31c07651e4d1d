"""Access, copy, correction, deletion; the consent ledger; incidents and assessments (X-01, PIPL 44–57)."""

import json
from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import make_aware

from sangyu.kernel import files
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.models import Change, DataRead, StoredFile
from sangyu.kernel.permissions import every_permission
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts import leaving, roles
from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.people import selectors as people_selectors
from sangyu.registry.people import services as people
from sangyu.registry.people.models import Consent, Contact, Person
from sangyu.registry.privacy import rules, selectors, services
from sangyu.registry.privacy.models import Assessment, Incident, Request, Restriction
from support.pages import client_for

pytestmark = pytest.mark.django_db
NOW = make_aware(datetime(2026, 10, 14, 9, 0))


@pytest.fixture
def elder(regions, staff):
    """A registered elder with phone, contact and consent."""
    actor = staff("a_one")
    person = people.register(
        actor=actor, name="王桂兰", region_id=regions["a_one"].pk, source="test", sex="2", birth_date=date(1942, 3, 8),
        phone="13804170001", address="清华社区 12 号楼", today=NOW.date(),
    )  # fmt: skip
    contact = people.add_contact(actor=actor, person_id=person.pk, name="李建华", relation="2", phone="13804170002")
    people.give_consent(
        actor=actor,
        person_id=person.pk,
        purpose="location",
        version="2026-1",
        given_on=date(2026, 10, 1),
        today=NOW.date(),
    )
    person.refresh_from_db()
    person.contact = contact
    return person


@pytest.fixture
def relative(elder, regions):
    """A family account that sees the elder."""
    account = Account.objects.create_user("m13804170002", "Mulberry-2026", name="李建华")
    Contact.objects.filter(pk=elder.contact.pk).update(account=account)
    from sangyu.kernel.models import Share

    Share.objects.create(
        audience="family",
        subject_id=account.pk,
        kind="person",
        object_id=elder.pk,
        path=elder.path,
        reason="test",
        since=NOW,
    )
    return Actor(
        Audience.FAMILY, regions["a"].path, "李建华", account_id=account.pk, subject_id=account.pk, role="family",
        permissions=roles.role("family").permissions,
    )  # fmt: skip


@pytest.fixture
def officer(regions):
    """The street's officer, with an account."""
    account = Account.objects.create_user("zhoumin", "Mulberry-2026", name="周敏")
    Grant.objects.create(account=account, role="street", audience="staff", region=regions["a_street"],
                         path=regions["a_street"].path, valid_from=date(2020, 1, 1))  # fmt: skip
    return Actor(
        Audience.STAFF, regions["a_street"].path, "周敏", account_id=account.pk, role="street",
        permissions=every_permission(),
    )  # fmt: skip


def asked(relative, elder, kind="copy", **more):
    return services.ask(actor=relative, person_id=elder.pk, kind=kind, now=NOW, **more)


def test_a_relative_asks_and_it_is_due_after_fifteen_working_days(relative, elder, officer):
    row = asked(relative, elder, details=" 想看看 ")
    assert (row.state, row.channel, row.asked_name, row.details) == ("received", "family", "李建华", "想看看")
    assert row.due_on == date(2026, 11, 4)
    assert row.path == elder.path
    with scope(officer):
        assert selectors.waiting(officer).count() == 1
        assert selectors.overdue(officer, date(2026, 11, 4)) == 0
        assert selectors.overdue(officer, date(2026, 11, 5)) == 1
    with scope(relative):
        assert list(selectors.own_requests(relative, elder.pk)) == [row]


def test_who_does_not_see_the_elder_cannot_ask(relative, elder, regions):
    other = Person.objects.create(
        name="外人",
        pinyin="w",
        initials="w",
        sex="1",
        region=regions["b_one"],
        path=regions["b_one"].path,
        source="test",
    )
    with pytest.raises(NotVisible):
        services.ask(actor=relative, person_id=other.pk, kind="copy")
    assert Request.objects.count() == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "gossip"}, "kind"),
        ({"kind": "correction"}, "field"),
        ({"kind": "correction", "field": "source", "wanted": "x"}, "field"),
        ({"kind": "correction", "field": "name", "wanted": " "}, "wanted"),
    ],
)
def test_a_question_must_say_what(relative, elder, given, field):
    with pytest.raises(Invalid) as e:
        services.ask(actor=relative, person_id=elder.pk, **given)
    assert list(e.value.errors) == [field]
    assert Request.objects.count() == 0


def test_the_same_question_is_open_once_and_may_be_taken_back(relative, elder, officer):
    row = asked(relative, elder)
    with pytest.raises(Refused) as e:
        asked(relative, elder)
    assert (e.value.code, Request.objects.count()) == ("privacy.asked", 1)
    stranger = Actor(Audience.FAMILY, elder.path, "x", subject_id=999, role="family", permissions=every_permission())
    with pytest.raises(NotVisible):
        services.withdraw(actor=stranger, request_id=row.pk)
    assert services.withdraw(actor=relative, request_id=row.pk, now=NOW).state == "withdrawn"
    with pytest.raises(Refused):
        services.withdraw(actor=relative, request_id=row.pk)
    assert asked(relative, elder).pk != row.pk


def test_the_copy_has_everything_from_all_rooms_and_is_logged(relative, elder, officer):
    elder_card = people.reveal(actor=officer, person_id=elder.pk, field="phone", purpose="核对")
    assert elder_card
    row = asked(relative, elder)
    services.take(actor=officer, request_id=row.pk, now=NOW)
    row = services.give_copy(actor=officer, request_id=row.pk, now=NOW)
    assert (row.state, row.answered_at, row.assigned_id) == ("answered", NOW, officer.account_id)
    paper, data = files.read(relative, row.paper_id), files.read(relative, row.data_id)
    assert paper[:5] == b"%PDF-"
    found = json.loads(data)
    by_model = {s["model"]: s for s in found["sections"]}
    assert {"people.Person", "people.Contact", "people.Consent", "people.PersonFact", "privacy.Request"} <= set(
        by_model
    )
    person = by_model["people.Person"]["rows"][0]
    assert "13804170001" in person.values()
    assert "王桂兰" in person.values()
    contact = json.dumps(by_model["people.Contact"]["rows"], ensure_ascii=False)
    assert "13804170002" not in contact
    assert "138****0002" in contact
    assert [(r["actor"], r["purpose"]) for r in found["reads"]] == [("周敏", "核对")]
    assert DataRead.objects.filter(what="copy", row_id=elder.pk).count() == 1
    assert StoredFile.objects.get(pk=row.paper_id).delete_after == NOW + timedelta(days=services.KEEP_DAYS)


def test_guarded_notes_are_counted_and_not_printed(relative, elder, officer):
    people.write_guarded_note(actor=officer, person_id=elder.pk, topic="guardianship", body="秘密")
    row = asked(relative, elder)
    services.take(actor=officer, request_id=row.pk)
    row = services.give_copy(actor=officer, request_id=row.pk)
    text = files.read(relative, row.data_id).decode()
    notes = next(s for s in json.loads(text)["sections"] if s["model"] == "people.GuardedNote")
    assert (notes["count"], notes["rows"], bool(notes["withheld"])) == (1, [], True)
    assert "秘密" not in text


def test_a_copy_belongs_to_who_asked(relative, elder, officer, regions, staff):
    row = asked(relative, elder)
    services.take(actor=officer, request_id=row.pk)
    row = services.give_copy(actor=officer, request_id=row.pk)
    other = Actor(Audience.FAMILY, elder.path, "x", subject_id=999, role="family", permissions=every_permission())
    for actor in (other, staff("b")):
        with pytest.raises(NotVisible):
            files.read(actor, row.data_id)


def test_the_steps_must_be_taken_in_order(relative, elder, officer, staff):
    row = asked(relative, elder)
    with pytest.raises(Refused) as e:
        services.give_copy(actor=officer, request_id=row.pk)
    assert e.value.code == "workflow.edge"
    services.take(actor=officer, request_id=row.pk)
    for act in (services.correct, services.erase):
        with pytest.raises(Refused) as e:
            act(actor=officer, request_id=row.pk)
        assert e.value.code == "privacy.kind"
    with pytest.raises(NotVisible):
        services.take(actor=staff("b"), request_id=row.pk)
    with pytest.raises(Forbidden):
        services.take(actor=relative, request_id=row.pk)
    with pytest.raises(NotVisible):
        services.take(actor=officer, request_id=row.pk, account_id=relative.account_id)
    assert Request.objects.get().state == "in_work"
    assert StoredFile.objects.count() == 0


def test_a_refusal_says_why(relative, elder, officer):
    row = asked(relative, elder)
    with pytest.raises(Invalid):
        services.refuse(actor=officer, request_id=row.pk, reason=" ")
    assert Request.objects.get().state == "received"
    row = services.refuse(actor=officer, request_id=row.pk, reason="不能确认是本人", now=NOW)
    assert (row.state, row.answer) == ("refused", "不能确认是本人")
    page = client_for(relative).get(f"/elder/{elder.pk}/data/").content.decode()
    assert "不能确认是本人" in page
    assert "12345" in page


# ---------------------------------------------------------------- correction
def correction(relative, elder, officer, field, wanted):
    row = asked(relative, elder, kind="correction", field=field, wanted=wanted)
    return services.take(actor=officer, request_id=row.pk)


def test_a_correction_goes_through_the_people_room(relative, elder, officer):
    row = correction(relative, elder, officer, "phone", "138 0417 0009")
    assert (row.shown, row.wanted) == ("13804170001", "138 0417 0009")
    services.correct(actor=officer, request_id=row.pk, now=NOW)
    elder.refresh_from_db()
    assert elder.phone == "13804170009"
    change = Change.objects.filter(table_name="people_person", row_id=elder.pk, op="U").latest("id")
    assert (change.actor, str(row.pk) in change.reason) == ("周敏", True)
    assert Request.objects.get().state == "answered"


def test_a_value_the_room_does_not_take_changes_nothing(relative, elder, officer):
    for field, wanted in (("phone", "12"), ("birth_date", "三月")):
        row = correction(relative, elder, officer, field, wanted)
        with pytest.raises(Invalid):
            services.correct(actor=officer, request_id=row.pk)
        assert Request.objects.get(pk=row.pk).state == "in_work"
    elder.refresh_from_db()
    assert (elder.phone, elder.birth_date) == ("13804170001", date(1942, 3, 8))


def test_a_record_that_changed_since_is_looked_at_again(relative, elder, officer):
    row = correction(relative, elder, officer, "address", "胜利社区 1 号")
    people.update_basic(actor=officer, person_id=elder.pk, changes={"address": "清华社区 13 号楼"})
    with pytest.raises(Refused) as e:
        services.correct(actor=officer, request_id=row.pk)
    assert e.value.code == "privacy.stale"
    elder.refresh_from_db()
    assert elder.address == "清华社区 13 号楼"


# ---------------------------------------------------------------- deletion
def deletion(relative, elder, officer):
    row = asked(relative, elder, kind="deletion")
    return services.take(actor=officer, request_id=row.pk)


def test_a_deletion_clears_what_no_statute_keeps_also_in_the_history(relative, elder, officer):
    people.update_basic(actor=officer, person_id=elder.pk, changes={"needs": "怕冷"})
    people.update_basic(actor=officer, person_id=elder.pk, changes={"needs": "怕热", "phone": "13804170009"})
    row = deletion(relative, elder, officer)
    row = services.erase(actor=officer, request_id=row.pk, now=NOW)
    elder.refresh_from_db()
    contact = Contact.objects.get()
    assert (elder.phone, elder.phone_index, elder.phone_tail, elder.needs) == ("", None, None, "")
    assert (contact.phone, contact.phone_index, contact.name) == ("", None, "李建华")
    assert (elder.name, elder.birth_date) == ("王桂兰", date(1942, 3, 8))  # kept by statute
    kept = json.dumps(
        list(Change.objects.filter(row_id=elder.pk, table_name="people_person").values_list("fields", flat=True))
    )
    assert "needs" not in kept
    assert "phone" not in kept
    assert Consent.objects.filter(withdrawn_on__isnull=True).count() == 0
    restriction = Restriction.objects.get()
    assert (restriction.person_id, set(restriction.cleared)) == (
        elder.pk, {"people.Person.phone", "people.Person.needs", "people.Contact.phone"},
    )  # fmt: skip
    with scope(officer):
        assert people_selectors.is_restricted(elder.pk)


def test_what_still_runs_stands_against_it(world, staff):
    from sangyu.care.orders import services as orders

    desk = world.desk
    orders.request(
        actor=desk,
        person_id=world.person.pk,
        item_code="bathing",
        planned_start=world.start,
        now=world.now,
        channel="phone",
        requested_by="王桂兰",
    )
    officer = staff("a")
    row = services.enter_paper(actor=officer, person_id=world.person.pk, kind="deletion", asked_name="王桂兰", now=NOW)
    services.take(actor=officer, request_id=row.pk)
    with pytest.raises(Refused) as e:
        services.erase(actor=officer, request_id=row.pk)
    assert e.value.code == "privacy.open_work"
    assert "1" in str(e.value.message)
    assert (Restriction.objects.count(), Request.objects.get().state) == (0, "in_work")


# ---------------------------------------------------------------- paper, hand-over
def test_staff_enter_what_came_on_paper(elder, officer):
    row = services.enter_paper(actor=officer, person_id=elder.pk, kind="access", asked_name="王桂兰", now=NOW)
    assert (row.channel, row.asked_id) == ("paper", None)
    with pytest.raises(Invalid):
        services.enter_paper(actor=officer, person_id=elder.pk, kind="copy", asked_name=" ")


def test_open_requests_are_handed_over(relative, elder, officer, regions):
    row = asked(relative, elder)
    services.take(actor=officer, request_id=row.pk)
    next_one = Account.objects.create_user(
        "next", "Mulberry-2026", name="接班", region=regions["a_street"], path=officer.path
    )
    chief = Actor(Audience.STAFF, regions["a"].path, "chief", account_id=1, role="system_administrator",
                  permissions=every_permission())  # fmt: skip
    Account.objects.filter(pk=officer.account_id).update(region=regions["a_street"], path=officer.path)
    _row, count = leaving.hand_over(
        actor=chief, account_id=officer.account_id, successor_id=next_one.pk, reason="退休", today=NOW.date()
    )
    row.refresh_from_db()
    assert (count, row.assigned_id) == (1, next_one.pk)


# ---------------------------------------------------------------- ledger, registers
def test_the_ledger_counts_by_purpose_and_version_within_the_area(elder, officer, staff):
    Consent.objects.create(person=elder, path=elder.path, purpose="photo", version="2020-1", given_on=date(2020, 1, 1),
                           given_by="self")  # fmt: skip
    with scope(officer):
        lines = selectors.ledger(officer, NOW.date())
        sums = selectors.totals(lines)
    found = {(line.purpose, line.version): (line.holding, line.current) for line in lines if line.holding}
    assert found == {("location", "2026-1"): (1, True), ("photo", "2020-1"): (1, False)}
    assert (sums["holding"], sums["old"], sums["withdrawn"]) == (2, 1, 0)
    sibling = staff("b")
    with scope(sibling):
        assert selectors.totals(selectors.ledger(sibling, NOW.date()))["holding"] == 0


def test_every_purpose_has_a_text_that_holds():
    assert all(rules.text_on(purpose, NOW.date()) for purpose in rules.texts())
    assert rules.text_on("photo", date(2025, 1, 1)) is None
    assert all(g.statute and g.said("use") for g in rules.grounds())


INCIDENT = {
    "title": "名单误发", "happened_on": date(2026, 10, 1), "found_on": date(2026, 10, 2), "data_kinds": "姓名、电话",
    "affected": 12, "cause": "发错群",
}  # fmt: skip


def test_an_incident_is_closed_only_when_the_authority_was_told(officer, regions, staff):
    area = regions["a_street"].pk
    row = services.record_incident(actor=officer, region_id=area, **INCIDENT)
    with pytest.raises(Invalid) as e:
        services.record_incident(
            actor=officer, incident_id=row.pk, region_id=area, **INCIDENT, closed_on=date(2026, 10, 9)
        )
    assert list(e.value.errors) == ["told_authority_on"]
    assert Incident.objects.get().closed_on is None
    closing = {"told_authority_on": date(2026, 10, 3), "closed_on": date(2026, 10, 9)}
    services.record_incident(actor=officer, incident_id=row.pk, region_id=area, **INCIDENT, **closing)
    with pytest.raises(Refused):
        services.record_incident(actor=officer, incident_id=row.pk, region_id=area, **INCIDENT)
    with pytest.raises(Invalid):
        services.record_incident(actor=officer, region_id=area, **{**INCIDENT, "found_on": date(2026, 9, 1)})
    with pytest.raises(NotVisible):
        services.record_incident(actor=officer, region_id=regions["b"].pk, **INCIDENT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.update(told_authority_on=None)
    assert Incident.objects.count() == 1


def test_an_assessment_is_kept_three_years(officer, regions):
    fields = {"feature": "定位", "lawful": "走失找回", "risk": "high", "measures": "同意后启用", "by_whom": "周敏"}
    row = services.record_assessment(
        actor=officer, region_id=regions["a_street"].pk, done_on=date(2024, 2, 29), **fields
    )
    assert row.keep_until == date(2027, 2, 28)
    assert Assessment.objects.count() == 1


# ---------------------------------------------------------------- screens
@pytest.mark.parametrize(
    "page", ["requests/", "requests/paper/", "consents/", "incidents/", "incidents/new/", "assessments/", "assessments/new/",
             "requests/?state=open", "requests/?late=1"],
)  # fmt: skip
def test_pages_open(officer, elder, page):
    assert client_for(officer).get(f"/privacy/{page}").status_code == 200


def test_the_whole_way_on_screen(relative, elder, officer):
    family, desk = client_for(relative), client_for(officer)
    assert "我的信息" in family.get(f"/elder/{elder.pk}/family/").content.decode()
    for kind in ("access", "copy", "correction", "deletion"):
        assert family.get(f"/elder/{elder.pk}/data/{kind}/").status_code == 200
    assert family.get(f"/elder/{elder.pk}/data/gossip/").status_code == 404
    wrong = family.post(f"/elder/{elder.pk}/data/correction/", {"field": "name", "wanted": ""})
    assert (wrong.status_code, Request.objects.count()) == (422, 0)
    assert family.post(f"/elder/{elder.pk}/data/copy/", {"details": ""}).status_code == 303
    row = Request.objects.get()
    assert "王桂兰" in desk.get("/privacy/requests/?state=open").content.decode()
    assert desk.get(f"/privacy/requests/{row.pk}/").status_code == 200
    assert desk.post(f"/privacy/requests/{row.pk}/take/", {"account_id": ""}).status_code in (302, 303)
    assert desk.get(f"/privacy/requests/{row.pk}/copy/").status_code == 200
    assert desk.post(f"/privacy/requests/{row.pk}/copy/", {"answer": ""}).status_code in (302, 303)
    row.refresh_from_db()
    page = family.get(f"/elder/{elder.pk}/data/").content.decode()
    assert f"/ui/files/{row.paper_id}/" in page or str(row.paper_id) in page
    assert row.state == "answered"
    assert family.post(f"/elder/{elder.pk}/data/{row.pk}/withdraw/").status_code == 409
