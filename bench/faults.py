"""Kill -9 of the parts of the signal road under load, at moments drawn from a seed: what was acknowledged, stored, doubled, lost (issue 5 §6.3).

    make bench NAME=faults                       (a demo city of its own, 21 kills under 500 messages a second with 1 % SOS)
    python bench/faults.py --rounds 1 --home FOLDER   (a Sangyu that runs there; its devices are added to)

Victims in turn: consumer, gateway, web, PostgreSQL, each restarted by the supervisor; and NATS, which has three nodes here: one of them, all of them. Counted are canes' frames and all presses whose answer
the device has read: each must be in the database exactly once, and each device that called must have exactly one case.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from _harness import verdict  # noqa: E402

VICTIMS = ("consumer", "nats", "gateway", "postgres", "alarms", "all of nats", "web")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--between", type=float, default=4)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    from sangyu.runtime.trial import City
    from support.cluster import Cluster
    from support.killing import run

    def measure(city, cluster=None) -> bool:
        victims = [v for v in VICTIMS if cluster or "all" not in v] * given.rounds
        done = run(
            city, devices=given.devices, rate=given.rate, sos=0.01, victims=victims, between=given.between, seed=given.seed, cluster=cluster
        )  # fmt: skip
        print(done)
        return verdict(
            "faults", f"lost {done.lost}, doubled {done.doubled}, missing cases {done.missing_cases}, doubled cases {done.doubled_cases}",
            f"{done.acknowledged} acknowledged, {done.callers} callers, {len(done.killed)} kills", "0 each", done.whole,
        )  # fmt: skip

    if given.home:
        return 0 if measure(City.running(given.home)) else 1
    with City() as city, Cluster(city.home / "cluster") as cluster:
        city.env |= {"SANGYU_NATS_URL": cluster.url, "SANGYU_NATS_REPLICAS": "3"}
        city.build().start()
        return 0 if measure(city, cluster) else 1


if __name__ == "__main__":
    sys.exit(main())
