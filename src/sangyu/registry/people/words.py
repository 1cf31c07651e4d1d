"""The words that rosters use for coded values."""

import re
from typing import Any

from django.utils.translation import gettext as _

from sangyu.kernel.errors import BadValue
from sangyu.kernel.identity import half_width
from sangyu.kernel.importing.parsers import choice, text_of

from .enums import FactKind


def _words(by_value: dict[str, str]) -> dict[str, str]:
    """word → value, from value → words with blanks between."""
    return {word: value for value, words in by_value.items() for word in words.split()}


NOTHING = ("无", "否", "不详", "未知", "未评估", "none")

LIVING = _words(
    {
        "alone": "独居 独居老人 一人居住 单独居住 alone",
        "empty_nest": "空巢 空巢老人 夫妻同住 与配偶同住",
        "with_family": "与家人同住 与子女同住 与子女共同居住 家人同住",
        "with_carer": "与保姆同住 与护理人员同住",
        "left_behind": "留守 留守老人",
        "other": "其他",
    }
)

INCOME = _words(
    {
        "destitute_central": "特困供养（集中） 集中供养特困 特困集中 集中特困",
        "destitute_home": "特困供养（分散） 分散供养特困 特困分散 分散特困 特困 特困供养 特困人员",
        "minimum_living": "低保 城市低保 农村低保 低保户 最低生活保障",
        "near_minimum": "低保边缘 低保边缘户 低收入 低边",
        "ordinary": "普通 一般 正常 非低保 ordinary",
    }
)

CARE_LEVELS = _words(
    {
        "0": "能力完好 完好 自理 能自理 全自理 0 0级",
        "1": "轻度失能 轻度 1 1级",
        "2": "中度失能 中度 半失能 半自理 2 2级",
        "3": "重度失能 重度 失能 不能自理 3 3级",
        "4": "完全失能 完全 全失能 4 4级",
    }
)

RELATIONS = _words(
    {
        "1": "配偶 妻子 丈夫 老伴 夫妻",
        "2": "儿子 子 长子 次子",
        "3": "女儿 女 长女 次女",
        "4": "孙子 孙女 外孙 外孙女",
        "5": "父母",
        "7": "兄弟 姐妹 哥哥 弟弟 姐姐 妹妹",
        "8": "儿媳 女婿 侄子 侄女 外甥 亲属 其他亲属 其他",
        "91": "邻居",
        "92": "护工 保姆",
        "93": "社区 社区工作人员 网格员",
        "94": "朋友",
    }
)

MARRIAGE = _words(
    {
        "10": "未婚 10",
        "20": "已婚 有配偶 在婚 20",
        "21": "初婚 21",
        "22": "再婚 22",
        "23": "复婚 23",
        "30": "丧偶 30",
        "40": "离婚 离异 离婚后未再婚 40",
        "90": "未说明的婚姻状况 90",
    }
)

EDUCATION = _words(
    {
        "10": "研究生 硕士 博士 10",
        "20": "本科 大学 大学本科 20",
        "30": "大专 专科 大学专科 30",
        "40": "中专 中等职业 技校 中技 40",
        "60": "高中 普通高中 60",
        "70": "初中 70",
        "80": "小学 80",
        "90": "文盲 不识字 半文盲 未上学 其他 90",
    }
)

_ETHNICITIES = [
    "汉",
    "蒙古",
    "回",
    "藏",
    "维吾尔",
    "苗",
    "彝",
    "壮",
    "布依",
    "朝鲜",
    "满",
    "侗",
    "瑶",
    "白",
    "土家",
    "哈尼",
    "哈萨克",
    "傣",
    "黎",
    "傈僳",
    "佤",
    "畲",
    "高山",
    "拉祜",
    "水",
    "东乡",
    "纳西",
    "景颇",
    "柯尔克孜",
    "土",
    "达斡尔",
    "仫佬",
    "羌",
    "布朗",
    "撒拉",
    "毛南",
    "仡佬",
    "锡伯",
    "阿昌",
    "普米",
    "塔吉克",
    "怒",
    "乌孜别克",
    "俄罗斯",
    "鄂温克",
    "德昂",
    "保安",
    "裕固",
    "京",
    "塔塔尔",
    "独龙",
    "鄂伦春",
    "赫哲",
    "门巴",
    "珞巴",
    "基诺",
]
#: Codes of GB/T 3304, by code, by name and with 族.
ETHNICITIES = {
    word: f"{n:02d}" for n, name in enumerate(_ETHNICITIES, start=1) for word in (name, f"{name}族", f"{n:02d}")
}

