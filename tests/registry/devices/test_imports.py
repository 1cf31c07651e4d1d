"""Devices and bindings come in as workbooks; each wrong row is named (R-089)."""

import io
from datetime import date

import pytest
import xlsxwriter

from sangyu.kernel.identity import check_character
from sangyu.kernel.importing import at_once
from sangyu.kernel.importing.models import ImportProblem
from sangyu.registry.devices import selectors
from sangyu.registry.devices.models import Binding, Device, DeviceLog
from sangyu.registry.people import services as people
from sangyu.registry.people.models import Consent
from support.equipping import AGREED, NOW

pytestmark = pytest.mark.django_db
TODAY = date(2026, 10, 14)


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


class Quiet:
    """An operation that nobody watches."""

    def __getattr__(self, name):
        return lambda *args, **kwargs: None


def run(actor, kind, rows):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False})
    sheet = book.add_worksheet()
    for n, row in enumerate(rows):
        sheet.write_row(n, 0, row)
    book.close()
    file = io.BytesIO(out.getvalue())
    file.name = "设备.xlsx"
    return at_once.run(Quiet(), actor=actor, kind=kind, file=file, today=TODAY)


def id_number(n: int) -> str:
    first = f"21080219450612{900 + 2 * n}"
    return first + check_character(first)


def problems() -> set[tuple]:
    return set(ImportProblem.objects.values_list("row", "code"))


def test_a_list_of_devices(clerk, watch, staff):
    """A number stands once, also in another area; form errors name the cell."""
    head = ("型号", "设备号", "标签", "SIM卡号", "卡手机号", "月服务费", "付费方", "保修期至", "入库日期")
    run(
        clerk, "devices.stock",
        [
            head,
            ("SOS 定位手表（3G 协议）", "8800001001", "A-1", "89860000000000001001", "13900001001", "10", "政府", "2028-01-01", "2026-09-01"),
            ("watch-3g", 8800001002, "", "", "", "", "老人", "", ""),
            ("SOS 定位手表（3G 协议）", watch.identity, "", "", "", "", "", "", ""),
            ("SOS 定位手表（3G 协议）", "8800001001", "", "", "", "", "", "", ""),
            ("SOS 定位手表（3G 协议）", "12", "", "", "", "", "", "", ""),
            ("没有的型号", "8800001005", "", "", "", "", "", "", ""),
            ("watch-3g", "8800001006", "", "89860000000000000017", "", "", "", "", ""),
            ("watch-3g", "8800001007", "", "", "", "", "", "2020-01-01", "2026-09-01"),
        ],
    )  # fmt: skip
    made = list(
        Device.objects.exclude(pk=watch.pk)
        .order_by("identity")
        .values_list("identity", "payer", "service_fee", "state", "path")
    )
    assert made == [
        ("8800001001", "government", 1_000, "stock", clerk.path), ("8800001002", "elder", 0, "stock", clerk.path),
    ]  # fmt: skip
    assert problems() == {
        (4, "registered"), (5, "twice"), (6, "identity.form"), (7, "choice.unknown"), (8, "registered"), (9, "date.range"),
    }  # fmt: skip
    found = Device.objects.get(identity="8800001001")
    assert (found.iccid, found.sim_masked, found.warranty_until) == (
        "89860000000000001001",
        "139****1001",
        date(2028, 1, 1),
    )
    assert DeviceLog.objects.get(device=found).reason.endswith("第2行")


def test_a_list_of_bindings(clerk, bureau, receive, regions, issued):
    """ID number of the elder and number of the device; what is wrong is said, nothing of it is written."""
    elders = [
        people.register(
            actor=bureau, name=name, region_id=regions["a_one"].pk, source="x", id_number=id_number(n), today=TODAY
        )
        for n, name in enumerate(("赵一", "钱二", "孙三"))
    ]
    a, b, c, pendant = receive(), receive(), receive(), receive("pendant-h02")
    run(
        clerk, "devices.bindings",
        [
            ("姓名", "身份证号", "设备号", "发放日期", "位置授权", "健康授权", "押金"),
            ("赵一", id_number(0), a.identity, "2026-10-01", "是", "是", "100"),
            ("赵一", id_number(0), pendant.identity, "2026-10-01", "", "", ""),
            ("赵一", id_number(0), b.identity, "2026-10-01", "", "", ""),
            ("钱二", id_number(1), a.identity, "2026-10-01", "", "", ""),
            ("钱三", id_number(1), b.identity, "2026-10-01", "", "", ""),
            ("李四", id_number(7), b.identity, "2026-10-01", "", "", ""),
            ("孙三", id_number(2), issued.identity, "2026-10-01", "", "", ""),
            ("孙三", id_number(2), "8899999999", "2026-10-01", "", "", ""),
            ("孙三", id_number(2), c.identity, "2026-12-01", "", "", ""),
            ("钱二", id_number(1), b.identity, "2026-10-02", "否", "是", ""),
        ],
    )  # fmt: skip
    assert problems() == {
        (4, "twice"), (5, "twice"), (6, "disagrees"), (7, "unknown"), (8, "state"), (9, "device"), (10, "date.future"),
    }  # fmt: skip
    rows = (
        Binding.objects.exclude(device=issued)
        .order_by("device__identity")
        .values_list("device", "person", "deposit", "path")
    )
    path = regions["a_one"].path
    assert sorted(rows) == sorted([
        (a.pk, elders[0].pk, 10_000, path), (pendant.pk, elders[0].pk, 0, path), (b.pk, elders[1].pk, 0, path)
    ])  # fmt: skip
    a.refresh_from_db()
    assert (a.state, a.person_id, a.path) == ("issued", elders[0].pk, path)
    given = Consent.objects.filter(person__in=[e.pk for e in elders]).order_by("person_id", "purpose")
    assert list(given.values_list("person", "purpose", "proof")) == [
        (elders[0].pk, "health_data", "paper"), (elders[0].pk, "location", "paper"), (elders[1].pk, "health_data", "paper"),
    ]  # fmt: skip
    assert selectors.wearers([a.pk], at=NOW)[a.pk].consents == frozenset(AGREED)
    assert DeviceLog.objects.filter(device=a).values_list("action", "target").last() == ("issue", "issued")
