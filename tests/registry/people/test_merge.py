"""Two files of one human being become one and two again: R-026, issue 3 §5, docs/adr/0013."""

from datetime import date

import pytest
from django.db import connection

from sangyu.kernel.crypto import blind_index
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.merging.models import Merge, MergedRow
from sangyu.kernel.models import Change, Event, Share
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts.models import Account
from sangyu.registry.people import selectors, services
from sangyu.registry.people.merges import survivor
from sangyu.registry.people.models import Consent, Contact, Person, PersonFact
from support.dumps import differences, dump
from support.world import make_person

pytestmark = pytest.mark.django_db

JAN, MAR, JUN = date(2026, 1, 1), date(2026, 3, 1), date(2026, 6, 1)


@pytest.fixture
def pair(enter, id_number):
    """The same woman twice: once with her number, once by hand with another telephone."""
    kept = enter("张桂兰", id_number=id_number(), phone="13804170001", address="清华社区 1 号")
    gone = enter("张贵兰", phone="13804170002", region="a_two", needs="助浴", registered_on=date(2020, 5, 1))
    return kept, gone


def merge(staff, kept, gone, **more):
    return services.merge(actor=staff("a"), kept_id=kept.pk, gone_id=gone.pk, **{"reason": "同一人"} | more)


def fact(staff, person, kind, value, start, end=None):
    services.record_fact(
        actor=staff("a"), person_id=person.pk, kind=kind, value=value, valid_from=start, valid_to=end, source="街道"
    )


def live(person_id):
    rows = PersonFact.objects.filter(subject_id=person_id).known_on(None).exclude(kind="region")
    return sorted((f.kind, f.value, f.valid_from, f.valid_to) for f in rows)


def test_the_gone_file_leads_to_the_kept_one_and_is_found_no_more(pair, staff):
    kept, gone = pair
    record = merge(staff, kept, gone)
    with scope(staff("a")):
        assert list(Person.objects.values_list("pk", flat=True)) == [kept.pk]
        assert selectors.find_ids(staff("a"), "张贵兰") == []
        assert selectors.find_ids(staff("a"), "13804170002") == []
        assert selectors.find_ids(staff("a"), "贵兰") == []
        assert [p.pk for p in selectors.elders(staff("a"), date(2026, 11, 21))] == [kept.pk]
        with pytest.raises(NotVisible):
            services.update_basic(actor=staff("a"), person_id=gone.pk, changes={"name": "李四"})
    assert survivor(gone.pk) == kept.pk
    now = Person.objects.get(pk=kept.pk)
    assert (now.name, now.phone, now.needs, now.registered_on) == ("张桂兰", "13804170001", "助浴", date(2020, 5, 1))
    stone = Person.everyone.get(pk=gone.pk)
    assert (stone.merged_into_id, stone.phone_index, stone.id_index, stone.name) == (kept.pk, None, None, "张贵兰")
    assert (record.kept_id, record.gone_id, record.reason, record.actor) == (kept.pk, gone.pk, "同一人", "bureau a")
    event = Event.objects.get(name="people.merged")
    assert event.payload == {"id": kept.pk, "gone": gone.pk, "merge": record.pk}
    assert Change.objects.filter(table_name="people_person", row_id=gone.pk, reason="同一人").exists()


def test_chosen_fields_come_from_the_other_side_whole(pair, staff, regions):
    kept, gone = pair
    number = Person.objects.get(pk=kept.pk).id_number
    merge(staff, gone, kept, choices={"name": "gone", "phone": "gone", "place": "gone"})
    now = Person.objects.get(pk=gone.pk)
    assert (now.name, now.pinyin, now.phone, now.id_number) == ("张桂兰", "zhangguilan", "13804170001", number)
    assert (now.region_id, now.path, now.address) == (regions["a_one"].pk, regions["a_one"].path, "清华社区 1 号")
    assert set(PersonFact.objects.filter(subject=now).values_list("path", flat=True)) == {regions["a_one"].path}
    with scope(staff("a")):
        assert selectors.find_ids(staff("a"), number) == [gone.pk]
        region = PersonFact.objects.get(subject=now, kind="region", valid_to=None, superseded_at=None)
    assert region.value == str(regions["a_one"].pk)


