"""Identity numbers, telephone numbers, names, masks, encryption (standards §4 and §6.4)."""

from datetime import date

import pytest

from sangyu.kernel import crypto, identity
from sangyu.kernel.errors import BadValue
from sangyu.kernel.identity import IdKind, parse_id_number, parse_phone
from sangyu.kernel.names import clean_name, pinyin_of

TODAY = date(2026, 11, 21)


def test_the_example_of_the_standard():
    found = parse_id_number("11010519491231002x", today=TODAY)
    assert (found.number, found.kind, found.birth_date, found.sex) == (
        "11010519491231002X",
        IdKind.CITIZEN,
        date(1949, 12, 31),
        "2",
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"),
        (" 110105 19491231 002X ", "11010519491231002X"),
        ("110105491231002", "11010519491231002X"),
    ],
)
def test_ways_of_writing(text, number):
    assert parse_id_number(text, today=TODAY).number == number


@pytest.mark.parametrize("birth", ["19250101", "19821231", "19491001", "18970101"])
def test_births_of_elders_are_accepted(birth):
    first = "210802" + birth + "995"
    assert parse_id_number(first + identity.check_character(first), today=TODAY).birth_date.year == int(birth[:4])


def whole(first17: str) -> str:
    return first17 + identity.check_character(first17)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("110105194912310021", "id.check"),
        ("1101051949123100", "id.length"),
        ("1.10105194912310E+17", "id.length"),
        (whole("99010519491231002"), None),
        (whole("16010519491231002"), "id.province"),
        (whole("11010519490231002"), "id.date"),
        (whole("11010520491231002"), "id.future"),
        (whole("11010518951121002"), "id.age"),
    ],
)
def test_wrong_numbers_say_why(number, code):
    if code is None:
        assert parse_id_number(number, today=TODAY).kind == IdKind.FOREIGN
        return
    with pytest.raises(BadValue) as caught:
        parse_id_number(number, today=TODAY)
    assert caught.value.code == code


def test_permits_and_permanent_residence_cards():
    assert parse_id_number(whole("81000019500101001"), today=TODAY).kind == IdKind.HMT
    assert parse_id_number(whole("83000019500101002"), today=TODAY).sex == "2"
    old = parse_id_number("USA210050010112", today=TODAY)
    assert (old.kind, old.birth_date, old.sex) == (IdKind.FOREIGN, date(1950, 1, 1), None)


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("138 0417 0000", "13804170000"),
        ("+86 13804170000", "13804170000"),
        ("１３８０４１７００００", "13804170000"),
        ("(0417)2812345", "0417-2812345"),
        ("010-62345678", "010-62345678"),
        ("04172812345", "0417-2812345"),
        ("0417—2812345", "0417-2812345"),
    ],
)
def test_phones(text, phone):
    assert parse_phone(text) == phone


@pytest.mark.parametrize(
    ("text", "code"), [("2812345", "phone.area"), ("1380417000", "phone.form"), ("无", "phone.form")]
)
def test_wrong_phones(text, code):
    with pytest.raises(BadValue) as caught:
        parse_phone(text)
    assert caught.value.code == code


def test_a_local_number_takes_the_area_code_of_its_city():
    assert parse_phone("2812345", area_code="0417") == "0417-2812345"


def test_masks():
    assert identity.mask_name("张德福") == "张*"
    assert identity.mask_id_number("11010519491231002X") == "110105********002X"
    assert identity.mask_phone("13804170000") == "138****0000"
    assert identity.mask_phone("0417-2812345") == "0417-28****5"
    assert [identity.mask_name(""), identity.mask_id_number(""), identity.mask_phone("")] == ["", "", ""]


def test_age_turns_on_the_birthday():
    """R-013: sixty today is sixty today, not yesterday."""
    assert identity.age_on(date(1966, 11, 21), TODAY) == 60
    assert identity.age_on(date(1966, 11, 22), TODAY) == 59
    assert identity.born_by(60, TODAY) == date(1966, 11, 21)
    assert identity.born_by(60, date(2024, 2, 29)) == date(1964, 2, 29)
    assert identity.born_by(61, date(2024, 2, 29)) == date(1963, 2, 28)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("张 桂 兰", "张桂兰"),
        ("买买提•吐尔逊", "买买提·吐尔逊"),
        ("阿依古丽．买合木提", "阿依古丽·买合木提"),
        ("王䶮", "王䶮"),
        ("李𬭛", "李𬭛"),
        ("John  Smith", "John Smith"),
    ],
)
def test_names(text, name):
    assert clean_name(text) == name


@pytest.mark.parametrize(
    ("text", "code"), [("", "name.empty"), ("张三1", "name.sign"), ("张(大)", "name.sign"), ("张" * 51, "name.long")]
)
def test_wrong_names(text, code):
    with pytest.raises(BadValue) as caught:
        clean_name(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("name", "full", "initials"),
    [
        ("单桂兰", "shanguilan", "sgl"),
        ("曾国强", "zengguoqiang", "zgq"),
        ("单于丹", "chanyudan", "cyd"),
        ("欧阳文轩", "ouyangwenxuan", "oywx"),
        ("买买提·吐尔逊", "maimaitituerxun", "mmttex"),
        ("吕淑华", "lvshuhua", "lsh"),
        ("仇解", "qiujie", "qj"),
    ],
)
def test_pinyin(name, full, initials):
    assert pinyin_of(name) == (full, initials)


def test_encryption_and_rotation(settings):
    settings.SANGYU_KEYS = {"1": "6b" * 32}
    old = crypto.encrypt("11010519491231002X", "people.person.id_number")
    assert b"1101" not in old
    assert crypto.encrypt("11010519491231002X", "people.person.id_number") != old
    settings.SANGYU_KEYS = {"1": "6b" * 32, "2026-11": "7c" * 32}
    new = crypto.encrypt("x", "a.b")
    assert (crypto.key_id_of(old), crypto.key_id_of(new)) == ("1", "2026-11")
    assert crypto.decrypt(old, "people.person.id_number") == "11010519491231002X"
    with pytest.raises(crypto.CannotDecrypt):
        crypto.decrypt(old, "people.person.phone")
    with pytest.raises(crypto.CannotDecrypt):
        crypto.decrypt(old[:-1] + bytes([old[-1] ^ 1]), "people.person.id_number")
    settings.SANGYU_KEYS = {"2026-11": "7c" * 32}
    with pytest.raises(crypto.CannotDecrypt, match="key '1'"):
        crypto.decrypt(old, "people.person.id_number")


def test_blind_index_differs_by_purpose_and_key(settings):
    one = crypto.blind_index("13804170000", "phone")
    assert len(one) == 16
    assert one == crypto.blind_index("13804170000", "phone")
    assert one != crypto.blind_index("13804170000", "id")
    assert len(crypto.tail_index("13804170000", "phone")) == 8
    assert crypto.tail_index("138", "phone") is None
    assert crypto.blind_index("", "phone") is None
    settings.SANGYU_INDEX_KEY = "70" * 32
    assert one != crypto.blind_index("13804170000", "phone")
