"""Elders for the duplicates bench: a city with couples, twins and namesakes, and 2% of them registered a second time."""

import hashlib
import random
from datetime import date, timedelta

#: Share of rows that are second registrations, and of persons who have a twin.
TWICE, TWINS = 0.02, 0.002
COUNTIES, STREETS, COMMUNITIES = 6, 13, 10
ROADS = [
    "清华路",
    "建设街",
    "辽河大街",
    "渤海路",
    "学府路",
    "新兴街",
    "市府路",
    "光华路",
    "民生街",
    "东升路",
    "体育场路",
    "金牛山大街",
]
ALIKE = {"兰": "蓝", "英": "瑛", "国": "囯", "玉": "钰", "华": "桦", "珍": "贞", "福": "富", "德": "得", "文": "纹", "桂": "贵",
         "志": "智", "秀": "绣", "淑": "叔", "凤": "风", "云": "芸", "军": "君", "明": "铭", "林": "琳", "生": "升", "春": "椿"}  # fmt: skip
OTHER = "伟芳娜敏静丽强磊洋勇艳杰娟涛超霞平刚辉"
COLUMNS = [
    "id",
    "name",
    "pinyin",
    "initials",
    "sex",
    "birth_date",
    "id_kind",
    "id_number",
    "id_index",
    "id_tail",
    "phone",
    "phone_index",
    "phone_tail",
    "region_id",
    "path",
    "address",
    "registered_address",
    "ethnicity",
    "marriage",
    "education",
    "needs",
    "registered_on",
    "source",
    "completeness",
    "created_at",
    "updated_at",
]


def people(count: int, seed: int = 1):
    """(rows, pairs): dictionaries with id, and the true pairs {(first, second)}; the second half of the ids is mixed in."""
    from sangyu.runtime.demo import names

    dice = random.Random(seed)
    rows = []
    doubles = round(count * TWICE)
    serial = 0
    while len(rows) < count - doubles:
        serial += 1
        one = _elder(dice, names, serial)
        rows.append(one)
        if dice.random() < TWINS:
            serial += 1
            rows.append(_twin(dice, names, one, serial))
        elif dice.random() < 0.3:
            serial += 1
            rows.append(_spouse(dice, names, one, serial))
    rows = rows[: count - doubles]
    for original in dice.sample(rows, doubles):
        rows.append(_again(dice, original))
    order = list(range(len(rows)))
    dice.shuffle(order)
    for number, at in enumerate(order, 1):
        rows[at]["id"] = number
    pairs = {tuple(sorted((row["id"], row.pop("of")["id"]))) for row in rows if "of" in row}
    return rows, pairs


def _elder(dice, names, serial):
    sex = dice.choice("12")
    birth = date(1930, 1, 1) + timedelta(days=int(dice.triangular(0, 13_400, 12_500)))
    county, street, community = dice.randrange(COUNTIES), dice.randrange(STREETS), dice.randrange(COMMUNITIES)
    return {
        "sex": sex, "birth": birth, "name": names.draw(dice, sex, birth.year).text,
        "path": f"000001001{county:03d}{street:03d}{community:03d}", "address": _address(dice),
        "id_number": f"2108{county:02d}{birth:%Y%m%d}{serial % 10_000_000:07d}" if dice.random() < 0.92 else "",
        "phone": f"13{dice.randrange(10**9):09d}" if dice.random() < 0.85 else "",
    }  # fmt: skip


def _address(dice):
    return f"{dice.choice(ROADS)}{dice.randint(1, 200)}号{dice.randint(1, 30)}号楼{dice.randint(1, 6)}单元{dice.randint(1, 18)}0{dice.randint(1, 4)}室"