def test_facts_of_the_kept_file_win_and_the_other_fills_the_gaps(pair, staff):
    kept, gone = pair
    fact(staff, kept, "living", "alone", MAR, JUN)
    fact(staff, gone, "living", "with_family", JAN)
    fact(staff, gone, "care_level", "2", MAR)
    preview = services.preview_merge(actor=staff("a"), kept_id=kept.pk, gone_id=gone.pk)
    assert [
        (c["kind"], c["kept"]["value"], c["gone"]["value"]) for c in preview.plan.conflicts if c["kind"] != "region"
    ] == [("living", "alone", "with_family")]
    merge(staff, kept, gone)
    assert live(kept.pk) == [
        ("care_level", "2", MAR, None),
        ("living", "alone", MAR, JUN),
        ("living", "with_family", JAN, MAR),
        ("living", "with_family", JUN, None),
    ]
    assert live(gone.pk) == []
    assert PersonFact.objects.filter(subject_id=gone.pk, kind="living", superseded_at__isnull=False).count() == 1


def test_the_reviewer_takes_a_fact_from_the_other_file(pair, staff):
    kept, gone = pair
    fact(staff, kept, "living", "alone", JAN)
    fact(staff, gone, "living", "with_family", MAR, JUN)
    merge(staff, kept, gone, choices={"facts.living": "gone"})
    assert [f[1:] for f in live(kept.pk)] == [("alone", JAN, MAR), ("alone", JUN, None), ("with_family", MAR, JUN)]


def test_contacts_consents_and_shares(pair, staff, regions, today):
    kept, gone = pair
    account = Account.objects.create_user(
        "daughter", "Mulberry-2026", name="女儿", region=regions["a"], path=regions["a"].path
    )
    for person in pair:
        for name, relation, phone in (("李梅", "3", "13904170009"), ("赵强", "91", "")):
            services.add_contact(actor=staff("a"), person_id=person.pk, name=name, relation=relation, phone=phone)
    only = services.add_contact(actor=staff("a"), person_id=gone.pk, name="王五", relation="8")
    theirs = Contact.objects.get(person=gone, name="李梅")
    mine = Contact.objects.get(person=kept, name="李梅")
    services.link_contact_account(actor=staff("a"), contact_id=mine.pk, account_id=account.pk)
    given = {"version": "1", "given_on": JAN, "today": today}
    held = services.give_consent(actor=staff("a"), person_id=gone.pk, purpose="photo", contact_id=theirs.pk, **given)
    both = [
        services.give_consent(actor=staff("a"), person_id=p.pk, purpose="health_data", **given) for p in (kept, gone)
    ]
    record = merge(staff, kept, gone)
    assert sorted(Contact.objects.filter(person=kept).values_list("name", flat=True)) == ["李梅", "王五", "赵强"]
    assert Contact.objects.get(pk=only.pk).person_id == kept.pk
    assert [(p.pk, c.pk) for p, c in selectors.persons_by_phone(staff("a"), "13904170009")] == [(kept.pk, mine.pk)]
    held.refresh_from_db()
    assert (held.person_id, held.contact_id) == (kept.pk, mine.pk)
    assert Consent.objects.get(pk=both[1].pk).person_id == gone.pk
    assert [(e["model"], e["row"]) for e in record.left if e["model"] == "people.Consent"] == [
        ("people.Consent", both[1].pk)
    ]
    assert not Share.objects.filter(object_id=gone.pk, kind="person", until__isnull=True).exists()


