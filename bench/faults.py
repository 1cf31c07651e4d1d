"""Kill -9 of the parts of the signal road under load, at moments drawn from a seed: what was acknowledged, stored, doubled, lost (issue 5 §6.3).

    make bench NAME=faults                       (a demo city of its own, 20 kills under 500 messages a second with 1 % SOS)
    python bench/faults.py --rounds 1 --home FOLDER   (a Sangyu that runs there; its devices are added to)

Victims in turn: consumer, gateway, web, NATS, PostgreSQL, each restarted by the supervisor. Counted are canes' frames and all presses whose answer
the device has read: each must be in the database exactly once, and each device that called must have exactly one case.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from _harness import verdict  # noqa: E402

VICTIMS = ("consumer", "gateway", "web", "nats", "postgres")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--between", type=float, default=4)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    from sangyu.runtime.trial import City
    from support.killing import run

    def measure(city) -> bool:
        done = run(
            city, devices=given.devices, rate=given.rate, sos=0.01, victims=VICTIMS * given.rounds, between=given.between, seed=given.seed
        )  # fmt: skip
        print(done)
        return verdict(
            "faults", f"lost {done.lost}, doubled {done.doubled}, missing cases {done.missing_cases}, doubled cases {done.doubled_cases}",
            f"{done.acknowledged} acknowledged, {done.callers} callers, {len(done.killed)} kills", "0 each", done.whole,
        )  # fmt: skip

    if given.home:
        return 0 if measure(City.running(given.home)) else 1
    with City() as city:
        city.build().start()
        return 0 if measure(city) else 1


if __name__ == "__main__":
    sys.exit(main())
