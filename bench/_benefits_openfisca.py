"""The same policies as OpenFisca variables, for bench/benefits.py. Amounts in fen; conditions written as its users write them."""

import numpy as np
from _benefits_people import CODED, FLAGS
from openfisca_core.entities import build_entity
from openfisca_core.indexed_enums import Enum, EnumArray
from openfisca_core.periods import DateUnit
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

PERIOD = "2026-01"
Person = build_entity(key="person", plural="persons", label="", is_person=True)
ENUMS = {
    name: Enum(name, {c.replace("-", "_") if c[0].isalpha() else f"d_{c}".replace("-", "_"): c for c in codes})
    for name, (codes, _w) in CODED.items()
}


def variable(name, kind, formula=None, enum=None):
    body = {"value_type": kind, "entity": Person, "definition_period": DateUnit.MONTH, "label": name}
    if enum is not None:
        body |= {"possible_values": enum, "default_value": list(enum)[-1]}
    if formula is not None:
        body["formula"] = formula
    return type(name, (Variable,), body)


def system() -> TaxBenefitSystem:
    from datetime import date

    made = TaxBenefitSystem([Person])
    for name, enum in ENUMS.items():
        made.add_variable(variable(name, Enum, enum=enum))
    for name in FLAGS:
        made.add_variable(variable(name, bool))
    for name in ("birth_date", "died_on", "applied_on"):
        made.add_variable(variable(name, date))
    for name, (kind, formula) in FORMULAS.items():
        made.add_variable(variable(name, kind, formula))
    return made


def calculated(
    tax_benefit_system: TaxBenefitSystem, arrays: dict[str, np.ndarray], wanted: list[str]
) -> dict[str, np.ndarray]:
    """Build the simulation from the arrays and calculate."""
    simulation = SimulationBuilder().build_default_simulation(tax_benefit_system, len(arrays["birth_date"]))
    for name, values in arrays.items():
        if name in ENUMS:
            values = EnumArray(values, ENUMS[name])
        simulation.set_input(name, PERIOD, values)
    return {name: simulation.calculate(name, PERIOD) for name in wanted}


# ---------------------------------------------------------------- helpers
def _is(p, period, name, *codes):
    values = p(name, period)
    return np.logical_or.reduce([values == next(i for i in ENUMS[name] if i.value == code) for code in codes])


def _born(p, period):
    born = p("birth_date", period).astype("datetime64[D]")
    months = born.astype("datetime64[M]").astype(int)
    return born, months


def age(p, period):
    """From the first of the birthday's month, on 1 January 2026."""
    _born_on, months = _born(p, period)
    return (2026 - 1970) - months // 12 - (months % 12 > 0)


def age_day(p, period):
    born, months = _born(p, period)
    later = (months % 12 > 0) | ((born - born.astype("datetime64[M]")).astype(int) > 0)
    return (2026 - 1970) - months // 12 - later


def alive_month(p, period):
    return p("died_on", period) >= np.datetime64("2026-01-01")


def alive_day(p, period):
    return p("died_on", period) > np.datetime64("2026-01-01")


def alive_last(p, period):
    return p("died_on", period) > np.datetime64("2026-01-31")


def at_home(p, period):
    return ~_is(p, period, "residence", "institution")


def poor(p, period):
    return _is(p, period, "income_category", "minimum_living", "near_minimum", "destitute_home")


# ---------------------------------------------------------------- policies
def age_allowance(p, period):
    years = p("age", period)
    return p("alive_month", period) * np.select([years >= 100, years >= 90], [100_000, 30_000], 0)


def home_base(p, period):
    who = (p("age", period) >= 60) & p("alive_month", period) & p("at_home", period)
    who &= _is(p, period, "income_category", "minimum_living") | p("three_no", period) | p("bereaved_dependant", period)
    levels = [_is(p, period, "payment_level", code) for code in ("self_care", "part", "full")]
    return who * np.select(levels, [20_000, 40_000, 60_000], 0)


