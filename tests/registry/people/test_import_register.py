"""A roster against the register: updates, rows held for a decision, sources, background work, hand-over by API (R-012, R-026)."""

import io
from dataclasses import replace
from datetime import date

import pytest
import xlsxwriter

from sangyu.kernel import operations
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.facts import record, record_many
from sangyu.kernel.identity import check_character
from sangyu.kernel.importing import at_once, exchange, held, services
from sangyu.kernel.importing.models import ColumnMatching, HeldRow, ImportBatch
from sangyu.kernel.importing.work import Silent
from sangyu.kernel.models import Change, Operation
from sangyu.kernel.scoping import scope
from sangyu.registry.people import selectors
from sangyu.registry.people.models import Contact, Person, PersonFact
from sangyu.ui.models import BulkRow, BulkRun
from support.pages import client_for

pytestmark = pytest.mark.django_db
KIND = "people.roster"
HEAD = ("姓名", "性别", "出生日期", "身份证号", "联系电话", "社区", "现住址", "居住情况", "联系人", "联系人电话")
UPDATE = {"mode": "update"}


class Upload(io.BytesIO):
    def __init__(self, rows, head=HEAD, name="花名册.xlsx") -> None:
        out = io.BytesIO()
        book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False})
        sheet = book.add_worksheet()
        for at, cells in enumerate([head, *rows]):
            sheet.write_row(at, 0, cells)
        book.close()
        super().__init__(out.getvalue())
        self.name = name


def number(n: int, born: str = "19410305") -> str:
    body = f"210802{born}{n:03d}"
    return body + check_character(body)


def brought(actor, rows, *, settings=None, source="", head=HEAD):
    """The rows imported; the state after the commit."""
    pk = services.upload(actor=actor, kind=KIND, file=Upload(rows, head), source=source, settings=settings)
    matching = services.state(actor=actor, kind=KIND, import_id=pk).matching
    services.match(actor=actor, kind=KIND, import_id=pk, matching=matching, at_once=True)
    operations.run(services.commit(actor=actor, kind=KIND, import_id=pk))
    state = services.state(actor=actor, kind=KIND, import_id=pk)
    assert state.step == "done", state.result
    return state


LAN = ["张桂兰", "女", "", number(2), "13800000001", "清华社区", "清华路1号", "独居", "李梅", "13900000001"]


def counts(state) -> tuple:
    return tuple(state.counts[k] for k in ("rows", "new", "changed", "unchanged", "held", "rejected"))


def test_an_update_changes_what_differs_and_keeps_what_is_empty(clerk):
    brought(clerk, [LAN, ["李国强", "男", "", number(3), "", "清华社区"]], source="社区花名册")
    again = ["张桂兰", "女", "", number(2), "13800000009", "清华社区", "", "空巢", "李梅", "13900000002"]
    state = brought(
        clerk, [again, ["李国强", "男", "", number(3), "", "清华社区"]], settings=UPDATE, source="街道花名册"
    )
    assert counts(state) == (2, 0, 1, 1, 0, 0)
    lan = Person.objects.get(name="张桂兰")
    assert (lan.phone, lan.address, lan.source) == ("13800000009", "清华路1号", "街道花名册，第2行")
    contact = Contact.objects.get(person=lan)
    assert (contact.name, contact.phone) == ("李梅", "13900000002")
    change = Change.objects.filter(table_name="people_person", row_id=lan.pk, op="U").latest("id")
    assert (sorted(change.fields), change.source) == (["phone", "source"], "街道花名册，第2行")
    living = PersonFact.objects.filter(subject=lan, kind="living").order_by("id")
    assert [(f.value, f.superseded_at is None, f.source) for f in living] == [
        ("alone", False, "社区花名册，第2行"), ("empty_nest", True, "街道花名册，第2行"),
    ]  # fmt: skip
    with pytest.raises(Refused) as caught:
        brought(clerk, [again], settings=UPDATE)
    assert caught.value.code == "import.unchanged"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (["张桂花", "女", "", number(2), "", "清华社区"], "name"),
        (["张桂兰", "女", "", number(2), "", "胜利社区"], "region"),
    ],
)
def test_a_contradiction_with_the_same_number_is_held(clerk, row, code):
    brought(clerk, [LAN])
    state = brought(clerk, [row], settings=UPDATE)
    assert counts(state) == (1, 0, 0, 0, 1, 0)
    assert HeldRow.objects.get().code == code
    assert Person.objects.get().name == "张桂兰"


