"""R-171: documents with number, validity and succession; published downwards; lists; import; refusals change nothing."""

import io
from dataclasses import replace
from datetime import date

import pytest
import xlsxwriter

from sangyu.kernel import operations
from sangyu.kernel.errors import Forbidden, Invalid, Refused
from sangyu.kernel.importing import services as importing
from sangyu.kernel.models import Change
from sangyu.kernel.scoping import scope
from sangyu.registry.documents import selectors, services
from sangyu.registry.documents.models import Document, ListLine
from support.pages import client_for

pytestmark = pytest.mark.django_db
GIVEN = {
    "number": "营民发〔2026〕3号", "title": "居家养老服务补贴办法", "issuer": "营口市民政局", "level": "city", "kind": "measures",
    "issued_on": date(2026, 1, 5), "valid_from": date(2026, 2, 1), "valid_to": None, "summary": "",
}  # fmt: skip


class Upload(io.BytesIO):
    name = "文件.xlsx"


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def test_a_successor_ends_the_document_before_it(staff):
    """R-171: validity follows succession; the history names who and what."""
    bureau = staff("city")
    old = services.add(actor=bureau, **GIVEN)
    new = services.add(
        actor=bureau, **{**GIVEN, "number": "营民发〔2027〕1号", "valid_from": date(2027, 1, 1)}, replaces=old.pk
    )
    with scope(bureau):
        old.refresh_from_db()
        assert (old.valid_to, old.last_day) == (date(2027, 1, 1), date(2026, 12, 31))
        assert [d.pk for d in selectors.documents(bureau, date(2026, 12, 31))] == [old.pk]
        assert [d.pk for d in selectors.documents(bureau, date(2027, 1, 1))] == [new.pk]
        assert selectors.by_number("营民发〔2027〕1号", bureau.path + "001").pk == new.pk
        assert Change.objects.filter(table_name="documents_document", row_id=old.pk, op="U").count() == 1


def test_refusals_change_nothing(staff):
    """A number stands once in a region; a county reads the city's document and cannot touch it."""
    bureau, county = staff("city"), staff("a")
    made = services.add(actor=bureau, **GIVEN)
    with pytest.raises(Invalid) as twice:
        services.add(actor=bureau, **GIVEN)
    assert list(twice.value.errors) == ["number"]
    with pytest.raises(Refused) as above:
        services.change(actor=county, document_id=made.pk, title="别的")
    assert above.value.code == "scope.above"
    with pytest.raises(Invalid):
        services.end(actor=bureau, document_id=made.pk, day=made.valid_from)
    with pytest.raises(Forbidden):
        services.add(actor=replace(bureau, permissions=frozenset({"documents.view"})), **{**GIVEN, "number": "2"})
    with scope(county):
        assert [d.title for d in selectors.documents(county)] == ["居家养老服务补贴办法"]


def test_lists_have_lines_and_others_do_not(staff):
    """R-171: the three lists say who is owed what, and name the policy that carries a line out."""
    bureau = staff("city")
    listed = services.add(actor=bureau, **{**GIVEN, "number": "清单", "kind": "basic_list"})
    other = services.add(actor=bureau, **GIVEN)
    line = services.add_line(
        actor=bureau, document_id=listed.pk, audience="80周岁以上老年人", name="高龄津贴", policy="advanced-age"
    )
    assert (line.number, line.path) == (1, bureau.path)
    with pytest.raises(Refused):
        services.add_line(actor=bureau, document_id=other.pk, audience="全体", name="体检")
    services.remove_line(actor=bureau, line_id=line.pk)
    with scope(bureau):
        assert ListLine.objects.count() == 0


def test_import_corrects_known_numbers(staff):
    """R-171: the register comes in as a workbook; a known number is corrected, not doubled."""
    bureau = replace(staff("city"), account_id=5)
    services.add(actor=bureau, **GIVEN)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    rows = [
        ("文号", "标题", "发文机关", "层级", "类别", "发文日期", "失效日期"),
        ("营民发〔2026〕3号", "居家养老服务补贴办法（修订）", "营口市民政局", "市", "办法", "2026-01-05", ""),
        ("辽民发〔2025〕9号", "养老服务条例实施意见", "辽宁省民政厅", "省", "意见", "2025-09-01", ""),
        ("坏〔2025〕1号", "倒着的日期", "某局", "市", "办法", "2025-09-01", "2025-01-01"),
    ]
    for n, row in enumerate(rows):
        sheet.write_row(n, 0, row)
    book.close()
    kind = "documents.register"
    pk = importing.upload(actor=bureau, kind=kind, file=Upload(buffer.getvalue()), settings={})
    importing.match(
        actor=bureau, kind=kind, import_id=pk, matching=importing.state(actor=bureau, kind=kind, import_id=pk).matching
    )
    operations.run(importing.commit(actor=bureau, kind=kind, import_id=pk))
    with scope(bureau):
        assert sorted(Document.objects.values_list("number", "title")) == [
            ("营民发〔2026〕3号", "居家养老服务补贴办法（修订）"),
            ("辽民发〔2025〕9号", "养老服务条例实施意见"),
        ]


def test_screens(staff):
    """List, document, form and refusal of the form, all on the real pages."""
    bureau = staff("city")
    made = services.add(actor=bureau, **GIVEN)
    client = client_for(bureau)
    assert "居家养老服务补贴办法" in client.get("/documents/?holds=now").content.decode()
    for tab in ("", "uses/", "lines/", "family/", "history/"):
        assert client.get(f"/documents/{made.pk}/{tab}").status_code == 200
    refused = client.post("/documents/new/", {**GIVEN, "last_day": "", "valid_to": ""})
    assert refused.status_code == 422
    with scope(bureau):
        assert Document.objects.count() == 1
    export = client.get("/documents/?export=1")
    assert export.status_code == 200
    assert "spreadsheet" in export["Content-Type"]
