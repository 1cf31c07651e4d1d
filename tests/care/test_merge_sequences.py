"""Random edits, merges and undos leave references, history and ledger exact (R-026; issue 3 §5).

``SANGYU_MERGE_SEQUENCES=1000`` runs the thousand that the issue asks for.
"""

import os
from datetime import date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils.timezone import make_aware
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sangyu.care.orders import services as orders
from sangyu.care.orders.enums import Channel
from sangyu.care.vouchers import services as vouchers
from sangyu.kernel import checks
from sangyu.kernel.errors import SangyuError
from sangyu.kernel.merging.models import Merge
from sangyu.kernel.merging.rules import Move, rules_of
from sangyu.kernel.models import Change
from sangyu.registry.people import services
from sangyu.registry.people.merging import FIELDS
from sangyu.registry.people.models import Contact, Person, PersonFact
from support.dumps import differences, dump
from support.world import make_fee_rules, make_item, make_organisation, make_person

pytestmark = pytest.mark.django_db

NOW = make_aware(datetime(2026, 11, 3, 10, 0))
TODAY = date(2026, 11, 21)
EXAMPLES = int(os.environ.get("SANGYU_MERGE_SEQUENCES", "8"))
#: Derived, and computed anew after each act.
BUT = frozenset({("people_person", "completeness")})

who = st.integers(0, 2)
day = st.dates(date(2024, 1, 1), date(2026, 10, 1))
side = st.sampled_from(["kept", "gone"])
edit = st.one_of(
    st.tuples(st.just("needs"), who, st.sampled_from(["助餐", "助浴", "陪诊", ""])),
    st.tuples(st.just("phone"), who, st.sampled_from(["13804170001", "13804170002", ""])),
    st.tuples(st.just("name"), who, st.sampled_from(["张桂兰", "张贵兰"])),
    st.tuples(st.just("fact"), who, st.sampled_from(["alone", "with_family"]), day, st.none() | day),
    st.tuples(st.just("end"), who, day),
    st.tuples(st.just("contact"), who, st.sampled_from(["李梅", "王五"])),
    st.tuples(st.just("drop"), who),
    st.tuples(st.just("consent"), who, st.sampled_from(["photo", "health_data"])),
    st.tuples(st.just("move"), who, st.sampled_from(["a_one", "a_two"])),
    st.tuples(st.just("order"), who),
    st.tuples(st.just("cancel"), who),
)
choices = st.dictionaries(st.sampled_from([n for n in FIELDS if n not in ("sex", "birth_date", "died_on")]), side) | (
    st.dictionaries(st.sampled_from(["facts.living", "place", "name"]), side)
)
merging = st.tuples(st.just("merge"), who, who, choices)
undoing = st.tuples(st.just("undo"), who)


class Town:
    """Three files with facts, an order and a voucher each."""

    def __init__(self, regions, staff) -> None:
        self.regions, self.actor = regions, staff("a")
        make_fee_rules(regions["city"])
        make_item(regions["city"], "cleaning", "助洁", minutes=120, category="cleaning")
        make_organisation(regions["a"], "康乐", {"cleaning": 6000})
        places = ("a_one", "a_two", "a_one")
        self.people = [make_person(regions[p], "张桂兰", living="alone", care_level="2").pk for p in places]
        programme = vouchers.publish_programme(
            actor=self.actor, region_id=regions["a"].pk, path=regions["a"].path, name="服务券", face_amount=10000,
            valid_from=date(2026, 1, 1), categories=["cleaning"], validity="year",
        )  # fmt: skip
        vouchers.issue(
            actor=self.actor, programme_id=programme.pk, person_ids=self.people[:2], day=date(2026, 10, 1),
            region_id=regions["a"].pk, path=regions["a"].path,
        )  # fmt: skip
        self.hours = 0
        for n in range(3):
            self.order(n)

    def order(self, n):
        self.hours += 5
        made = orders.request(
            actor=self.actor, person_id=self.people[n], item_code="cleaning", channel=Channel.HOTLINE,
            planned_start=NOW + timedelta(days=3, hours=self.hours), requested_by="女儿", now=NOW,
        )  # fmt: skip
        orders.receive(actor=self.actor, order_id=made.pk, now=NOW)

    def do(self, act) -> None:
        """One act; what a service refuses has changed nothing."""
        try:
            with transaction.atomic():
                self._do(*act)
        except SangyuError:
            pass

    def _do(self, verb, n, *more) -> None:
        actor, person_id = self.actor, self.people[n]
        if verb in ("needs", "phone", "name"):
            services.update_basic(actor=actor, person_id=person_id, changes={verb: more[0]}, reason="走访", today=TODAY)
        elif verb == "fact":
            services.record_fact(
                actor=actor, person_id=person_id, kind="living", value=more[0], valid_from=more[1], valid_to=more[2],
                source="走访",
            )  # fmt: skip
        elif verb == "end":
            fact = PersonFact.objects.filter(subject_id=person_id, kind="living").known_on(None).order_by("id").first()
            if fact:
                services.end_fact(actor=actor, fact_id=fact.pk, ends_on=more[0], reason="走访")
        elif verb == "contact":
            services.add_contact(actor=actor, person_id=person_id, name=more[0], relation="3")
        elif verb == "drop":
            contact = Contact.objects.filter(person_id=person_id).order_by("id").first()
            if contact:
                services.remove_contact(actor=actor, contact_id=contact.pk)
        elif verb == "consent":
            contact = Contact.objects.filter(person_id=person_id).order_by("id").first()
            services.give_consent(
                actor=actor, person_id=person_id, purpose=more[0], version="1", given_on=date(2026, 9, 1), today=TODAY,
                contact_id=contact.pk if contact else None, proof="paper",
            )  # fmt: skip
        elif verb == "move":
            services.move(
                actor=actor, person_id=person_id, region_id=self.regions[more[0]].pk, moved_on=date(2026, 10, 1),
                source="走访", today=TODAY,
            )  # fmt: skip
        elif verb == "order":
            self.order(n)
        elif verb == "cancel":
            orders.cancel_for_person(actor=actor, person_id=person_id, from_day=None, reason="不需要了", now=NOW)
        elif verb == "merge":
            services.merge(
                actor=actor, kept_id=person_id, gone_id=self.people[more[0]], reason="同一人", choices=more[1]
            )
        elif verb == "undo":
            found = Merge.objects.filter(undone_at__isnull=True).order_by("id")[n : n + 1]
            if found:
                services.undo_merge(actor=actor, merge_id=found[0].pk, reason="不是同一人", partly=True)