CHOICES = {
    "marriage": ("未婚", "已婚", "丧偶", "离婚"),
    "education": ("小学", "初中", "高中", "中专", "大专", "本科", "研究生", "文盲"),
    "living": ("独居", "空巢", "与家人同住", "留守", "其他"),
    "income": ("低保", "低保边缘", "特困供养（分散）", "特困供养（集中）", "普通"),
    "care_level": ("能力完好", "轻度失能", "中度失能", "重度失能", "完全失能"),
    "relation": ("配偶", "儿子", "女儿", "其他亲属", "邻居"),
}
#: Headings that rosters use, by field.
HEADINGS = {
    field: tuple(words.split())
    for field, words in {
        "name": "姓名 老人姓名 老年人姓名",
        "sex": "性别",
        "birth_date": "出生日期 出生年月 出生年月日 生日",
        "id_number": "身份证号 身份证 身份证号码 公民身份号码 证件号码 证件号",
        "phone": "联系电话 电话 手机 手机号 手机号码 本人电话 联系方式",
        "street": "街道 乡镇 镇街 街道乡镇 所属街道",
        "region": "社区 村 社区村 村社区 所属社区 所在区划 区划 村居 居委会 社区代码 区划代码",
        "address": "住址 现住址 居住地址 家庭住址 详细地址 家庭地址 现居住地",
        "registered_address": "户籍地址 户口所在地 户籍所在地",
        "ethnicity": "民族",
        "marriage": "婚姻状况 婚姻 婚姻情况",
        "education": "文化程度 学历 教育程度",
        "living": "居住情况 居住状况 居住方式",
        "income": "经济状况 低保类别 困难类型 收入类别 救助类别 人员类别",
        "three_no": "三无 是否三无 三无老人",
        "disability": "残疾 残疾等级 残疾类别等级 残疾情况",
        "care_level": "能力等级 失能等级 失能情况 失能程度 自理能力 照护等级",
        "contact_name": "联系人 联系人姓名 紧急联系人 家属姓名 监护人",
        "contact_phone": "联系人电话 紧急联系电话 紧急联系人电话 家属电话 监护人电话 联系人手机",
        "contact_relation": "与老人关系 关系 联系人关系 与本人关系",
    }.items()
}

_CATEGORIES = {
    "视力": "1", "听力": "2", "言语": "3", "语言": "3", "肢体": "4", "智力": "5", "精神": "6", "多重": "7",
}  # fmt: skip
_GRADES = {"一": "1", "二": "2", "三": "3", "四": "4", "1": "1", "2": "2", "3": "3", "4": "4"}


def disability(cell: Any) -> str:
    """ "肢体二级", "视力残疾1级", "4-2" → "4-2"; "无" → ''."""
    written = re.sub(r"\s", "", half_width(text_of(cell)))
    if written in NOTHING or written == "健全":
        return ""
    if re.fullmatch(r"[1-7]-?[1-4]", written):
        return f"{written[0]}-{written[-1]}"
    category = next((code for word, code in _CATEGORIES.items() if word in written), None)
    grade = re.search(r"([一二三四1-4])级", written)
    if category is None or grade is None:
        raise BadValue(_("Write the category and the grade, for example 肢体二级."), code="disability.form")
    return f"{category}-{_GRADES[grade[1]]}"


_SPECIAL = _words(
    {
        "disabled_soldier": "残疾军人 伤残军人 伤残军人（警察）",
        "fallen_dependant": "烈属 烈士遗属 三属 因公牺牲军人遗属 病故军人遗属",
        "returned_veteran": "复员军人 在乡复员军人 带病回乡退伍军人",
        "war_veteran": "参战 参战退役人员 参战老兵 抗战老兵",
        "other": "优抚对象 重点优抚对象 其他优抚 其他",
    }
)
_STATUS = {
    FactKind.INCOME_CATEGORY: choice(INCOME, none=NOTHING),
    FactKind.SPECIAL_GROUP: choice(_SPECIAL, none=NOTHING),
    FactKind.DISABILITY: disability,
}


def read_status(kind: str, cell: Any) -> str:
    """The value of the fact ``kind`` that a list's cell means; "" when it says nothing more than that it holds."""
    parser = _STATUS.get(kind)
    return parser(cell) if parser else ""
