"""Personal names: cleaning, checking, and the pinyin under which they are found."""

import re
import unicodedata

from django.utils.translation import gettext as _

from .errors import BadValue

MAX_LENGTH = 50
_DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・･．.", "·"))

#: Readings of characters as surnames where the common reading is another one.
SURNAMES = {
    "单": "shan", "曾": "zeng", "解": "xie", "仇": "qiu", "区": "ou", "查": "zha", "任": "ren", "盖": "ge", "朴": "piao",
    "翟": "zhai", "覃": "qin", "尹": "yin", "乐": "yue", "卜": "bu", "缪": "miao", "冼": "xian", "员": "yun", "种": "chong",
    "秘": "bi", "召": "shao", "那": "na", "华": "hua", "洗": "xian", "宓": "mi", "燕": "yan", "繁": "po", "折": "she", "黑": "he",
    "撒": "sa", "逄": "pang", "郇": "xun", "乜": "nie", "能": "nai", "句": "gou", "晁": "chao", "佴": "nai", "令": "ling",
    "相": "xiang", "长": "zhang", "隗": "wei", "过": "guo", "都": "du", "盛": "sheng", "葛": "ge", "佘": "she", "车": "che",
}  # fmt: skip
#: Surnames of two characters that are read differently from their parts, or where the first part has an entry above.
DOUBLE_SURNAMES = {
    "尉迟": ["yu", "chi"], "万俟": ["mo", "qi"], "单于": ["chan", "yu"], "长孙": ["zhang", "sun"], "澹台": ["tan", "tai"],
    "令狐": ["ling", "hu"], "鲜于": ["xian", "yu"], "宗政": ["zong", "zheng"], "濮阳": ["pu", "yang"], "乐正": ["yue", "zheng"],
}  # fmt: skip


def clean_name(text: str) -> str:
    """``text`` as a name: one kind of middle dot, no blanks between Chinese characters, rare characters kept as they are.

    Raises BadValue when it is empty, longer than 50 characters, or holds digits or signs.
    """
    name = "".join(
        unicodedata.normalize("NFKC", c) if "\uff01" <= c <= "\uff5e" or c == "\u3000" else c for c in text
    ).translate(_DOTS)
    name = re.sub(r"\s+", " ", name).strip(" ·")
    if not re.search(r"[A-Za-z]", name):
        name = name.replace(" ", "")
    name = re.sub(r" ?·+ ?", "·", name)
    if not name:
        raise BadValue(_("The name is missing."), code="name.empty")
    if len(name) > MAX_LENGTH:
        raise BadValue(_("A name has at most %(n)d characters.") % {"n": MAX_LENGTH}, code="name.long")
    wrong = [
        c for c in name if not (c in "· '-" or unicodedata.category(c)[0] in "LM" or unicodedata.category(c) == "Co")
    ]
    if wrong:
        raise BadValue(_("A name holds no “%(sign)s”. Write the name alone.") % {"sign": wrong[0]}, code="name.sign")
    return name


def pinyin_of(name: str) -> tuple[str, str]:
    """Full pinyin without tones and the initials, lower case: 单桂兰 → ("shanguilan", "sgl"). Unknown characters stay."""
    from pypinyin import lazy_pinyin  # takes half a second to load

    if name[:2] in DOUBLE_SURNAMES:
        syllables = DOUBLE_SURNAMES[name[:2]] + lazy_pinyin(name[2:])
    elif name[:1] in SURNAMES:
        syllables = [SURNAMES[name[0]], *lazy_pinyin(name[1:])]
    else:
        syllables = lazy_pinyin(name)
    parts = [re.sub(r"[\s·'-]", "", s).lower() for s in syllables]
    return "".join(parts)[:100], "".join(p[0] for p in parts if p)[:50]