def test_thirty_of_a_thousand_rows_are_held_and_none_lost(clerk):
    """R-026: 1,000 rows with 30 probable duplicates without the same number."""
    names = [f"张桂{chr(0x4E00 + n)}" for n in range(1000)]
    brought(clerk, [[names[n], "女", "1941.3.5", "", f"1380000{n:04d}", "清华社区"] for n in range(30)])
    rows = [
        [names[n], "女" if n < 30 or n % 2 == 0 else "男", "", number(n), f"1390000{n:04d}", "胜利社区"]
        for n in range(0, 1000, 1)
    ]
    rows = [[r[0], "男" if n % 2 else "女", *r[2:]] for n, r in enumerate(rows)]
    state = brought(clerk, rows)
    assert counts(state) == (1000, 970, 0, 0, 30, 0)
    assert (Person.objects.count(), HeldRow.objects.filter(state="open").count()) == (1000, 30)
    assert {tuple(h.candidates) for h in HeldRow.objects.all()} == {
        (pk,) for pk in Person.objects.filter(id_index__isnull=True).values_list("pk", flat=True)
    }


def test_a_held_row_is_the_same_somebody_else_or_not_taken(clerk, staff, regions):
    first = [
        ["张桂兰", "女", "1941.3.5", "", "13800000001", "清华社区"],
        ["李素芬", "女", "1942.1.1", "", "", "清华社区"],
    ]
    brought(clerk, [*first, ["王秀珍", "女", "1943.1.1", "", "", "清华社区"]])
    rows = [
        ["张桂兰", "女", "", number(2), "13800000002", "胜利社区", "胜利街3号"],
        ["李素芬", "女", "", number(4, "19420101"), "", "清华社区"],
        ["王秀珍", "女", "", number(6, "19430101"), "", "清华社区"],
    ]
    assert counts(brought(clerk, rows, source="街道")) == (3, 0, 0, 0, 3, 0)
    one, two, three = HeldRow.objects.order_by("row")
    with pytest.raises(Invalid):
        held.settle(actor=clerk, held_id=one.pk, decision="same", known_id=two.candidates[0])
    with pytest.raises(NotVisible):
        held.settle(actor=replace(staff("b"), account_id=8), held_id=one.pk, decision="other")
    held.settle(actor=clerk, held_id=one.pk, decision="same", known_id=one.candidates[0], reason="电话核实")
    lan = Person.objects.get(name="张桂兰")
    assert (lan.id_number, lan.phone, lan.region_id) == (number(2), "13800000002", regions["a_two"].pk)
    held.settle(actor=clerk, held_id=two.pk, decision="other")
    assert Person.objects.filter(name="李素芬").count() == 2
    with pytest.raises(Invalid):
        held.settle(actor=clerk, held_id=three.pk, decision="dropped")
    held.settle(actor=clerk, held_id=three.pk, decision="dropped", reason="名册有误")
    assert Person.objects.filter(name="王秀珍").count() == 1
    with pytest.raises(Refused):
        held.settle(actor=clerk, held_id=three.pk, decision="other")
    done = {h.name: (h.state, h.decided_by, h.record_id) for h in HeldRow.objects.all()}
    assert done["张桂兰"] == ("same", "bureau a", lan.pk)
    assert done["王秀珍"] == ("dropped", "bureau a", None)
    reasons = Change.objects.filter(table_name="people_person", row_id=lan.pk, op="U").values_list("reason", flat=True)
    assert "电话核实" in set(reasons)


