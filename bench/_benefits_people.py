"""Made people for bench/benefits.py: arrays as both sides get them, and as the tables of our readings."""

import numpy as np

INCOME = ["destitute_central", "destitute_home", "minimum_living", "near_minimum", "ordinary", "unknown"]
LEVEL = ["self_care", "part", "full", "unknown"]
RESIDENCE = ["home", "institution", "hospital", "away", "unknown"]
LIVING = ["alone", "empty_nest", "with_family", "with_carer", "left_behind", "other", "unknown"]
GROUP = ["disabled_soldier", "fallen_dependant", "returned_veteran", "war_veteran", "other", "unknown"]
DISABILITY = [*(f"{c}-{g}" for c in range(1, 8) for g in range(1, 5)), "unknown"]
CODED = {
    "income_category": (INCOME, [0.003, 0.02, 0.06, 0.03, 0.867, 0.02]),
    "payment_level": (LEVEL, [0.3, 0.1, 0.05, 0.55]),
    "residence": (RESIDENCE, [0.86, 0.03, 0.005, 0.005, 0.1]),
    "living": (LIVING, [0.15, 0.25, 0.45, 0.02, 0.02, 0.01, 0.1]),
    "special_group": (GROUP, [0.004, 0.004, 0.004, 0.004, 0.004, 0.98]),
    "disability": (DISABILITY, [*([0.08 / 28] * 28), 0.92]),
}
FLAGS = {"three_no": 0.01, "bereaved_dependant": 0.005, "needy_worker": 0.01}
NEVER = np.datetime64("2100-01-01")


def people(count: int, seed: int = 4) -> dict[str, np.ndarray]:
    """Name → array: codes as places in their list (``CODED``), flags, days; the last place and the year 2100 stand for what is not known."""
    dice = np.random.default_rng(seed)
    days = (dice.beta(1.2, 3.5, count) * 44 * 365.25).astype(int)
    made = {"birth_date": np.datetime64("1966-01-31") - days.astype("timedelta64[D]")}
    made["died_on"] = np.where(
        dice.random(count) < 0.004, np.datetime64("2025-12-01") + dice.integers(0, 60, count), NEVER
    )
    made["applied_on"] = np.where(
        dice.random(count) < 0.001, np.datetime64("2026-01-01") + dice.integers(0, 31, count), NEVER
    )
    for name, (codes, weights) in CODED.items():
        chances = np.array(weights) / sum(weights)
        made[name] = dice.choice(len(codes), count, p=chances).astype(np.uint8)
    return made | {name: dice.random(count) < chance for name, chance in FLAGS.items()}
