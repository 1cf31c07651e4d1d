"""Names of demo people: surname weights of the ``mingzi`` package with given names as they were given by decade and sex."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from random import Random

from sangyu.kernel.names import pinyin_of

from .shares import Wheel

#: First decade → (whole given names, first characters, second characters, single characters, share of single ones).
_MEN = {
    1920: (
        "德福 德山 长山 振东 万福 广财 玉山 永福",
        "德 广 万 永 振 长 玉 福 殿 庆 凤 洪",
        "山 福 财 贵 林 海 才 有 春 臣 祥 海",
        "",
        0.0,
    ),
    1940: (
        "建国 国栋 振国 永贵 德发 玉林 志强 宝山 长林 福生",
        "德 国 永 志 振 玉 宝 长 福 洪 庆 文",
        "国 林 山 贵 发 生 华 春 义 江 军 成",
        "",
        0.0,
    ),
    1950: (
        "建国 建华 国庆 卫东 志刚 永胜 国良 立新 援朝 跃进",
        "建 国 志 永 文 立 卫 宝 洪 学 德 世",
        "国 华 军 民 平 明 生 忠 义 田 库 斌",
        "军 平 刚 明",
        0.04,
    ),
    1960: (
        "建军 卫国 志伟 红军 国强 文革 立军 海涛 永刚 志明",
        "建 志 文 国 海 立 洪 永 春 卫 晓 玉",
        "军 伟 强 明 东 涛 刚 利 峰 平 民 辉",
        "军 伟 勇 刚 斌 涛 辉 杰",
        0.16,
    ),
    1980: (
        "志强 海波 晓东 国强 大勇 文博 立新 鹏飞",
        "志 海 晓 文 大 立 永 春 建 洪 宏 玉",
        "强 波 东 勇 鹏 超 宇 涛 峰 龙 飞 亮",
        "伟 磊 强 鹏 超 勇 波 亮 洋",
        0.3,
    ),
}
_WOMEN = {
    1920: (
        "桂兰 秀英 玉珍 素珍 淑贤 桂英 凤英 淑琴",
        "桂 秀 玉 淑 素 凤 金 贵 翠 月",
        "兰 英 珍 芝 贤 琴 芬 云 香 荣",
        "",
        0.0,
    ),
    1940: (
        "桂兰 秀英 桂英 玉兰 淑珍 秀兰 凤兰 玉梅 桂芝 素华",
        "桂 秀 玉 淑 素 凤 金 春 桂 翠 亚 丽",
        "兰 英 珍 芳 华 琴 芬 荣 梅 云 霞 芝",
        "",
        0.0,
    ),
    1950: (
        "淑芬 桂荣 秀华 玉芹 淑华 丽华 素芬 亚琴 金凤 桂珍",
        "淑 桂 秀 玉 丽 素 亚 金 春 凤 艳 晓",
        "芬 华 荣 芹 珍 霞 英 兰 杰 萍 云 梅",
        "敏 萍 霞 杰",
        0.03,
    ),
    1960: (
        "丽华 晓红 淑梅 艳华 丽娟 秀丽 红梅 玉华 春梅 亚杰",
        "丽 艳 淑 秀 晓 玉 红 春 亚 桂 海 凤",
        "华 梅 红 娟 丽 艳 萍 霞 敏 杰 英 玲",
        "红 丽 敏 艳 萍 霞 静 玲 梅",
        0.14,
    ),
    1980: (
        "海燕 丽娜 晓丽 婷婷 春艳 丹丹 红艳 晶晶",
        "晓 丽 海 春 艳 红 文 雪 佳 玉 美 慧",
        "丽 燕 娜 艳 梅 玲 杰 娟 红 敏 霞 婷",
        "丹 静 娜 丽 艳 婷 雪 莹 颖",
        0.28,
    ),
}


@dataclass(frozen=True, slots=True)
class Name:
    """A name with the pinyin and initials under which the register finds it."""

    text: str
    pinyin: str
    initials: str


@cache
def _reading(part: str) -> tuple[str, str]:
    return pinyin_of(part)


@cache
def _given_reading(given: str) -> tuple[str, str]:
    """Reading of a given name: behind a surname, so that its first character is not read as one."""
    full, initials = pinyin_of("王" + given)
    return full.removeprefix("wang"), initials[1:]


@cache
def _surnames() -> tuple[Wheel[str], list[str]]:
    data = json.loads(resources.files("mingzi").joinpath("data.json").read_text(encoding="utf-8"))
    return Wheel(list(data["surname"]), list(data["surname"].values())), data["com_surname"]


@cache
def _given(sex: str, decade: int) -> Wheel[str]:
    """Given names with cumulative weights: the well-known ones often, combinations seldom, single characters by their share."""
    known, first, second, single, share = (_MEN if sex == "1" else _WOMEN)[decade]
    known, single = known.split(), single.split()
    combined = sorted({a + b for a in first.split() for b in second.split() if a != b} - set(known))
    weights = [0.35 * (1 - share) / len(known)] * len(known) + [0.65 * (1 - share) / len(combined)] * len(combined)
    weights += [share / len(single)] * len(single) if single else []
    return Wheel(known + combined + single, weights)


def draw_surname(rng: Random) -> str:
    """A surname by its weight; one in a thousand has two characters."""
    single, double = _surnames()
    return rng.choice(double) if rng.random() < 0.001 else single.spin(rng)


def draw_given(rng: Random, sex: str, born: int) -> str:
    """A given name as it was given to a child of ``sex`` ('1' man, '2' woman) in the year ``born``."""
    decade = (
        1980 if born >= 1975 else 1960 if born >= 1960 else 1950 if born >= 1950 else 1940 if born >= 1938 else 1920
    )
    return _given(sex, decade).spin(rng)


def named(surname: str, given: str) -> Name:
    """The whole name with its reading; readings are kept per part, which is what makes half a million names affordable."""
    a, ai = _reading(surname)
    b, bi = _given_reading(given)
    return Name(surname + given, a + b, ai + bi)


def draw(rng: Random, sex: str, born: int, surname: str = "") -> Name:
    """A whole name; ``surname`` keeps a family's."""
    return named(surname or draw_surname(rng), draw_given(rng, sex, born))
