"""The roster import: R-019, R-026, design rules 9–11; a workbook of LibreOffice and one of 10,000 rows."""

import io
import os
import signal
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from django.db import connections
from python_calamine import CalamineWorkbook

from sangyu.kernel import bulk, operations
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible
from sangyu.kernel.identity import check_character
from sangyu.kernel.importing import definition as importing
from sangyu.kernel.importing import services, work
from sangyu.kernel.importing.models import ImportBatch, ImportProblem
from sangyu.kernel.models import Change, Event, Operation
from sangyu.kernel.scoping import scope
from sangyu.registry.people import selectors
from sangyu.registry.people.models import Contact, Person, PersonFact

pytestmark = pytest.mark.django_db
KIND = "people.roster"
LIBRE = Path(__file__).parents[2] / "data" / "roster_libreoffice.xlsx"


class Upload(io.BytesIO):
    def __init__(self, data: bytes, name: str = "roster.xlsx") -> None:
        super().__init__(data)
        self.name = name


def checked(actor, data, name="roster.xlsx"):
    """Upload and check with the proposed matching."""
    pk = services.upload(actor=actor, kind=KIND, file=Upload(data, name), at_once=True)
    matching = services.state(actor=actor, kind=KIND, import_id=pk).matching
    return services.match(actor=actor, kind=KIND, import_id=pk, matching=matching, at_once=True)


def written(actor, data, name="roster.xlsx"):
    """Upload, check, commit and run the operation."""
    state = checked(actor, data, name)
    operations.run(services.commit(actor=actor, kind=KIND, import_id=state.id))
    return services.state(actor=actor, kind=KIND, import_id=state.id)


def workbook(rows, headings=("姓名", "性别", "出生日期", "身份证号", "联系电话", "社区")):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False})
    sheet = book.add_worksheet()
    for at, cells in enumerate([headings, *rows]):
        for column, cell in enumerate(cells):
            sheet.write(at, column, cell)
    book.close()
    return out.getvalue()


def test_columns_are_matched_and_problems_named(clerk):
    state = checked(clerk, LIBRE.read_bytes())
    assert state.step == "preview"
    named = {state.headers[at]: key for key, at in state.matching.items() if at is not None}
    assert named == {
        "老人姓名": "name", "性别": "sex", "出生年月日": "birth_date", "身份证号码": "id_number",
        "联系电话": "phone", "街道": "street", "社区（村）": "region", "家庭住址": "address",
        "居住情况": "living", "低保类别": "income",
        "三无": "three_no", "残疾等级": "disability", "失能等级": "care_level", "紧急联系人": "contact_name",
        "紧急联系人电话": "contact_phone", "与老人关系": "contact_relation",
    }  # fmt: skip
    assert state.counts == {"rows": 21, "new": 10, "changed": 0, "unchanged": 0, "held": 0, "rejected": 11}
    found = [(p.row, p.column, p.value) for p in state.problems]
    assert found == [
        (15, "身份证号码", "2.***************17"), (16, "身份证号码", "210802********9921"),
        (17, "出生年月日", "1941.2.30"), (18, "社区（村）", "青华社区"),
        (19, "身份证号码", "210802********9922"), (20, "性别", "不男"), (21, "老人姓名", ""),
        (22, "出生年月日", "1941.2.3"), (23, "联系电话", "123****123"), (24, "社区（村）", "210803001001"),
        (25, "居住情况", "独剧"),
    ]  # fmt: skip
    codes = list(ImportProblem.objects.order_by("row").values_list("code", flat=True))
    assert codes == [
        "id.number", "id.check", "date.none", "region.unknown", "twice", "choice.unknown", "missing", "disagrees",
        "phone.form", "region.code", "choice.unknown",
    ]  # fmt: skip
    messages = {p.row: p.message for p in state.problems}
    assert "清华社区" in messages[18]
    assert "4" in messages[19]
    assert "独居" in messages[25]
    assert Person.objects.count() == 0


def test_one_pass_names_all_that_is_wrong_with_a_row(clerk):
    """An unknown community is told beside a day that is none, not after it was corrected."""
    state = checked(clerk, workbook([["张桂兰", "女", "1941.2.30", "", "", "青华社区"]]))
    assert [(p.column, p.value) for p in state.problems] == [("出生日期", "1941.2.30"), ("社区", "青华社区")]