@pytest.fixture
def village(regions, staff):
    return Town(regions, staff)


@pytest.fixture
def aside():
    """Factory: a transaction that leaves nothing."""

    class Aside:
        def __enter__(self):
            self.atomic = transaction.atomic()
            self.atomic.__enter__()

        def __exit__(self, *error):
            if error[0] is None:
                transaction.set_rollback(True)
            self.atomic.__exit__(*error)

    return Aside


SLOW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@SLOW
@given(before=st.lists(edit, max_size=5), given_choices=choices, later=st.lists(edit, max_size=4))
def test_undo_restores_all_that_nobody_touched_since(village, aside, before, given_choices, later):
    """Without later edits undo is the identity on all tables; with them, every other row is as it was."""
    with aside():
        for act in before:
            village.do(act)
        whole = dump(but=BUT)
        try:
            record = services.merge(
                actor=village.actor,
                kept_id=village.people[0],
                gone_id=village.people[1],
                reason="同一人",
                choices=given_choices,
            )
        except SangyuError:
            assert differences(whole, dump(but=BUT)) == []
            return
        mark = Change.objects.order_by("-id").values_list("id", flat=True).first()
        for act in later:
            village.do((act[0], 0 if act[1] == 1 else act[1], *act[2:]))
        touched = {f"{t} {r}" for t, r in Change.objects.filter(id__gt=mark).values_list("table_name", "row_id")}
        untracked = {"kernel_share", "ledger_account", "ledger_transfer", "ledger_openreservation", "procrastinate"}
        stays = services.undo_merge(actor=village.actor, merge_id=record.pk, reason="不是同一人", partly=True)
        # where a later edit took the place of a value, the undo says so: only then may an untouched row differ
        touched |= {f"{o.table} {o.row}" for o in stays if o.why == "taken" and later}
        changed = differences(whole, dump(but=BUT))
        foreign = [line for line in changed if " ".join(line.rstrip(":").split(" ")[:2]).rstrip(":") not in touched]
        if later:
            foreign = [line for line in foreign if line.split(" ")[0] not in untracked and "log " not in line]
        assert foreign == [], "\n".join(foreign)
        exact(village)


@SLOW
@given(acts=st.lists(st.one_of(edit, merging, undoing), min_size=3, max_size=12))
def test_any_sequence_leaves_references_history_and_ledger_exact(village, aside, acts):
    with aside():
        for act in acts:
            village.do(act)
        exact(village)


def exact(village) -> None:
    """What must hold whatever happened."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # every foreign key and deferred constraint is asked now
        found = {name: lines for name, lines in checks.run(cursor).items() if lines}
        assert found == {}
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    live = Merge.objects.filter(undone_at__isnull=True)
    assert {p.pk for p in Person.everyone.filter(merged_into__isnull=False)} == {m.gone_id for m in live}
    for record in live:
        stayed = {(e["model"], e["row"]) for e in record.left}
        for rule in rules_of("people.Person"):
            if isinstance(rule, Move) and rule.model != "kernel.Share":
                rows = rule.table()._base_manager.filter(**{rule.column: record.gone_id}, **dict(rule.where))
                assert {(rule.model, r.pk) for r in rows} <= stayed, rule
    assert not PersonFact.objects.filter(subject__merged_into__isnull=False, superseded_at__isnull=True).exists()
    for path, own in PersonFact.objects.filter(superseded_at__isnull=True).values_list("path", "subject__path"):
        assert path == own
    last: dict = {}
    for change in Change.objects.filter(table_name__in=["people_person", "people_personfact", "orders_order"]).order_by(
        "id"
    ):
        for column, value in change.fields.items() if change.op == "U" else ():
            last[change.table_name, change.row_id, column] = value[1]
    now = dump()
    for (table, row, column), value in last.items():
        if row in now[table]:
            assert now[table][row][column] == value, (table, row, column)
