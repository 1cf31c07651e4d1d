"""Shares among people aged 60 and more, from standards §9 (2020 census and common survey figures) and the anchors of S2.

For believable data only, never for reports. Per cent unless said otherwise.
"""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")

#: S2, Yingkou: elders, and the database of elders in special difficulty with its two parts (R-023).
CITY_ELDERS = 549_000
DIFFICULT_DISABLED, DIFFICULT_PARTLY = 283, 656

#: (first age, last age, share)
AGES = (
    (60, 64, 27.8), (65, 69, 28.0), (70, 74, 18.8), (75, 79, 11.8), (80, 84, 7.7), (85, 89, 4.1), (90, 94, 1.4),
    (95, 99, 0.3), (100, 104, 0.05),
)  # fmt: skip

#: From this age on (60, 70, 80, 90): women; ability intact … total loss.
WOMEN = {60: 50, 70: 52, 80: 56, 90: 63}
ABILITY = {
    60: (93, 4.5, 1.3, 0.7, 0.5),
    70: (82, 11, 3.8, 1.9, 1.3),
    80: (58, 22, 10, 6, 4),
    90: (32, 27, 17, 13, 11),
}
#: With the spouse only / alone / with children / institution / other. By age so that the whole is 45 / 13 / 37 / 1.5 / 3.5.
LIVING = {
    60: (50, 9.5, 36.5, 0.5, 3.5),
    70: (43, 15, 36.9, 1.6, 3.5),
    80: (30, 23, 39, 4.5, 3.5),
    90: (10, 22, 54.5, 10, 3.5),
}
DEMENTIA = {60: 2.0, 70: 6.5, 80: 16.0, 90: 25.0}

#: 低保, 低保边缘, 特困; the three-no are among the destitute.
MINIMUM_LIVING, NEAR_MINIMUM, DESTITUTE, THREE_NO = 4.0, 2.0, 1.2, 0.3
LOST_ONLY_CHILD, SPECIAL_GROUP = 0.4, 1.5
DISABILITY = 9.0
DISABILITY_GRADES = (15, 28, 27, 30)
#: GB/T 26341 sight, hearing, speech, limb, intellect, mental, multiple: order of size of the national survey.
DISABILITY_CATEGORIES = (14, 24, 1, 41, 3, 5, 12)
OWN_PHONE = 88.0
RELATIVE = 93.0
CONDITIONS = (("高血压", 54), ("糖尿病", 20), ("心脏病", 18), ("脑卒中后遗症", 7))

#: Of the living, in addition: people of the register who died in the last two years.
DECEASED = 1.2


class Wheel(Generic[T]):
    """Values drawn by weight; the sums are made once, which a draw per field and person needs."""

    def __init__(self, values: Sequence[T], weights: Sequence[float]) -> None:
        self.values, self.sums = list(values), list(accumulate(weights))

    def spin(self, rng: Random) -> T:
        return self.values[bisect(self.sums, rng.random() * self.sums[-1], 0, len(self.values) - 1)]


def group(age: int) -> int:
    """The age group (60, 70, 80, 90) in which ``age`` falls."""
    return min(max(age // 10 * 10, 60), 90)


def difficult(elders: int) -> tuple[int, int]:
    """(disabled, partly disabled) elders of the difficulty database in a city of ``elders``: 283 and 656 in proportion.

    The sum is rounded first, so the two parts always make up the whole.
    """
    whole = round((DIFFICULT_DISABLED + DIFFICULT_PARTLY) * elders / CITY_ELDERS)
    disabled = round(DIFFICULT_DISABLED * elders / CITY_ELDERS)
    return disabled, whole - disabled