def test_the_good_rows_are_written_with_facts_and_contacts(clerk, regions):
    a = clerk
    state = written(a, LIBRE.read_bytes(), "花名册.xlsx")
    assert (state.step, state.counts) == (
        "done",
        {"rows": 21, "new": 10, "changed": 0, "unchanged": 0, "held": 0, "rejected": 11, "facts": 15, "contacts": 1},
    )
    people = {p.name: p for p in Person.objects.all()}
    born = {n: p.birth_date.isoformat() for n, p in people.items()}
    assert born == {
        "张桂兰": "1945-06-12", "李国强": "1941-03-05", "买买提·吐尔逊": "1938-01-02",
        "欧阳文轩": "1950-07-08", "王䶮": "1941-01-24", "单秀英": "1943-09-01", "赵玉珍": "1940-01-01",
        "刘凤英": "1939-09-09", "陈素芬": "1944-01-01", "孙玉珍": "1943-01-01",
    }  # fmt: skip
    assert [people[n].phone for n in ("张桂兰", "李国强", "赵玉珍", "陈素芬")] == [
        "13804170000", "13804170001", "0417-2812345", "0417-2812346",
    ]  # fmt: skip
    assert (people["单秀英"].id_number[:17], people["单秀英"].sex) == ("21080219430901992", "2")
    assert people["孙玉珍"].path == regions["a_two"].path
    liu = people["刘凤英"]
    with scope(a):
        facts = selectors.facts_on(liu.pk, liu.registered_on)
        assert Contact.objects.get().phone == "13904170002"
    assert facts == {
        "living": "alone", "income_category": "minimum_living", "three_no": "yes", "disability": "4-2",
        "care_level": "2", "region": str(regions["a_two"].pk),
    }  # fmt: skip
    assert selectors.find_ids(a, "syz") == [people["孙玉珍"].pk]
    change = Change.objects.get(table_name="people_person", row_id=liu.pk)
    assert (change.op, change.actor) == ("I", "bureau a")
    assert change.source == liu.source == "花名册.xlsx，第11行"
    assert Event.objects.filter(name="people.imported").get().payload["count"] == 10


def test_rejected_rows_come_back_and_can_be_sent_again(clerk):
    a = clerk
    state = written(a, LIBRE.read_bytes())
    name, content = services.rejected(actor=a, kind=KIND, import_id=state.id)
    assert name.startswith("roster")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert len(rows) == 12
    assert rows[0][2:5] == ["序号", "老人姓名", "性别"]
    assert [r[1] for r in rows[1:]] == [15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]
    assert all(r[0] for r in rows[1:])
    again = checked(a, content, name)
    assert again.counts["rows"] == 11
    assert again.counts["new"] == 0


def test_who_is_registered_already_is_reported_and_not_changed(staff, clerk):
    written(clerk, LIBRE.read_bytes())
    again = checked(clerk, LIBRE.read_bytes())
    assert again.counts == {"rows": 21, "new": 0, "changed": 0, "unchanged": 0, "held": 6, "rejected": 15}
    numbered = [r for r in ImportProblem.objects.filter(batch_id=again.id) if r.code == "registered"]
    assert [r.field for r in numbered] == ["id_number"] * 4
    lan = Person.objects.get(name="张桂兰")
    other = checked(replace(staff("b"), account_id=8), workbook([["张桂兰", "女", "", lan.id_number, "", "清华社区"]]))
    assert list(ImportProblem.objects.filter(batch_id=other.id).values_list("code", flat=True)) == ["elsewhere"]
    assert Person.objects.count() == 10


def test_a_second_person_may_not_see_or_use_the_import(staff, clerk):
    state = checked(clerk, LIBRE.read_bytes())
    with pytest.raises(NotVisible):
        services.state(actor=replace(clerk, account_id=8), kind=KIND, import_id=state.id)
    with pytest.raises(Forbidden):
        services.upload(actor=staff("a", permissions=[]), kind=KIND, file=Upload(LIBRE.read_bytes()))


def test_matching_is_checked_and_remembered(clerk):
    a = clerk
    data = workbook(
        [["张桂兰", "女", "1945-06-12", "", "", "清华社区"]], ("甲", "性别", "出生日期", "乙", "丙", "社区")
    )
    pk = services.upload(actor=a, kind=KIND, file=Upload(data))
    matching = services.state(actor=a, kind=KIND, import_id=pk).matching
    assert matching["name"] is None
    with pytest.raises(Invalid) as caught:
        services.match(actor=a, kind=KIND, import_id=pk, matching=matching)
    assert list(caught.value.errors) == ["column_name"]
    with pytest.raises(Invalid):
        services.match(actor=a, kind=KIND, import_id=pk, matching=matching | {"name": 1})
    services.match(actor=a, kind=KIND, import_id=pk, matching=matching | {"name": 0})
    later = services.upload(actor=a, kind=KIND, file=Upload(data))
    assert services.state(actor=a, kind=KIND, import_id=later).matching["name"] == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_the_encodings_that_occur(clerk, encoding):
    text = "花名册,,,\n姓名,性别,出生日期,社区\n张桂兰,女,1945.6.12,清华社区\n李四,男,2.1E+17,清华社区\n"
    state = checked(clerk, text.encode(encoding), "roster.csv")
    assert state.counts == {"rows": 2, "new": 1, "changed": 0, "unchanged": 0, "held": 0, "rejected": 1}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"PK\x03\x04 not a workbook", "a.xlsx"),
        (b"a,b\n1,2\n", "a.csv"),
        ("姓名,性别\n".encode(), "a.csv"),
        (b"", "a.xlsx"),
    ],
)
def test_unreadable_files_are_refused(staff, data, name):
    with pytest.raises(Invalid):
        services.upload(actor=staff("a"), kind=KIND, file=Upload(data, name))
    assert ImportBatch.objects.count() == 0