def test_both_files_must_lie_in_the_area(enter, staff):
    kept, gone = enter("张桂兰"), enter("张桂兰", region="b_one")
    before = dump()
    with pytest.raises(NotVisible):
        merge(staff, kept, gone)
    with pytest.raises(NotVisible):
        services.preview_merge(actor=staff("a"), kept_id=kept.pk, gone_id=gone.pk)
    with pytest.raises(Forbidden):
        services.merge(actor=staff("city", permissions=["people.edit"]), kept_id=kept.pk, gone_id=gone.pk, reason="x")
    with pytest.raises(Invalid):
        merge(staff, kept, kept)
    assert differences(before, dump()) == []
    services.merge(actor=staff("city"), kept_id=kept.pk, gone_id=gone.pk, reason="市里核对")
    assert Merge.objects.count() == 1


def test_a_kept_file_may_not_contradict_its_number(pair, staff):
    kept, gone = pair
    before = dump()
    Person.objects.filter(pk=gone.pk).update(birth_date=date(1945, 6, 21))
    with pytest.raises(Invalid) as wrong:
        merge(staff, kept, gone, choices={"birth_date": "gone"})
    assert list(wrong.value.errors) == ["birth_date"]
    Person.objects.filter(pk=gone.pk).update(birth_date=date(1945, 6, 12))
    assert differences(before, dump()) == []


def test_undo_is_exact(pair, staff):
    kept, gone = pair
    fact(staff, kept, "living", "alone", MAR, JUN)
    fact(staff, gone, "living", "with_family", JAN)
    services.add_contact(actor=staff("a"), person_id=gone.pk, name="李梅", relation="3", phone="13904170009")
    before = dump()
    record = merge(staff, kept, gone, choices={"place": "gone", "name": "gone", "facts.living": "gone"})
    assert differences(before, dump()) != []
    assert services.undo_merge(actor=staff("a"), merge_id=record.pk, reason="不是同一人") == []
    assert differences(before, dump()) == []
    with pytest.raises(Refused) as twice:
        services.undo_merge(actor=staff("a"), merge_id=record.pk, reason="x")
    assert twice.value.code == "merging.undone"
    services.merge(actor=staff("a"), kept_id=gone.pk, gone_id=kept.pk, reason="again, the other way")


def test_undo_after_later_edits_says_what_it_leaves(pair, staff, id_number):
    """Later edits of other columns are no obstacle; a value that changed since stays, with who and when."""
    kept, gone = pair
    added = services.add_contact(actor=staff("a"), person_id=gone.pk, name="李梅", relation="3")
    lost = services.add_contact(actor=staff("a"), person_id=gone.pk, name="王五", relation="8")
    record = merge(staff, kept, gone)
    services.update_basic(
        actor=staff("a_street"), person_id=kept.pk, changes={"needs": "助餐", "address": "新址"}, reason="走访核实"
    )
    services.update_contact(actor=staff("a"), contact_id=added.pk, changes={"note": "晚上打"})
    services.remove_contact(actor=staff("a"), contact_id=lost.pk)
    with pytest.raises(Refused) as refused:
        services.undo_merge(actor=staff("a"), merge_id=record.pk, reason="不是同一人")
    assert refused.value.code == "merging.obstacles"
    assert Person.everyone.get(pk=gone.pk).merged_into_id == kept.pk
    left = services.undo_merge(actor=staff("a"), merge_id=record.pk, reason="不是同一人", partly=True)
    assert [(o.table, o.row, o.columns, o.why, o.by) for o in sorted(left, key=lambda o: o.table)] == [
        ("people_contact", lost.pk, (), "deleted", "bureau a"),
        ("people_person", kept.pk, ("needs",), "changed", "bureau a_street"),
    ]
    now = Person.objects.get(pk=kept.pk)
    assert (now.needs, now.address, now.registered_on) == ("助餐", "新址", date(2026, 11, 21))
    back = Person.objects.get(pk=gone.pk)
    assert (back.phone, back.merged_into_id, back.needs) == ("13804170002", None, "助浴")
    assert Contact.objects.get(pk=added.pk).person_id == gone.pk
    assert Contact.objects.get(pk=added.pk).note == "晚上打"
    record.refresh_from_db()
    assert len(record.not_restored) == 2


