"""Single draws: one field of one person by its shares (``shares``)."""

from datetime import date, timedelta
from random import Random

from sangyu.registry.people.enums import (
    CareLevel,
    Dementia,
    Education,
    Housing,
    IncomeCategory,
    Living,
    Marriage,
    Residence,
    SpecialGroup,
)

from . import shares
from .shares import Wheel

#: Where the register has its people from; every one says that it is demo data.
SOURCE = Wheel(
    ("演示：街道摸底登记", "演示：户籍比对", "演示：网格员入户登记", "演示：12349来电登记", "演示：医保参保名单"),
    (38, 27, 20, 9, 6),
)
CARE = tuple(str(v) for v in CareLevel.values)
_AGE = Wheel([(first, last) for first, last, _share in shares.AGES], [share for _a, _b, share in shares.AGES])
_ABILITY = {group: Wheel(CARE, weights) for group, weights in shares.ABILITY.items()}
_LIVING = {
    group: Wheel((Living.EMPTY_NEST, Living.ALONE, Living.WITH_FAMILY, "institution", "other"), weights)
    for group, weights in shares.LIVING.items()
}
_OTHER = Wheel((Living.WITH_CARER, Living.LEFT_BEHIND, Living.OTHER), (30, 35, 35))
_HARDSHIP = (IncomeCategory.MINIMUM_LIVING, IncomeCategory.NEAR_MINIMUM, IncomeCategory.DESTITUTE_HOME)
_HARD = (shares.MINIMUM_LIVING, shares.NEAR_MINIMUM, shares.DESTITUTE)
_POOR = Wheel(_HARDSHIP, _HARD)
_INCOME = Wheel((*_HARDSHIP, IncomeCategory.ORDINARY), (*_HARD, 100 - sum(_HARD)))
ETHNICITY = Wheel(("01", "11", "03", "10"), (880, 102, 12, 6))
DEMENTIA = Wheel(Dementia.values, (20, 42, 26, 12))
DISABILITY = Wheel(range(1, 8), shares.DISABILITY_CATEGORIES)
GRADE = Wheel((1, 2, 3, 4), shares.DISABILITY_GRADES)
SPECIAL = Wheel(SpecialGroup.values, (18, 14, 42, 20, 6))
HOUSING = Wheel(Housing.values, (70, 9, 8, 9, 4))
_UNWIDOWED = Wheel((Marriage.MARRIED, Marriage.DIVORCED, Marriage.SINGLE), (80, 14, 6))
_SINGLE = Wheel((Marriage.DIVORCED, Marriage.SINGLE), (65, 35))
_SCHOOLS = (
    Education.OTHER, Education.PRIMARY, Education.JUNIOR, Education.SENIOR, Education.VOCATIONAL, Education.COLLEGE,
    Education.BACHELOR,
)  # fmt: skip
_YOUNGER, _OLDER = Wheel(_SCHOOLS, (4, 25, 44, 16, 5, 4, 2)), Wheel(_SCHOOLS, (22, 46, 20, 6, 3, 2, 1))


def age(rng: Random) -> int:
    first, last = _AGE.spin(rng)
    return rng.randint(first, last)


def later(rng: Random, start: date, today: date) -> date:
    return start + timedelta(days=int(rng.random() * max((today - start).days, 1)))


def living(rng: Random, group: int, *, at_home: bool) -> tuple[str, str]:
    kind = _LIVING[group].spin(rng)
    if kind == "institution":
        return (Living.OTHER, Residence.HOME) if at_home else (Living.OTHER, Residence.INSTITUTION)
    return (_OTHER.spin(rng) if kind == "other" else kind), Residence.HOME


def income(rng: Random, residence: str, *, hard: bool) -> str:
    found = (_POOR if hard else _INCOME).spin(rng)
    if found == IncomeCategory.DESTITUTE_HOME and residence == Residence.INSTITUTION:
        return IncomeCategory.DESTITUTE_CENTRAL
    return found


def care_level(rng: Random, group: int, disabled: bool | None) -> str:
    if disabled is None:
        return _ABILITY[group].spin(rng)
    return ("34" if disabled else "12")[rng.random() > 0.62]


def marriage(rng: Random, years: int, lives: str) -> str:
    if lives == Living.EMPTY_NEST:
        return Marriage.MARRIED
    widowed = min(0.25 + (years - 60) * 0.02, 0.95)
    if rng.random() < widowed:
        return Marriage.WIDOWED
    return (_SINGLE if lives == Living.ALONE else _UNWIDOWED).spin(rng)


def education(rng: Random, born: int) -> str:
    return (_YOUNGER if born >= 1950 else _OLDER).spin(rng)
