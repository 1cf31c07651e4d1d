"""Personal names: cleaning, checking, and the pinyin under which they are found."""

import re
import unicodedata
from functools import lru_cache

from django.utils.translation import gettext as _

from .errors import BadValue

MAX_LENGTH = 50
#: Not NFKC, which would replace some rare characters by others.
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・･．.", "·"))

#: Readings of characters as surnames where the common reading is another one.
SURNAMES = {
    entry[0]: entry[1:]
    for entry in re.findall(
        r"\S+",
        "单shan 曾zeng 解xie 仇qiu 区ou 查zha 任ren 盖ge 朴piao 翟zhai 覃qin 乐yue 卜bu 缪miao 冼xian 员yun 种chong "
        "秘bi 召shao 那na 华hua 燕yan 繁po 折she 撒sa 逄pang 郇xun 乜nie 能nai 句gou 佴nai 令ling 长zhang 隗wei 过guo 都du",
    )
}
#: Surnames of two characters that are read differently from their parts.
DOUBLE_SURNAMES = {
    "尉迟": ["yu", "chi"],
    "万俟": ["mo", "qi"],
    "单于": ["chan", "yu"],
    "长孙": ["zhang", "sun"],
    "澹台": ["tan", "tai"],
    "令狐": ["ling", "hu"],
    "鲜于": ["xian", "yu"],
    "乐正": ["yue", "zheng"],
}


#: Names as nearly all are: nothing to clean.
_PLAIN = re.compile("[\u4e00-\u9fff]{2,6}")
_NOT_READ = re.compile(r"[\s·'-]")


def clean_name(text: str) -> str:
    """``text`` as a name: one kind of middle dot, no blanks between Chinese characters, rare characters kept.

    Raises BadValue when it is empty, longer than 50 characters, or holds digits or signs.
    """
    if _PLAIN.fullmatch(text):
        return text
    name = text.translate(_FULL_WIDTH).translate(_DOTS)
    name = re.sub(r"\s+", " ", name).strip(" ·")
    if not re.search(r"[A-Za-z]", name):
        name = name.replace(" ", "")
    name = re.sub(r" ?·+ ?", "·", name)
    if not name:
        raise BadValue(_("The name is missing."), code="name.empty")
    if len(name) > MAX_LENGTH:
        raise BadValue(_("A name has at most %(n)d characters.") % {"n": MAX_LENGTH}, code="name.long")
    wrong = [c for c in name if c not in "· '-" and unicodedata.category(c)[0] not in "LM" and not _private(c)]
    if wrong:
        raise BadValue(_("A name holds no “%(sign)s”. Write the name alone.") % {"sign": wrong[0]}, code="name.sign")
    return name


def _private(sign: str) -> bool:
    """Characters of the private use areas: how older systems wrote rare names."""
    return unicodedata.category(sign) == "Co"


@lru_cache(maxsize=200_000)  # names repeat, and an import asks twice for each
def pinyin_of(name: str) -> tuple[str, str]:
    """Pinyin without tones and its initials, lower case: 单桂兰 → ("shanguilan", "sgl"). Unknown characters stay."""
    from pypinyin import lazy_pinyin  # takes half a second to load

    if name[:2] in DOUBLE_SURNAMES:
        syllables = DOUBLE_SURNAMES[name[:2]] + lazy_pinyin(name[2:])
    elif name[:1] in SURNAMES:
        syllables = [SURNAMES[name[0]], *lazy_pinyin(name[1:])]
    else:
        syllables = lazy_pinyin(name)
    parts = [_NOT_READ.sub("", s).lower() for s in syllables]
    return "".join(parts)[:100], "".join(p[0] for p in parts if p)[:50]