def resident_subsidy(p, period):
    who = (p("age", period) >= 60) & p("alive_month", period) & _is(p, period, "residence", "institution")
    who &= _is(p, period, "income_category", "minimum_living") | p("bereaved_dependant", period)
    levels = [_is(p, period, "payment_level", code) for code in ("full", "part")]
    return who * np.select(levels, [120_000, 80_000], 0)


def home_care_service(p, period):
    return p("home_base", period) * (p("resident_subsidy", period) == 0)


def accident_insurance(p, period):
    who = (p("age", period) >= 60) & p("alive_day", period)
    return who * (_is(p, period, "income_category", "minimum_living") | p("three_no", period)) * 5_000


def hospice(p, period):
    applied = p("applied_on", period) <= np.datetime64("2026-01-31")
    who = (p("age", period) >= 60) & p("alive_last", period) & applied
    poor_one = _is(
        p, period, "income_category", "minimum_living", "near_minimum", "destitute_home", "destitute_central"
    )
    return (who & (poor_one | p("three_no", period))).astype(int)


def home_nursing_subsidy(p, period):
    who = (p("age", period) >= 60) & p("alive_day", period) & p("at_home", period)
    who &= _is(p, period, "income_category", "destitute_home", "minimum_living") & _is(
        p, period, "payment_level", "full"
    )
    return who * 120_000


def voucher_free_base(p, period):
    old = p("age_day", period) >= 70
    groups = _is(p, period, "income_category", "minimum_living", "near_minimum") | p("needy_worker", period)
    groups |= ~_is(p, period, "special_group", "unknown") | (
        ~_is(p, period, "disability", "unknown") & p("poor", period)
    )
    who = (p("three_no", period) & p("at_home", period)) | (old & groups)
    return (who & (p("age_day", period) >= 60) & p("alive_month", period)) * 20_000


def service_voucher_low(p, period):
    who = (p("age_day", period) >= 60) & p("alive_month", period) & _is(p, period, "living", "alone", "empty_nest")
    who &= _is(p, period, "payment_level", "part", "full") & p("poor", period)
    return who * 10_000 * (p("service_voucher_free", period) == 0)


def service_voucher_free(p, period):
    return p("voucher_free_base", period)


def fee_tier(p, period):
    """What is taken off the price, in per ten thousand."""
    old = p("age_day", period) >= 70
    rows = [
        p("three_no", period) & p("at_home", period),
        old & _is(p, period, "income_category", "minimum_living", "near_minimum"),
        old & (p("needy_worker", period) | ~_is(p, period, "special_group", "unknown")),
        old & ~_is(p, period, "disability", "unknown") & _is(p, period, "income_category", "destitute_home"),
        _is(p, period, "living", "alone", "empty_nest")
        & _is(p, period, "payment_level", "part", "full")
        & p("poor", period),
    ]
    return ((p("age_day", period) >= 60) & p("alive_day", period)) * np.select(
        rows, [10_000, 10_000, 10_000, 10_000, 2_500], 0
    )


def _named(kind, *formulas):
    """OpenFisca wants its formulas to take exactly these arguments, as functions of their own."""
    return {formula.__name__: (kind, formula) for formula in formulas}


FORMULAS = _named(
    int, age, age_day, age_allowance, home_base, resident_subsidy, home_care_service, accident_insurance, hospice,
    home_nursing_subsidy, voucher_free_base, service_voucher_low, service_voucher_free, fee_tier,
) | _named(bool, alive_month, alive_day, alive_last, at_home, poor)  # fmt: skip
POLICIES = {
    "age-allowance": "amount", "home-care-service": "amount", "resident-subsidy": "amount", "accident-insurance": "amount",
    "hospice": "quantity", "home-nursing-subsidy": "amount", "service-voucher-free": "amount", "service-voucher-low": "amount",
    "fee-tier": "relief",
}  # fmt: skip
