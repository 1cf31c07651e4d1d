"""A messy roster for the import bench: rows × 20 columns, 3% of them wrong, a few registered already."""

import io
import random
from datetime import date

import xlsxwriter

from sangyu.kernel.identity import check_character

HEADINGS = [
    "姓名",
    "性别",
    "出生日期",
    "身份证号",
    "联系电话",
    "街道",
    "社区",
    "现住址",
    "户籍地址",
    "民族",
    "婚姻状况",
    "文化程度",
    "居住情况",
    "低保类别",
    "是否三无",
    "残疾等级",
    "失能等级",
    "紧急联系人",
    "联系人电话",
    "与老人关系",
]
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
GIVEN = (
    "桂兰秀英玉珍国强建华德福淑芬凤英素芬志明永康长春宝山文轩金凤丽华素珍玉兰桂芝秀珍淑华玉华桂英志强建国国栋德胜福来文革"
    "振兴庆丰凤仙翠花连生广田树林玉田春梅冬梅红霞"
)
COMMUNITIES = 40
FAULT_EVERY = 33


def number_of(n: int, dice: random.Random) -> tuple[str, date]:
    """A valid ID number that no other ``n`` has, and its birth date."""
    born = date.fromordinal(date(1930, 1, 1).toordinal() + n % 12_000)
    body = f"21080{2 + n // 12_000_000}{born:%Y%m%d}{n // 12_000 % 1000:03d}"
    return body + check_character(body), born


def rows_of(count: int, communities: list[str], *, start: int = 0, seed: int = 1):
    """Cells of ``count`` rows as a community writes them."""
    dice = random.Random(seed)
    for n in range(start, start + count):
        number, born = number_of(n, dice)
        man = int(number[16]) % 2
        name = dice.choice(SURNAMES) + dice.choice(GIVEN) + dice.choice(GIVEN)
        written = (
            f"{born.year}.{born.month}.{born.day}",
            f"{born:%Y年%m月%d日}",
            f"{born:%Y%m%d}",
            f"{born:%Y-%m-%d}",
        )
        row = [
            name,
            ("男" if man else "女", "1" if man else "2", "男性" if man else "女性")[n % 3],
            written[n % 4],
            number.lower() if n % 7 == 0 else number,
            f"138{n % 10**8:08d}" if n % 5 else f"139 {n % 10**4:04d} {n // 7 % 10**4:04d}",
            "站前街道",
            communities[n % len(communities)],
            f"清华路{n % 900 + 1}号{n % 30 + 1}单元",
            f"营口市站前区清华路{n % 900 + 1}号",
            ("汉族", "满族", "汉")[n % 3],
            ("已婚", "丧偶", "未婚")[n % 3],
            ("小学", "初中", "高中")[n % 3],
            ("独居", "空巢", "与家人同住", "独居老人")[n % 4],
            ("低保", "普通", "无", "低保边缘")[n % 4],
            "是" if n % 50 == 0 else "否",
            "肢体二级" if n % 10 == 0 else "无",
            ("自理", "半失能", "失能", "轻度失能")[n % 4],
            dice.choice(SURNAMES) + dice.choice(GIVEN),
            f"137{n % 10**8:08d}",
            ("儿子", "女儿", "配偶", "邻居")[n % 4],
        ]
        if n % FAULT_EVERY == FAULT_EVERY - 1:
            spoil(row, n // FAULT_EVERY % 5, number)
        yield row


def spoil(row: list, fault: int, number: str) -> None:
    """One of five faults that occur."""
    if fault == 0:
        row[3] = number[:-1] + ("0" if number[-1] != "0" else "1")
    elif fault == 1:
        row[6] = "没有的社区"
    elif fault == 2:
        row[0] = ""
    elif fault == 3:
        row[4] = "12"
    else:
        row[3] = float(number[:17] + "0")


def workbook(rows) -> bytes:
    """The rows as an xlsx file, all text but spoiled numbers."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_numbers": False})
    sheet = book.add_worksheet("花名册")
    sheet.write_row(0, 0, HEADINGS)
    for at, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, float):
                sheet.write_number(at, column, cell)
            elif cell:
                sheet.write_string(at, column, cell)
    book.close()
    return out.getvalue()
