"""Cells as people really write them (R-012, R-026): examples from rosters, and what must hold for any cell."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sangyu.kernel.errors import BadValue
from sangyu.kernel.identity import check_character
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.reading import Table, as_json, from_json, pack, unpack

FULL = str.maketrans("0123456789.", "０１２３４５６７８９．")
DAYS = st.dates(date(1900, 1, 1), date(2026, 1, 1))
TODAY = date(2026, 11, 1)
ID = "21080219410305993" + check_character("21080219410305993")


@pytest.mark.parametrize(
    "written",
    [
        "1941.3.5", "1941.03.05", "1941-3-5", "1941/3/5", "1941年3月5日", "1941年03月05号", "19410305", 19410305.0, "41.3.5",
        "41年3月5日", "四一年三月五日", "一九四一年三月五日", "１９４１．３．５", " 1941 . 3 . 5 ", "1941-03-05 00:00:00", 15040.0, 15040,
        date(1941, 3, 5), datetime(1941, 3, 5),
    ],
)  # fmt: skip
def test_dates_as_rosters_write_them(written):
    assert parsers.day(written) == date(1941, 3, 5)


@pytest.mark.parametrize(
    ("written", "day"), [("一九五〇年十二月二十日", date(1950, 12, 20)), ("二〇〇一年十月十一日", date(2001, 10, 11))]
)
def test_chinese_numerals(written, day):
    assert parsers.day(written) == day


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("农历1941年二月初八", "date.lunar"), ("1941年正月十五", "date.lunar"), ("阴历二月初八", "date.lunar"),
        ("四一年腊月廿三", "date.lunar"), ("1941", "date.form"), (1941.0, "date.form"), ("1941年", "date.form"),
        ("四一年", "date.form"), ("1941.3", "date.form"), ("1941.2.30", "date.none"), ("1941.13.1", "date.none"),
        ("不详", "date.form"), (True, "date.form"), ("3/5/1941", "date.form"),
    ],
)  # fmt: skip
def test_dates_that_are_refused_with_the_remedy(written, code):
    with pytest.raises(BadValue) as caught:
        parsers.day(written)
    assert caught.value.code == code
    assert caught.value.message


@given(
    DAYS,
    st.sampled_from(["{0.year}.{0.month}.{0.day}", "{0:%Y-%m-%d}", "{0:%Y%m%d}", "{0.year}年{0.month}月{0.day}日"]),
)
def test_any_day_in_any_form_and_width_is_read(day, form):
    written = form.format(day)
    assert parsers.day(written) == parsers.day(written.translate(FULL)) == day


@given(DAYS)
def test_serials_of_spreadsheets(day):
    serial = (day - date(1899, 12, 30)).days
    if not 1850 <= serial <= 2100:
        assert parsers.day(float(serial)) == day
    assert parsers.day(datetime.combine(day, datetime.min.time()) + timedelta(hours=1)) == day


@pytest.mark.parametrize("written", [ID, ID.lower(), ID.translate(FULL), f" {ID[:6]} {ID[6:14]} {ID[14:]} "])
def test_id_numbers_in_any_width_and_case(written):
    assert parsers.id_number(TODAY)(written).number == ID


@pytest.mark.parametrize(
    "written", [2.10802194103059e17, "2.10803E+17", "2.10803e17", "２．１０８０３Ｅ＋１７", 210802194103059900]
)
def test_id_numbers_that_became_numbers_are_refused(written):
    with pytest.raises(BadValue) as caught:
        parsers.id_number(TODAY)(written)
    assert caught.value.code == "id.number"


@given(st.integers(0, 16), st.integers(0, 9))
def test_a_wrong_digit_of_an_id_number_never_passes_as_the_same(at, digit):
    wrong = ID[:at] + str(digit) + ID[at + 1 :]
    if wrong == ID:
        return
    try:
        assert parsers.id_number(TODAY)(wrong).number != ID
    except BadValue as bad:
        assert bad.message  # noqa: PT017  both outcomes are right


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (13804170000.0, "13804170000"), ("138 0417 0000", "13804170000"), ("+86-13804170000", "13804170000"),
        ("13804170000（女儿）", None), ("0417-2812345", "0417-2812345"), (4172812345.0, "0417-2812345"),
        ("13804170000、13904170000", "13804170000"), ("１３８０４１７００００", "13804170000"),
    ],
)  # fmt: skip
def test_telephone_numbers(written, number):
    if number is None:
        with pytest.raises(BadValue):
            parsers.phone()(written)
    else:
        assert parsers.phone()(written) == number


CELLS = st.one_of(
    st.text(max_size=30), st.floats(), st.integers(), st.booleans(), st.dates(), st.datetimes(), st.just("1.23E+17")
)
ALL = [
    parsers.day, parsers.name, parsers.text(50), parsers.id_number(TODAY), parsers.phone(), parsers.SEX, parsers.YES_NO,
]  # fmt: skip


@given(CELLS)
def test_no_cell_breaks_a_parser(cell):
    for parser in ALL:
        try:
            parser(cell)
        except BadValue as bad:
            assert bad.message and bad.code  # noqa: PT017, PT018  both outcomes are right


@given(st.lists(st.lists(st.one_of(st.none(), st.text(max_size=8), st.floats(allow_nan=False), st.dates(), st.datetimes()), max_size=4), max_size=4))  # fmt: skip
def test_a_kept_table_reads_back_as_it_was(rows):
    table = Table(["甲", "乙"], 2, 0, [(n, cells) for n, cells in enumerate(rows, start=3)])
    back = unpack(pack(table))
    assert (back.headers, back.header_row, [tuple(r) for r in back.rows]) == (table.headers, 2, table.rows)
    assert [from_json(as_json({str(n): c for n, c in enumerate(cells)})) for _n, cells in table.rows] == [
        {str(n): c for n, c in enumerate(cells)} for _n, cells in table.rows
    ]