def test_a_number_that_went_to_somebody_else_is_not_taken_back(pair, staff, enter, id_number):
    kept, gone = pair
    number = Person.objects.get(pk=kept.pk).id_number
    record = merge(staff, gone, kept, choices={"phone": "kept"})  # the file with the number goes, its number moves
    other = id_number(birth="19450612", sequence="994")
    services.update_basic(actor=staff("a"), person_id=gone.pk, changes={"id_number": other}, reason="核对证件原件")
    enter("赵玉珍", id_number=number)
    left = services.undo_merge(actor=staff("a"), merge_id=record.pk, reason="x", partly=True)
    assert sorted((o.row, o.why, o.constraint) for o in left) == sorted(
        [(gone.pk, "changed", ""), (kept.pk, "taken", "person_id_once")]
    )
    back = Person.objects.get(pk=kept.pk)
    assert (back.id_number, back.id_index, back.phone, back.merged_into_id) == ("", None, "13804170001", None)
    assert Person.objects.get(pk=gone.pk).id_number == other


def test_chains_lead_to_the_last_file_and_come_apart_in_order(pair, staff, enter):
    first, second = pair
    third = enter("张桂兰", phone="13804170003")
    before = dump()
    one = merge(staff, second, first)
    two = merge(staff, third, second)
    assert survivor(first.pk) == third.pk
    assert Person.everyone.get(pk=first.pk).merged_into_id == third.pk
    with pytest.raises(Refused) as early:
        services.undo_merge(actor=staff("a"), merge_id=one.pk, reason="x")
    assert early.value.code == "merging.later"
    assert services.undo_merge(actor=staff("a"), merge_id=two.pk, reason="x") == []
    assert services.undo_merge(actor=staff("a"), merge_id=one.pk, reason="x") == []
    assert differences(before, dump()) == []


def test_only_the_mechanism_writes_through_its_functions(pair, staff):
    from django.db import transaction
    from django.db.utils import DatabaseError

    call = "SELECT sangyu.merge_update(1, 'people_person', ARRAY[%s]::bigint[], ARRAY['{}']::jsonb[])"
    with scope(staff("a")), pytest.raises(DatabaseError, match="merging mechanism"), transaction.atomic():
        connection.cursor().execute(call, [pair[0].pk])
    assert MergedRow.objects.count() == 0


def test_the_number_search_finds_the_kept_file_by_a_number_it_took_over(pair, staff):
    kept, gone = pair
    number = Person.objects.get(pk=kept.pk).id_number
    merge(staff, gone, kept)
    assert blind_index(number, "people.id_number") is not None
    with scope(staff("a")):
        assert selectors.find_ids(staff("a"), number) == [gone.pk]
    with pytest.raises(services.DuplicatePerson) as there:
        services.register(
            actor=staff("a"), name="张桂兰", region_id=Person.objects.get(pk=gone.pk).region_id, source="test",
            id_number=number, today=date(2026, 11, 21),
        )  # fmt: skip
    assert there.value.person_id == gone.pk


def test_the_check_names_a_row_that_was_left_with_a_merged_file(world, regions):
    """`sangyu check`: nothing that counts points at a file that is gone (R-026)."""
    from sangyu.kernel.merging.checks import nothing_left_behind

    kept, gone = (make_person(regions["a_one"], name) for name in ("何淑珍", "何淑贞"))
    mine = Contact.objects.create(person=gone, path=gone.path, name="李梅", relation="3")
    services.merge(actor=world.desk, kept_id=kept.pk, gone_id=gone.pk, reason="同一人")
    with connection.cursor() as cursor:
        assert nothing_left_behind(cursor) == []
        Contact.objects.filter(pk=mine.pk).update(person=gone)
        assert nothing_left_behind(cursor) == [
            f"people.Contact {mine.pk}: it belongs to people.Person {gone.pk}, which was merged into {kept.pk}"
        ]