def test_columns_are_remembered_for_each_source(clerk):
    head = ("甲", "性别", "出生日期", "乙", "丙", "社区")
    rows = [["张桂兰", "女", "1945-06-12", "李梅", "", "清华社区"]]
    for source, at in (("甲街道", 0), ("乙街道", 3)):
        pk = services.upload(actor=clerk, kind=KIND, file=Upload(rows, head), source=source)
        matching = services.state(actor=clerk, kind=KIND, import_id=pk).matching | {"name": at}
        services.match(actor=clerk, kind=KIND, import_id=pk, matching=matching)
    found = []
    for source in ("甲街道", "乙街道", "丙街道"):
        pk = services.upload(actor=clerk, kind=KIND, file=Upload(rows, head), source=source)
        found.append(services.state(actor=clerk, kind=KIND, import_id=pk).matching["name"])
    assert found == [0, 3, 3]  # an unknown source: as these columns were matched last
    assert services.sources(actor=clerk, kind=KIND) == ["丙街道", "乙街道", "甲街道"]
    assert ColumnMatching.objects.count() == 3


def test_a_large_file_is_read_and_checked_in_the_background(clerk, monkeypatch):
    monkeypatch.setattr(services, "SMALL_FILE", 0)
    monkeypatch.setattr(services, "SMALL_TABLE", 0)
    given = {"actor": clerk, "kind": KIND}
    pk = services.upload(**given, file=Upload([LAN]))
    state = services.state(**given, import_id=pk)
    assert (state.step, services.progress(**given, import_id=pk)["state"]) == ("read", "waiting")
    with pytest.raises(Refused):
        services.match(**given, import_id=pk, matching={})
    operations.run(state.operation_id)
    state = services.state(**given, import_id=pk)
    assert state.step == "match"
    state = services.match(**given, import_id=pk, matching=state.matching)
    assert state.step == "check"
    services.cancel(**given, import_id=pk)
    state = services.state(**given, import_id=pk)
    assert (state.step, bool(state.result), state.operation_id) == ("match", True, None)
    state = services.match(**given, import_id=pk, matching=state.matching)
    operations.run(state.operation_id)
    state = services.state(**given, import_id=pk)
    assert (state.step, state.counts["new"]) == ("preview", 1)
    services.discard(**given, import_id=pk)
    assert ImportBatch.objects.count() == Person.objects.count() == 0


def test_at_once_writes_all_or_nothing(clerk):
    given = {"actor": clerk, "kind": KIND}
    found = at_once.run(Silent(), **given, file=Upload([LAN, ["", "男"]]), dry_run=True)
    assert (found.state.counts["new"], bool(found.rejected)) == (1, True)
    assert Person.objects.count() == ImportBatch.objects.count() == 0

    class Stopped(Silent):
        def advance(self, n: int = 1) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        at_once.run(Stopped(), **given, file=Upload([LAN]))
    assert Person.objects.count() == ImportBatch.objects.count() == 0
    assert at_once.run(Silent(), **given, file=Upload([LAN])).state.counts["new"] == 1
    assert Person.objects.count() == 1


def handed(actor, key="k1", name="张桂兰"):
    rows = [
        {"name": name, "sex": "女", "birth_date": "1941.3.5", "region": "清华社区"},
        {"name": "错", "sex": "?", "region": "清华社区"},
    ]
    return exchange.hand_over(actor=actor, kind=KIND, key=key, source="社区系统", rows=rows)


def test_a_hand_over_is_taken_once_however_often_it_is_sent(clerk, staff):
    state = handed(clerk)
    assert (state.step, counts(state)) == ("done", (2, 1, 0, 0, 0, 1))
    assert [(p.row, p.field, p.code) for p in state.problems] == [
        (2, "sex", "choice.unknown"), (2, "birth_date", "missing"),
    ]  # fmt: skip
    assert handed(clerk).id == state.id
    assert Person.objects.count() == 1
    with pytest.raises(Refused):
        handed(clerk, name="李四")
    assert exchange.standing(actor=clerk, kind=KIND, key="k1").counts["new"] == 1
    other = replace(staff("b"), account_id=8)
    with pytest.raises(NotVisible):
        exchange.standing(actor=other, kind=KIND, key="k1")
    assert handed(other).id != state.id
    with pytest.raises(Invalid):
        exchange.hand_over(actor=clerk, kind=KIND, key="k2", rows=[{"nome": "x"}])


