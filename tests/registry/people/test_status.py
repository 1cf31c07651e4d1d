"""Dated status, tags, life events, consent: R-017, R-019, R-020, R-024, R-025, R-027."""

from datetime import UTC, date, datetime

import pytest
from django.db import transaction
from django.db.utils import IntegrityError

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.models import Change, Event
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts.models import Account
from sangyu.registry.people import selectors, services
from sangyu.registry.people.models import Contact, Person, PersonFact

pytestmark = pytest.mark.django_db

JAN, MAR, JUN = date(2026, 1, 1), date(2026, 3, 1), date(2026, 6, 1)


def fact(staff, person, kind, value, start=JAN, end=None, **more):
    return services.record_fact(
        actor=staff("a"),
        person_id=person.pk,
        kind=kind,
        value=value,
        valid_from=start,
        valid_to=end,
        source="街道",
        **more,
    )


def test_a_tag_expires_and_the_reason_is_kept(enter, staff):
    """R-017."""
    person = enter(birth_date=date(1950, 1, 1))
    poor = fact(staff, person, "income_category", "minimum_living")
    services.end_fact(actor=staff("a"), fact_id=poor.pk, ends_on=JUN, reason="家庭收入超过标准")
    with scope(staff("a")):
        assert selectors.tags(person, date(2026, 5, 31)) == ["minimum_living"]
        assert selectors.tags(person, JUN) == []
    change = Change.objects.filter(table_name="people_personfact", row_id=poor.pk, op="U").get()
    assert change.reason == "家庭收入超过标准"


def test_as_known_then_and_as_known_now(enter, staff):
    person = enter()
    fact(staff, person, "living", "with_family", now=datetime(2026, 2, 1, tzinfo=UTC))
    fact(staff, person, "living", "alone", start=MAR, now=datetime(2026, 7, 1, tzinfo=UTC))
    with scope(staff("a")):
        assert selectors.facts_on(person.pk, JUN)["living"] == "alone"
        assert selectors.facts_on(person.pk, JUN, known=datetime(2026, 6, 1, tzinfo=UTC))["living"] == "with_family"
        assert selectors.facts_on(person.pk, JAN)["living"] == "with_family"


def test_tags_in_order(enter, staff, today):
    person = enter(birth_date=date(1940, 1, 1))
    for kind, value in (("living", "alone"), ("three_no", "yes"), ("disability", "1-2"), ("care_level", "2")):
        fact(staff, person, kind, value)
    card = selectors.person_card(staff("a"), person.pk, day=today)
    assert list(card.tags) == ["three_no", "dependent", "disabled", "alone", "very_old"]
    assert (card.care_level, card.care_level_label) == ("2", "中度失能")
    assert selectors.fact_label("disability", "1-2") == "视力残疾2级"


@pytest.mark.parametrize(
    ("kind", "value", "end"),
    [("living", "moon", None), ("moon", "yes", None), ("living", "alone", JAN), ("region", "1", None)],
)
def test_wrong_facts_are_refused(enter, staff, kind, value, end):
    person = enter()
    with pytest.raises(Invalid):
        fact(staff, person, kind, value, end=end)
    assert PersonFact.objects.exclude(kind="region").count() == 0


def test_the_database_refuses_unknown_values_and_overlaps(enter, staff):
    person = enter()
    good = fact(staff, person, "living", "alone")
    for name, change in (("person_fact_value", {"value": "moon"}), ("person_fact_value", {"kind": "moon"})):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            PersonFact.objects.filter(pk=good.pk).update(**change)
    good.pk = None
    with pytest.raises(IntegrityError, match="no_overlap"), transaction.atomic():
        good.save(force_insert=True)


def test_death(enter, staff, today):
    person = enter()
    with pytest.raises(Invalid):
        services.record_death(actor=staff("a"), person_id=person.pk, died_on=date(2026, 12, 1), source="x", today=today)
    with pytest.raises(Invalid):
        services.record_death(actor=staff("a"), person_id=person.pk, died_on=date(1940, 1, 1), source="x", today=today)
    services.record_death(actor=staff("a"), person_id=person.pk, died_on=JUN, source="殡葬", today=today)
    with pytest.raises(Refused):
        services.record_death(actor=staff("a"), person_id=person.pk, died_on=JUN, source="殡葬", today=today)
    assert [e.payload for e in Event.objects.filter(name="people.died")] == [{"id": person.pk, "on": "2026-06-01"}]
    card = selectors.person_card(staff("a"), person.pk, day=today)
    assert (card.died_on, card.at_home, card.age) == (JUN, False, 80)
    services.revoke_death(actor=staff("a"), person_id=person.pk, reason="同名误录")
    assert Person.objects.get().died_on is None


