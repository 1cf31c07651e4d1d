"""Import of organisations and price lists (R-006, R-067, design rule 11)."""

import io
from dataclasses import replace
from datetime import date

import pytest
import xlsxwriter

from sangyu.kernel import operations
from sangyu.kernel.importing import services as importing
from sangyu.registry.organisations import services
from sangyu.registry.organisations.models import Organisation, Price

from .conftest import TODAY, credit_code

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(staff):
    return replace(staff("city"), account_id=7)


def workbook(headings, *rows):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for at, cells in enumerate([headings, *rows]):
        sheet.write_row(at, 0, cells)
    book.close()
    made = io.BytesIO(out.getvalue())
    made.name = "list.xlsx"
    return made


def checked(actor, kind, file):
    pk = importing.upload(actor=actor, kind=kind, file=file)
    matching = importing.state(actor=actor, kind=kind, import_id=pk).matching
    return importing.match(actor=actor, kind=kind, import_id=pk, matching=matching)


def committed(actor, kind, state):
    operations.run(importing.commit(actor=actor, kind=kind, import_id=state.id))
    return importing.state(actor=actor, kind=kind, import_id=state.id)


def test_organisations_come_in_as_drafts_and_wrong_rows_say_why(regions, clerk, organisation):
    organisation()  # holds code 1
    file = workbook(
        ("机构名称", "机构性质", "统一社会信用代码", "责任区域", "联系电话"),
        ("甲公司", "企业", credit_code(51), "站前区", "0417-2812345"),
        ("乙队", "志愿服务队", "", "210803000000", ""),
        ("丙公司", "企业", credit_code(51), "站前区", ""),
        ("丁公司", "企业", credit_code(1), "站前区", ""),
        ("戊公司", "企业", credit_code(52), "大石桥", ""),
        ("己公司", "企业", "91350100M000100Y44", "站前区", ""),
        ("庚公司", "行会", credit_code(53), "站前区", ""),
    )
    state = checked(clerk, "organisations.register", file)
    assert [(p.row, p.column) for p in state.problems] == [
        (4, "统一社会信用代码"),
        (5, "统一社会信用代码"),
        (6, "责任区域"),
        (7, "统一社会信用代码"),
        (8, "机构性质"),
    ]
    assert Organisation.objects.count() == 1
    committed(clerk, "organisations.register", state)
    made = Organisation.objects.filter(state="draft").order_by("id")
    assert list(made.values_list("name", "legal_form", "path", "phone", "initials")) == [
        ("甲公司", "enterprise", regions["a"].path, "0417-2812345", "jgs"),
        ("乙队", "volunteer_team", regions["b"].path, "", "yd"),
    ]


def test_a_price_list_fills_contracts_and_market_prices(regions, staff, clerk, organisation, item):
    item("cleaning")
    row = organisation()
    services.draft_contract(
        actor=staff("city"),
        region=regions["city"],
        organisation_id=row.pk,
        number="HT-1",
        title="购买服务",
        valid_from=date(2026, 4, 1),
        valid_to=date(2027, 4, 1),
    )
    headings = ("合同编号", "服务机构", "服务项目", "单价", "起始日期", "最后一天")
    file = workbook(
        headings,
        ("HT-1", "", "cleaning", 20, "2026-04-01", ""),
        ("", "机构1", "cleaning", "25.50", "2026-03-02", "2026-12-31"),
        ("HT-9", "", "cleaning", 20, "2026-04-01", ""),
        ("HT-1", "", "没有", 20, "2026-04-01", ""),
        ("HT-1", "", "cleaning", "两元", "2026-04-01", ""),
        ("HT-1", "", "cleaning", 20, "2026-03-31", ""),
        ("HT-1", "", "cleaning", 20, "2026-05-01", "2027-04-01"),
        ("", "谁", "cleaning", 20, "2026-04-01", ""),
    )
    state = checked(clerk, "organisations.prices", file)
    assert [(p.row, p.column) for p in state.problems] == [
        (4, "合同编号"),
        (5, "服务项目"),
        (6, "单价"),
        (7, "起始日期"),
        (8, "最后一天"),
        (9, "服务机构"),
    ]
    assert Price.objects.count() == 0
    committed(clerk, "organisations.prices", state)
    assert list(
        Price.objects.order_by("id").values_list("contract__number", "unit_price", "valid_from", "valid_to")
    ) == [
        (None, 2550, TODAY, date(2027, 1, 1)),
        ("HT-1", 2000, date(2026, 4, 1), date(2027, 4, 1)),
    ]
