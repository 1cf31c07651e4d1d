"""Writes roster_libreoffice.xlsx: ``python tests/data/make_roster.py``. Needs LibreOffice; the result is committed.

Twenty-one rows for the county 站前区 of the test tree, ten of them good: how people write, and what goes wrong.
"""

import subprocess
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def whole(first17: str) -> str:
    return first17 + "10X98765432"[sum(int(d) * w for d, w in zip(first17, WEIGHTS, strict=True)) % 11]


HEAD = (
    "序号 老人姓名 性别 出生年月日 身份证号码 联系电话 街道 社区（村） 家庭住址 居住情况 低保类别 三无 "
    "残疾等级 失能等级 紧急联系人 紧急联系人电话 与老人关系"
)
LAN = whole("21080219450612992")
FULL = str.maketrans("0123456789", "０１２３４５６７８９")
#: Cells: str = text, float = number, ("date", iso) = date.
ROWS = [
    ["张桂兰", "女", "1945.6.12", LAN, "138 0417 0000", "", "清华社区", "清华路12号"],
    ["李国强", "男", ("date", "1941-03-05"), whole("21080219410305993"), 13804170001.0, "", "清华社区", ""],
    ["买买提•吐尔逊", "1", "1938年1月2日", "", "", "", "胜利社区", ""],
    ["欧阳文轩", "M", "1950/7/8", whole("21080219500708991").lower().translate(FULL), "", "", "胜利社区", ""],
    ["王䶮", "F", 15000.0, "", "", "", "清华居委会", ""],
    ["单秀英", "", "", "210802430901992", "", "", "清华社区", ""],
    ["赵玉珍", "女性", "19400101", "", "0417-2812345", "", "210802001002", ""],
    ["刘凤英", "女", "1939-9-9", "", "", "站前街道", "胜利社区", "胜利街7号", "独居", "低保", "是",
     "肢体二级", "半失能", "李梅", "13904170002", "女儿"],
    ["陈素芬", "女", "1944.1.1", "", 4172812346.0, "", "胜利", "", "无"],
    ["孙玉珍", "女", "1943.1.1", "", "", "", "站前区站前街道胜利社区", ""],
    [],
    ["错一", "女", "1945.6.12", 210802194506129930.0, "", "", "清华社区", ""],
    ["错二", "女", "1945.6.12", LAN[:-1] + ("1" if LAN[-1] != "1" else "2"), "", "", "清华社区", ""],
    ["错三", "女", "1941.2.30", "", "", "", "清华社区", ""],
    ["错四", "女", "1941.2.3", "", "", "", "青华社区", ""],
    ["张桂兰", "女", "1945.6.12", LAN, "", "", "清华社区", ""],
    ["错六", "不男", "1941.2.3", "", "", "", "清华社区", ""],
    ["", "男", "1941.2.3", "", "", "", "清华社区", ""],
    ["错八", "男", "1941.2.3", whole("21080219410204993"), "", "", "清华社区", ""],
    ["错九", "男", "1941.2.3", "", "123", "", "清华社区", ""],
    ["错十", "男", "1941.2.3", "", "", "", "210803001001", ""],
    ["错十一", "男", "1941.2.3", "", "", "", "清华社区", "", "独剧"],
]  # fmt: skip


def cell(value) -> str:
    if isinstance(value, float):
        return f'<table:table-cell office:value-type="float" office:value="{value:.0f}"/>'
    if isinstance(value, tuple):
        return f'<table:table-cell table:style-name="d" office:value-type="date" office:date-value="{value[1]}"/>'
    if value == "":
        return "<table:table-cell/>"
    return f'<table:table-cell office:value-type="string"><text:p>{escape(value)}</text:p></table:table-cell>'


def main() -> None:
    rows = [["站前区老年人花名册"], ["填表人：", "测试"], HEAD.split()]
    rows += [[float(n), *row] if row else [] for n, row in enumerate(ROWS, start=1)]
    body = "".join(f"<table:table-row>{''.join(map(cell, r)) or '<table:table-cell/>'}</table:table-row>" for r in rows)
    space = "urn:oasis:names:tc:opendocument:xmlns"
    names = {"office": "office", "table": "table", "text": "text", "style": "style", "number": "datastyle"}
    spaces = " ".join(f'xmlns:{k}="{space}:{v}:1.0"' for k, v in names.items())
    style = (
        '<number:date-style style:name="n"><number:year number:style="long"/><number:text>-</number:text>'
        '<number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/>'
        '</number:date-style><style:style style:name="d" style:family="table-cell" style:data-style-name="n"/>'
    )
    document = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document {spaces} office:version="1.2" '
        'office:mimetype="application/vnd.oasis.opendocument.spreadsheet">'
        f"<office:automatic-styles>{style}</office:automatic-styles><office:body><office:spreadsheet>"
        f'<table:table table:name="花名册">{body}</table:table></office:spreadsheet></office:body></office:document>'
    )
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "roster_libreoffice.fods"
        source.write_text(document, encoding="utf-8")
        profile = f"-env:UserInstallation=file://{folder}/profile"
        subprocess.run(
            ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(here), str(source)], check=True
        )


if __name__ == "__main__":
    main()
