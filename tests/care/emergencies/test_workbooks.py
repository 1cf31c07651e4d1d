"""The roster of nights and opening hours come in and go out as workbooks (R-086)."""

import io
from datetime import date, datetime, time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone, translation
from django.utils.timezone import make_aware
from python_calamine import CalamineWorkbook

from sangyu.care.emergencies import hours, services
from sangyu.care.emergencies.models import Duty, Station
from sangyu.kernel.errors import BadValue
from sangyu.kernel.importing import at_once
from sangyu.kernel.importing.models import ImportProblem
from support.emergencies import NOW, facility, operator, signed_in
from support.pages import client_for
from support.world import make_regions

pytestmark = pytest.mark.django_db
TODAY = NOW.date()
WEEK = [(n, time(8), time(17)) for n in range(1, 6)]


class Quiet:
    """An operation that nobody watches."""

    def __getattr__(self, name):
        return lambda *args, **kwargs: None


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def bring(actor, kind: str, *rows: str):
    file = SimpleUploadedFile("list.csv", "\n".join(rows).encode())
    return at_once.run(Quiet(), actor=actor, kind=kind, file=file, today=TODAY).state.counts


def exported(client, address: str, head: str) -> list[str]:
    """Lines of an exported list from its heading on."""
    answer = client.get(f"{address}?export=1")
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    lines = [",".join(str(int(c) if isinstance(c, float) else c) for c in row) for row in rows]
    return lines[next(n for n, line in enumerate(lines) if head in line) :]


def problems() -> set:
    return set(ImportProblem.objects.values_list("row", "code"))


@pytest.mark.parametrize(
    ("written", "said", "found"),
    [
        ("周一至周五 08:00-17:00", "周一至周五 08:00–17:00", WEEK),
        ("工作日8：00～17：00；周六 9:00-12:00、13:00-16:00", "周一至周五 08:00–17:00；周六 09:00–12:00、13:00–16:00",
         [*WEEK, (6, time(9), time(12)), (6, time(13), time(16))]),
        ("每天全天", "每天 全天", [(n, time(0), time(0)) for n in range(1, 8)]),
        ("22:00-06:00", "每天 22:00–06:00", [(n, time(22), time(6)) for n in range(1, 8)]),
        ("星期一、三、五 09:00-11:30", "周一 09:00–11:30；周三 09:00–11:30；周五 09:00–11:30", [(n, time(9), time(11, 30)) for n in (1, 3, 5)]),
    ],
)  # fmt: skip
def test_hours_are_read_as_people_write_them(written, said, found):
    with translation.override("zh-hans"):
        assert (hours.read(written), hours.in_words(found)) == (found, said)
        assert hours.read(said) == found
    with translation.override("en"):
        assert hours.read(hours.in_words(found)) == found


@pytest.mark.parametrize("written", ["周一至周五", "随时", "周八 08:00-09:00", "25:00-26:00", "周一 8点到9点"])
def test_what_cannot_be_read_says_how_to_write_it(written):
    with pytest.raises(BadValue):
        hours.read(written)


@pytest.fixture(scope="module")
def desk(shared_rows):
    tree = make_regions()
    found = {
        "tree": tree, "one": operator(tree["a"], "王丽"), "two": operator(tree["a"], "赵敏"),
        "house": facility(tree["a_one"], "阳光驿站"), "away": facility(tree["b_one"], "外县驿站"),
    }  # fmt: skip
    for who in ("one", "two"):
        signed_in(found[who])
    return found


def test_a_roster_comes_in_and_what_stands_stays(desk):
    one, two, tree = desk["one"], desk["two"], desk["tree"]
    services.plan_nights(
        actor=one, region_id=tree["a"].pk, first=date(2026, 10, 20), last=date(2026, 10, 21), account_ids=[two.account_id], now=NOW
    )  # fmt: skip
    counts = bring(
        one, "emergencies.roster", "值班日期,值班人,顺序,地点,联系电话", "2026-10-18,王丽,,,13900001111", "2026-10-19 20:00,赵敏,2,阳光驿站,",
        "2026-10-20,赵敏,,,", "2026-10-21,王丽,,,", "2026-10-01,王丽,,,", "2026-10-22,没有人,,,", "2026-10-22,王丽,,无此地,", "2026-10-18,赵敏,,,",
    )  # fmt: skip
    assert (counts["new"], counts["unchanged"], counts["rejected"]) == (2, 1, 5)
    assert problems() == {(5, "roster"), (6, "date.past"), (7, "person"), (8, "region.unknown"), (9, "twice")}
    rows = Duty.objects.order_by("starts_at").values_list("account_name", "rank", "facility__name", "region__name")
    assert list(rows) == [
        ("王丽", 1, None, tree["a"].name),
        ("赵敏", 2, "阳光驿站", tree["a_one"].name),
        *[("赵敏", 1, None, tree["a"].name)] * 2,
    ]
    first = Duty.objects.order_by("starts_at")[0]
    assert (timezone.localdate(first.starts_at), first.contact) == (date(2026, 10, 18), "13900001111")
    assert first.starts_at > make_aware(datetime(2026, 10, 18, 17))
    again = exported(client_for(one), "/emergencies/roster/", "值班人,")
    counts = bring(one, "emergencies.roster", *again)
    assert (counts["unchanged"], counts["rejected"], Duty.objects.count()) == (4, 0, 4)


def test_opening_hours_come_in_go_out_and_come_in_again(desk):
    one, house = desk["one"], desk["house"]
    head = "机构,能否出动,开放时间,应急电话,提醒账号,备注"
    counts = bring(
        one, "emergencies.stations", head, "阳光驿站,是,周一至周五 08:00-17:00；周六 9:00-12:00,0417-1234567,王丽,", "外县驿站,,,,,", "阳光驿站,,,,,",
    )  # fmt: skip
    assert (counts["new"], counts["rejected"], problems()) == (1, 2, {(3, "facility"), (4, "twice")})
    station = Station.objects.get()
    assert (station.facility_id, station.telephone, station.account_id, station.path) == (
        house.pk,
        "0417-1234567",
        one.account_id,
        house.path,
    )
    assert station.hours.count() == 6
    client = client_for(one)
    page = client.get("/emergencies/stations/").text
    assert ("周一至周五 08:00–17:00；周六 09:00–12:00" in page, "stations/import/" in page) == (True, True)
    form = client.get(f"/emergencies/stations/{station.pk}/").text
    assert "周一至周五 08:00–17:00；周六 09:00–12:00" in form  # the form does not make them alike
    again = exported(client, "/emergencies/stations/", "设施,")
    assert bring(one, "emergencies.stations", *again)["unchanged"] == 1
    bring(one, "emergencies.stations", head, "阳光驿站,否,每天全天,,,夜间不出动")
    station.refresh_from_db()
    assert (station.takes_alarms, station.account_id, station.note, station.hours.count()) == (
        False,
        None,
        "夜间不出动",
        7,
    )