def test_the_template_reads_back(clerk):
    a = clerk
    name, content = services.template(actor=a, kind=KIND)
    assert name.endswith(".xlsx")
    assert CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()[0][0].endswith("*")
    state = checked(a, content, name)
    assert state.counts == {"rows": 0, "new": 0, "changed": 0, "unchanged": 0, "held": 0, "rejected": 0}
    assert None not in state.matching.values()


def id_number(n: int) -> str:
    day = date.fromordinal(date(1930, 1, 1).toordinal() + n)
    first = f"210802{day:%Y%m%d}{950 + n % 2}"
    return first + check_character(first)


def roster_of(count: int, fault_every: int) -> bytes:
    """``count`` rows, every ``fault_every``-th wrong in one of five ways."""
    rows = []
    for n in range(count):
        number = id_number(n)
        row = [
            f"张桂{chr(0x4E00 + n % 5000)}",
            "女" if n % 2 == 0 else "男",
            "",
            number,
            f"138{n:08d}",
            "清华社区",
            "独居",
            "低保",
        ]
        if n % fault_every == fault_every - 1:
            fault = n // fault_every % 5
            if fault == 0:
                row[3] = number[:-1] + ("0" if number[-1] != "0" else "1")
            elif fault == 1:
                row[5] = "没有的社区"
            elif fault == 2:
                row[0] = ""
            elif fault == 3:
                row[4] = "12"
            else:
                row[3] = float(number[:17] + "0")
        rows.append(row)
    return workbook(rows, ("姓名", "性别", "出生日期", "身份证号", "联系电话", "社区", "居住情况", "低保类别"))


def test_ten_thousand_rows_in_seconds(clerk):
    a = clerk
    data = roster_of(10_000, 33)
    started = time.monotonic()
    state = written(a, data)
    taken = time.monotonic() - started
    assert state.counts == {
        "rows": 10_000, "new": 9_697, "changed": 0, "unchanged": 0, "held": 0, "rejected": 303, "facts": 3 * 9_697, "contacts": 0,
    }  # fmt: skip
    assert (Person.objects.count(), PersonFact.objects.count()) == (9_697, 29_091)
    rejected = services.rejected(actor=a, kind=KIND, import_id=state.id)[1]
    assert len(CalamineWorkbook.from_filelike(io.BytesIO(rejected)).get_sheet_by_index(0).to_python()) == 304
    print(f"10,000 rows: {taken:.1f} s")  # noqa: T201
    assert taken < 60  # a slow shared machine; a few seconds as a rule


@pytest.mark.django_db(transaction=True)
def test_a_killed_import_has_done_nothing_and_starts_again(clerk):
    """Design rule 10: kill -9 in the middle of writing."""
    a = clerk
    state = checked(a, LIBRE.read_bytes())
    operation = services.commit(actor=a, kind=KIND, import_id=state.id)
    connections.close_all()
    child = os.fork()
    if child == 0:
        real = bulk.insert_rows

        def die(model, *rest, **same):
            if model is Contact:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(model, *rest, **same)

        bulk.insert_rows = die
        operations.run(operation)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert Operation.objects.get(pk=operation).state == "running"
    assert Person.objects.count() == PersonFact.objects.count() == 0
    assert ImportBatch.objects.get().state == "running"
    operations.run(operation)
    assert Operation.objects.get(pk=operation).state == "done"
    assert (Person.objects.count(), Contact.objects.count()) == (10, 1)
    assert services.state(actor=a, kind=KIND, import_id=state.id).step == "done"


def test_the_commit_uses_the_values_of_the_check_and_parses_what_was_wrong_again(clerk, monkeypatch):
    """Nothing but the parsing is kept: rows and problems are those of a fresh reading."""
    state = checked(clerk, LIBRE.read_bytes())
    with scope(clerk):
        batch = ImportBatch.objects.get(pk=state.id)
        definition = work.definition_of(clerk, batch)
        table = work.table_of(clerk, batch)
        fresh = definition.parse(replace(table, parsed=None), batch.matching)
        monkeypatch.setattr(importing._Column, "parse", lambda self, cell: pytest.fail("parsed again"))
        good = [i for i, kept in enumerate(table.parsed) if kept is not None]
        short = replace(table, rows=[table.rows[i] for i in good], parsed=[table.parsed[i] for i in good])
        assert definition.parse(short, batch.matching) == [row for row in fresh if not row.problems]
    assert 0 < len(good) < len(table.rows)


def test_a_failed_commit_can_be_started_again(clerk, monkeypatch):
    a = clerk
    state = checked(a, LIBRE.read_bytes())
    monkeypatch.setattr(bulk, "insert_rows", lambda *rest, **same: 1 / 0)
    operations.run(services.commit(actor=a, kind=KIND, import_id=state.id))
    again = services.state(actor=a, kind=KIND, import_id=state.id)
    assert (again.step, Person.objects.count()) == ("preview", 0)
    assert again.result
    monkeypatch.undo()
    operations.run(services.commit(actor=a, kind=KIND, import_id=state.id))
    assert Person.objects.count() == 10