def _twin(dice, names, one, serial):
    """Same day, surname and home; another given name, often with one character in common; a number of their own."""
    two = dict(one)
    other = one["name"]
    while other == one["name"]:
        drawn = names.draw(dice, one["sex"], one["birth"].year).text[1:]
        given = one["name"][1:]
        other = one["name"][0] + (given[0] + drawn[-1] if len(given) == 2 and dice.random() < 0.5 else drawn)
    two["name"] = other
    two["id_number"] = (
        f"{one['id_number'][:14] or '21080219400101'}{serial % 10_000_000:07d}" if dice.random() < 0.92 else ""
    )
    if dice.random() < 0.6:
        two["phone"] = f"13{dice.randrange(10**9):09d}"
    return two


def _spouse(dice, names, one, serial):
    two = _elder(dice, names, serial)
    two |= {"path": one["path"], "address": one["address"], "sex": "1" if one["sex"] == "2" else "2"}
    two["name"] = names.draw(dice, two["sex"], two["birth"].year).text
    if dice.random() < 0.4:
        two["phone"] = one["phone"]
    return two


def _again(dice, original):
    """The same human being, as another list has it: without a number, with one to three faults."""
    row = dict(original, of=original)
    if dice.random() < 0.6 and original["id_number"]:
        original["id_number"] = ""  # the older file is the one without a number
    else:
        row["id_number"] = ""
    if dice.random() < 0.3:
        row["name"] = _misspelt(dice, row["name"])
    if dice.random() < 0.2:
        row["birth"] = _mistyped(dice, row["birth"])
    if dice.random() < 0.55:
        row["phone"] = "" if dice.random() < 0.35 else f"13{dice.randrange(10**9):09d}"
    if dice.random() < 0.6:
        row["address"] = _written_otherwise(dice, row["address"])
    if dice.random() < 0.1:  # moved, and the old community kept the file
        row["path"] = row["path"][:-3] + f"{dice.randrange(COMMUNITIES):03d}"
        row["address"] = _address(dice)
    if dice.random() < 0.01:
        row["sex"] = "1" if row["sex"] == "2" else "2"
    return row


def _misspelt(dice, name):
    kind, given = dice.random(), name[1:]
    if kind < 0.45:
        return name[0] + "".join(ALIKE.get(c, c) for c in given)
    if kind < 0.65 and len(given) == 2:
        return name[0] + given[::-1]
    if kind < 0.9:
        at = dice.randrange(len(given))
        return name[0] + given[:at] + dice.choice(OTHER) + given[at + 1 :]
    return name[:-1] if len(name) > 2 else name + dice.choice(OTHER)


def _mistyped(dice, birth):
    if birth.day <= 12 and dice.random() < 0.4:
        return birth.replace(month=birth.day, day=birth.month)
    for _try in range(9):
        text = list(f"{birth:%Y%m%d}")
        at = dice.choice((3, 3, 5, 6, 7, 7))
        text[at] = dice.choice("0123456789")
        try:
            wrong = date.fromisoformat(f"{''.join(text[:4])}-{''.join(text[4:6])}-{''.join(text[6:])}")
        except ValueError:
            continue
        if wrong != birth:
            return wrong
    return birth.replace(day=1)


def _written_otherwise(dice, address):
    if dice.random() < 0.2:
        return ""
    made = address.replace("号楼", "-").replace("单元", "-").replace("室", "") if dice.random() < 0.5 else address
    return ("营口市" + made) if dice.random() < 0.3 else made


def records(rows):
    """The rows as tuples in the order of COLUMNS, numbers sealed as the register keeps them (hashes stand for ciphertext)."""
    from sangyu.kernel.names import pinyin_of

    for r in rows:
        full, initials = pinyin_of(r["name"])
        number, phone = r["id_number"], r["phone"]
        yield (
            r["id"], r["name"], full, initials, r["sex"], r["birth"], "citizen" if number else "",
            _hash(number, 40), _hash(number, 16), _hash(number[-4:], 8), _hash(phone, 36), _hash(phone, 16),
            _hash(phone[-4:], 8), 1, r["path"], r["address"], "", "", "", "", "", date(2020, 1, 1), "bench", 50,
            "2026-01-01+08", "2026-01-01+08",
        )  # fmt: skip


def _hash(text: str, size: int):
    return hashlib.blake2b(text.encode(), digest_size=size).digest() if text else None