def test_a_failed_hand_over_is_replayed_without_duplicates(clerk, monkeypatch):
    monkeypatch.setattr(exchange, "SMALL_TABLE", 0)
    state = handed(clerk)
    assert state.step == "running"
    from sangyu.registry.people import roster

    monkeypatch.setattr(roster, "register", lambda *a: 1 / 0)
    operations.run(state.operation_id)
    monkeypatch.undo()
    assert exchange.standing(actor=clerk, kind=KIND, key="k1").step == "preview"
    assert Person.objects.count() == 0
    assert handed(clerk).counts["new"] == 1
    assert handed(clerk).counts["new"] == 1
    assert (Person.objects.count(), Operation.objects.count()) == (1, 1)


def test_facts_of_many_are_those_of_one(clerk, regions):
    """record_many is record in a few statements: the same live intervals and the same past."""
    brought(clerk, [["甲一", "女", "1941.1.1", "", "", "清华社区"], ["乙二", "女", "1942.1.1", "", "", "清华社区"]])
    one, many = Person.objects.order_by("id")
    steps = [
        ("alone", date(2020, 1, 1)),
        ("empty_nest", date(2022, 1, 1)),
        ("alone", date(2021, 1, 1)),
        (None, date(2021, 6, 1)),
    ]
    with scope(clerk):
        for value, day in steps:
            record(PersonFact, subject=one, kind="living", value=value, valid_from=day, source="x")
            record_many(PersonFact, [(many.pk, many.path, "living", value, "x")], valid_from=day)
        found = [
            sorted((f.value, f.valid_from, str(f.valid_to), f.superseded_at is None) for f in PersonFact.objects.filter(subject=p, kind="living"))
            for p in (one, many)
        ]  # fmt: skip
        assert found[0] == found[1]
        assert selectors.facts_on(many.pk, date(2021, 3, 1))["living"] == "alone"


def test_held_rows_are_decided_many_at_once_and_not_taking_is_taken_back(clerk):
    """A result per row; a row that may be several persons is decided by itself (R-026)."""
    first = ["李素芬", "女", "1942.1.1", "", "", "清华社区"]
    brought(clerk, [["张桂兰", "女", "1941.3.5", "", "13800000001", "清华社区"], first, [*first[:5], "胜利社区"]])
    brought(clerk, [
        ["张桂兰", "女", "", number(2), "13800000002", "清华社区"], ["李素芬", "女", "", number(4, "19420101"), "", "清华社区"],
    ], source="街道")  # fmt: skip
    one, two = HeldRow.objects.order_by("row")
    assert (len(one.candidates), len(two.candidates)) == (1, 2)
    client, ids = client_for(clerk), [one.pk, two.pk]
    client.post("/people/held/", {"bulk": "dropped", "ids": ids, "sure": "1", "reason": "名册作废"})
    run = BulkRun.objects.get()
    assert set(HeldRow.objects.values_list("state", "reason")) == {("dropped", "名册作废")}
    client.post(f"/ui/acts/{run.pk}/undo/", {})
    assert set(HeldRow.objects.values_list("state", "reason")) == {("open", "")}
    client.post("/people/held/", {"bulk": "same", "ids": ids, "sure": "1", "reason": "已核实"})
    done = BulkRow.objects.filter(run=BulkRun.objects.latest("pk")).order_by("row_id")
    assert [r.state for r in done] == ["done", "refused"]
    assert [h.state for h in HeldRow.objects.order_by("row")] == ["same", "open"]
    assert Person.objects.get(name="张桂兰").id_number == number(2)