def test_a_move_takes_the_file_along_and_keeps_past_days(enter, staff, regions, today):
    person = enter(address="旧路1号")
    fact(staff, person, "living", "alone")
    services.add_contact(actor=staff("a"), person_id=person.pk, name="李强", relation="2")
    services.move(
        actor=staff("a"), person_id=person.pk, region_id=regions["b_one"].pk, moved_on=MAR, source="迁移证",
        address="新路2号", today=today,
    )  # fmt: skip
    with scope(staff("a")):
        assert (Person.objects.count(), PersonFact.objects.count(), Contact.objects.count()) == (0, 0, 0)
    with scope(staff("b")):
        moved = Person.objects.get()
        assert (moved.address, moved.path, Contact.objects.get().path) == ("新路2号", regions["b_one"].path, moved.path)
        assert selectors.facts_on(person.pk, today) == {"living": "alone", "region": str(regions["b_one"].pk)}
    names = {e.name: e.path for e in Event.objects.filter(name__in=["people.left", "people.moved"])}
    assert names == {"people.left": regions["a_one"].path, "people.moved": regions["b_one"].path}
    with pytest.raises(NotVisible):
        services.move(
            actor=staff("a"), person_id=person.pk, region_id=regions["a_one"].pk, moved_on=MAR, source="x", today=today
        )


def test_admission_and_discharge(enter, staff, today):
    person = enter()
    services.admit_to_institution(actor=staff("a"), person_id=person.pk, on=MAR, institution="福利院", source="x")
    assert selectors.person_card(staff("a"), person.pk, day=today).at_home is False
    services.discharge_from_institution(actor=staff("a"), person_id=person.pk, on=JUN, source="x")
    assert selectors.person_card(staff("a"), person.pk, day=today).at_home is True
    assert selectors.person_card(staff("a"), person.pk, day=MAR).at_home is False
    names = list(Event.objects.filter(name__startswith="people.").order_by("id").values_list("name", flat=True))
    assert names == ["people.registered", "people.admitted", "people.discharged"]


@pytest.fixture
def daughter(enter, staff):
    """An elder, the daughter as contact, her account and her as actor."""
    person = enter()
    account = Account.objects.create(username="daughter", name="李梅")
    contact = services.add_contact(actor=staff("a"), person_id=person.pk, name="李梅", relation="3")
    services.link_contact_account(actor=staff("a"), contact_id=contact.pk, account_id=account.pk)
    actor = Actor(audience=Audience.FAMILY, path=person.path, name="李梅", account_id=account.pk, subject_id=account.pk)
    return person, contact, actor


def consent(staff, person, contact, **more):
    values = {"purpose": "family_view", "version": "2026-1", "given_on": JAN, "today": date(2026, 11, 21)} | more
    return services.give_consent(
        actor=staff("a"), person_id=person.pk, contact_id=contact.pk if contact else None, **values
    )


def test_a_daughter_sees_the_file_only_while_the_consent_holds(staff, daughter, today):
    """R-027."""
    person, contact, actor = daughter
    with pytest.raises(NotVisible):
        selectors.get_person(actor, person.pk)
    given = consent(staff, person, contact)
    assert selectors.get_person(actor, person.pk) == person
    with scope(actor):
        assert Contact.objects.count() == 1
    services.withdraw_consent(actor=staff("a"), consent_id=given.pk, withdrawn_on=today, reason="本人要求", today=today)
    with pytest.raises(NotVisible):
        selectors.get_person(actor, person.pk)
    with pytest.raises(Refused):
        services.withdraw_consent(actor=staff("a"), consent_id=given.pk, withdrawn_on=today, today=today)
    consent(staff, person, contact)
    assert selectors.get_person(actor, person.pk) == person


def test_unlinking_the_account_ends_the_sharing(staff, daughter):
    person, contact, actor = daughter
    consent(staff, person, contact)
    services.link_contact_account(actor=staff("a"), contact_id=contact.pk, account_id=None)
    with pytest.raises(NotVisible):
        selectors.get_person(actor, person.pk)
    services.link_contact_account(actor=staff("a"), contact_id=contact.pk, account_id=actor.account_id)
    assert selectors.get_person(actor, person.pk) == person


def test_consents_are_checked(staff, daughter):
    person, contact, _actor = daughter
    for change in ({"purpose": "moon"}, {"given_on": date(2027, 1, 1)}, {"given_by": "guardian"}):
        with pytest.raises(Invalid):
            consent(staff, person, contact, **change)
    with pytest.raises(Invalid):
        consent(staff, person, None)
    consent(staff, person, None, purpose="location")
    with pytest.raises(Refused):
        consent(staff, person, None, purpose="location")
    consent(staff, person, contact)
    with pytest.raises(Refused):
        services.remove_contact(actor=staff("a"), contact_id=contact.pk)
