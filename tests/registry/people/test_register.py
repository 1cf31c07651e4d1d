"""Registering, changing and finding persons: R-013, R-014, R-015, R-016, R-028."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.utils import IntegrityError, ProgrammingError

from sangyu.kernel import resealing
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.models import Change, DataRead, Event
from sangyu.kernel.scoping import scope
from sangyu.registry.people import selectors, services
from sangyu.registry.people.models import Person, PersonFact

pytestmark = pytest.mark.django_db


def test_register_fills_from_the_id_number(enter, id_number, regions):
    person = enter(sex="", birth_date=None, id_number=id_number(), phone="138 0417 0000", address="清华路12号")
    person.refresh_from_db()
    assert (person.birth_date, person.sex, person.path) == (date(1945, 6, 12), "2", regions["a_one"].path)
    assert (person.pinyin, person.initials) == ("zhangguilan", "zgl")
    assert (person.id_number, person.phone, person.id_kind) == (id_number(), "13804170000", "citizen")
    assert person.completeness == 40
    event = Event.objects.get(name="people.registered")
    assert (event.payload, event.path) == ({"id": person.pk}, person.path)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number FROM people_person")
        assert id_number().encode() not in bytes(cursor.fetchone()[0])


def test_a_new_key_takes_over_row_by_row(enter, staff, id_number, settings):
    """Key rotation: old values stay readable, and are brought to the new key by ``resealing``."""
    enter(id_number=id_number())
    enter(name="李国强", sex="1", phone="13904170001")
    enter(name="王秀英")  # nothing sealed, nothing to bring over
    settings.SANGYU_KEYS = {"1": "6b" * 32, "2": "7c" * 32}
    assert Person.objects.get(name="张桂兰").id_number == id_number()
    before = Change.objects.count()
    assert sum(resealing.reseal_model(Person)) == 2
    assert sum(resealing.reseal_model(Person)) == 0
    assert Change.objects.count() == before  # the same values: nothing has changed
    settings.SANGYU_KEYS = {"2": "7c" * 32}
    assert Person.objects.get(name="张桂兰").id_number == id_number()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "张三1"}, "name"),
        ({"phone": "123"}, "phone"),
        ({"id_number": "210802194506129920"}, "id_number"),
        ({"birth_date": date(2027, 1, 1)}, "birth_date"),
        ({"birth_date": None}, "birth_date"),
        ({"sex": ""}, "sex"),
    ],
)
def test_bad_values_are_refused_and_nothing_is_written(enter, change, field):
    with pytest.raises(Invalid) as caught:
        enter(**change)
    assert list(caught.value.errors) == [field]
    assert Person.objects.count() == Event.objects.count() == 0


def test_id_and_birth_date_must_agree(enter, id_number):
    with pytest.raises(Invalid) as caught:
        enter(id_number=id_number("19450613"), sex="1")
    assert sorted(caught.value.errors) == ["birth_date", "sex"]


def test_a_second_registration_names_the_first_or_says_elsewhere(enter, id_number, regions, staff, today):
    first = enter(id_number=id_number())
    with pytest.raises(services.DuplicatePerson) as caught:
        enter(name="李四", id_number=id_number().lower())
    assert (caught.value.code, caught.value.person_id) == ("people.duplicate", first.pk)
    with pytest.raises(services.DuplicatePerson) as caught:
        services.register(
            actor=staff("b"), name="李四", region_id=regions["b_one"].pk, source="x", id_number=id_number(), today=today
        )
    assert (caught.value.code, caught.value.person_id) == ("people.registered_elsewhere", None)
    assert Person.objects.count() == 1


def test_the_database_itself_refuses_half_an_id_and_a_second_one(enter, id_number):
    person = enter(id_number=id_number())
    with pytest.raises(IntegrityError, match="person_id_whole"):
        Person.objects.filter(pk=person.pk).update(id_index=None)


def test_registering_needs_the_permission_and_a_region_of_ones_own(regions, staff, today):
    values = {"name": "李四", "sex": "1", "birth_date": date(1950, 1, 1), "source": "x", "today": today}
    with pytest.raises(Forbidden):
        services.register(actor=staff("a", permissions=["people.view"]), region_id=regions["a_one"].pk, **values)
    with pytest.raises(NotVisible):
        services.register(actor=staff("a"), region_id=regions["b_one"].pk, **values)
    assert Person.objects.count() == 0


def test_sixty_today_is_an_elder_today_and_not_yesterday(enter, staff, today):
    """R-013."""
    person = enter(birth_date=date(1966, 11, 21))
    with scope(staff("a")):
        assert list(selectors.elders(staff("a"), today)) == [person]
        assert list(selectors.elders(staff("a"), today - timedelta(days=1))) == []


def test_two_changes_of_the_phone_are_in_the_history_with_their_actors(enter, staff, today):
    """R-016."""
    person = enter(phone="13804170000")
    for who, phone in (("a", "13904170001"), ("city", "0417-2812345")):
        services.update_basic(
            actor=staff(who), person_id=person.pk, changes={"phone": phone}, reason="called", today=today
        )
    rows = [r for r in selectors.history_of(staff("a"), person) if "phone" in r["fields"]]
    assert [(r["actor"], r["reason"], r["fields"]["phone"]) for r in rows] == [
        ("bureau city", "called", ("139****0001", "0417-28****5")),
        ("bureau a", "called", ("138****0000", "139****0001")),
    ]


def test_unchanged_values_write_nothing_and_a_stale_form_is_refused(enter, staff, today):
    person = enter(phone="13804170000")
    before = Change.objects.count()
    same = services.update_basic(
        actor=staff("a"), person_id=person.pk, changes={"phone": "138-0417-0000", "name": "张桂兰"}, today=today
    )
    assert Change.objects.count() == before
    services.update_basic(actor=staff("a"), person_id=person.pk, changes={"address": "新路1号"}, today=today)
    with pytest.raises(Refused) as caught:
        services.update_basic(
            actor=staff("a"), person_id=person.pk, changes={"address": "旧路"}, seen_at=same.updated_at, today=today
        )
    assert caught.value.code == "people.stale"
    assert Person.objects.get().address == "新路1号"


def test_contacts_and_completeness(enter, staff):
    """R-015."""
    person = enter()
    contact = services.add_contact(
        actor=staff("a"), person_id=person.pk, name="李强", relation="2", phone="13904170002"
    )
    person.refresh_from_db()
    assert (contact.priority, contact.path, person.completeness) == (1, person.path, 30)
    with pytest.raises(Invalid):
        services.add_contact(actor=staff("a"), person_id=person.pk, name="李强", relation="x", phone="1")
    services.update_contact(actor=staff("a"), contact_id=contact.pk, changes={"phone": "0417-2812345"})
    with scope(staff("a")):
        assert [c.phone for c in selectors.contacts(person)] == ["0417-2812345"]
    services.remove_contact(actor=staff("a"), contact_id=contact.pk)
    person.refresh_from_db()
    assert person.completeness == 0
    services.confirm_checks(actor=staff("a"), person_ids=[person.pk], on=date(2026, 11, 1), today=date(2026, 11, 21))
    with pytest.raises(Invalid):
        services.confirm_checks(
            actor=staff("a"), person_ids=[person.pk], on=date(2026, 12, 1), today=date(2026, 11, 21)
        )
    person.refresh_from_db()
    assert person.checked_on == date(2026, 11, 1)


def test_household(enter, staff):
    one, two = enter(address="清华路12号"), enter(name="李国强", sex="1")
    home = services.set_household(actor=staff("a"), person_id=one.pk, housing="owned", floor=5, has_lift=False)
    services.set_household(actor=staff("a"), person_id=two.pk, household_id=home.pk)
    with scope(staff("a")):
        assert [p.name for p in home.members.order_by("id")] == ["张桂兰", "李国强"]
        assert home.address == "清华路12号"


def test_search(enter, staff, id_number, today):
    lan = enter(name="单桂兰", id_number=id_number(), phone="13804170000", address="清华路12号楼3单元")
    man = enter(name="欧阳文轩", sex="1", region="b_one", phone="0417-2814417", address="胜利街7号")
    services.add_contact(actor=staff("city"), person_id=man.pk, name="欧阳华", relation="3", phone="13904170002")
    city, a = staff("city"), staff("a")

    def find(text, actor=city):
        return selectors.find_ids(actor, text, today=today)

    for text in (
        "单",
        "单桂",
        "桂兰",
        "sgl",
        "SGL",
        "shangui",
        id_number(),
        id_number()[-4:],
        "13804170000",
        "0000",
        "清华路",
    ):
        assert find(text) == [lan.pk], text
    for text in ("欧阳", "文轩", "oywx", "0417-2814417", "4417", "13904170002", "7号"):
        assert find(text) == [man.pk], text
        assert find(text, a) == [], text
    assert find("不存在") == find("") == find("9999") == []
    assert find("%") == find("号楼_") == []
    people = selectors.persons_by_phone(city, "139 0417 0002")
    assert [(p.pk, c.name) for p, c in people] == [(man.pk, "欧阳华")]


def test_filters(enter, staff, today, regions):
    old, young = (
        enter(birth_date=date(1940, 1, 1)),
        enter(name="李国强", sex="1", birth_date=date(1960, 1, 1), region="b_one"),
    )
    services.record_fact(
        actor=staff("city"), person_id=young.pk, kind="care_level", value="3", valid_from=date(2026, 1, 1), source="x"
    )

    def found(**filters):
        with scope(staff("city")):
            return [p.pk for p in selectors.search(staff("city"), "", filters, day=today).order_by("pk")]

    assert found() == [old.pk, young.pk]
    assert found(path=regions["b"].path) == found(sex="1") == found(age_to=79) == found(care_level="3") == [young.pk]
    assert found(age_from=80) == found(tag="very_old") == [old.pk]
    assert found(tag="dependent") == found(fact=("care_level", "3")) == [young.pk]
    assert found(alive=False) == found(care_level="2") == []


def test_other_audiences_see_only_shared_persons(enter, regions):
    """Scope of R-027 and of dispatch: providers, workers and relatives by share."""
    one, _two = enter(address="清华路1号"), enter(name="李国强", address="清华路2号")
    worker = Actor(audience=Audience.WORKER, path=regions["a"].path, name="w", subject_id=9)
    with scope(worker):
        assert Person.objects.count() == 0
    assert selectors.find_ids(worker, "清华路") == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT sangyu.share('worker', 9, 'person', %s, %s, NULL, 'visit')", [one.pk, one.path])
    assert selectors.find_ids(worker, "清华路") == [one.pk]
    assert selectors.person_card(worker, one.pk).name == "张桂兰"
    with pytest.raises(NotVisible):
        selectors.person_card(worker, _two.pk)


def test_search_function_without_scope_raises(enter):
    enter()
    with pytest.raises(ProgrammingError, match="no scope"), connection.cursor() as cursor:
        cursor.execute("SELECT sangyu.people_containing('桂兰', 5)")


def test_reveal_is_logged(enter, staff, id_number):
    person = enter(id_number=id_number())
    with pytest.raises(Forbidden):
        services.reveal(actor=staff("a", permissions=[]), person_id=person.pk, field="id_number", purpose="card")
    assert DataRead.objects.count() == 0
    assert services.reveal(actor=staff("a"), person_id=person.pk, field="id_number", purpose="card") == id_number()
    row = DataRead.objects.get()
    assert (row.row_id, row.what, row.purpose, row.actor) == (person.pk, "id_number", "card", "bureau a")
    with pytest.raises(NotVisible):
        services.reveal(actor=staff("b"), person_id=person.pk, field="id_number", purpose="card")


def test_guarded_notes_need_their_own_permission_and_reading_is_logged(enter, staff):
    """R-028."""
    person = enter()
    services.write_guarded_note(actor=staff("a"), person_id=person.pk, topic="property", body="房产纠纷")
    with pytest.raises(Forbidden):
        services.read_guarded_notes(
            actor=staff("a", permissions=["people.view"]), person_id=person.pk, purpose="curious"
        )
    assert DataRead.objects.count() == 0
    notes = services.read_guarded_notes(actor=staff("a"), person_id=person.pk, purpose="legal aid")
    assert [(n.topic, n.body, n.author) for n in notes] == [("property", "房产纠纷", "bureau a")]
    assert DataRead.objects.get().what == "guarded notes"


def test_a_page_of_cards_costs_two_queries(enter, staff, django_assert_max_num_queries, today):
    ids = [enter(name=n).pk for n in ("张一", "张二", "张三")]
    with scope(staff("a")), django_assert_max_num_queries(2):
        cards = selectors.person_cards(staff("a"), ids, day=today)
    card = cards[ids[0]]
    assert (card.age, card.sex_label, card.region_name, card.at_home, card.tags) == (
        81,
        "女",
        "清华社区",
        True,
        ("very_old",),
    )
    assert PersonFact.objects.filter(kind="region").count() == 3
