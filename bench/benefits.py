"""Benefits at a city's scale: evaluation of all shipped policies, facts out, what-if, the whole run (issue 4 §5.3).

    make bench NAME=benefits                                                       evaluation alone, 549,000 made people
    python bench/benefits.py --url postgresql:///bench_lists_549000?host=/tmp/pg   and the parts that need a city in a database
    python bench/benefits.py --spark                                               and Spark in local mode (requirements/spark.txt)

Each part is a process of its own: bench/_benefits_evaluate.py, _benefits_parts.py, _benefits_run.py say what each compares.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--people", type=int, default=549_000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--url", help="database with a loaded city, for facts out, what-if and the whole run")
    asked.add_argument("--past", type=int, default=12)
    asked.add_argument("--spark", action="store_true")
    given = asked.parse_args()
    people, rounds = ["--people", str(given.people)], ["--rounds", str(given.rounds)]
    parts = [["_benefits_evaluate.py", *people, *rounds]]
    if given.spark:
        parts.append(["_benefits_evaluate.py", *people, "--spark"])
    if given.url:
        parts.append(["_benefits_parts.py", "--url", given.url, *rounds])
        parts.append(["_benefits_run.py", "--url", given.url, *rounds, "--past", str(given.past)])
    failed = 0
    for part in parts:
        print(f"— {' '.join(part)}", flush=True)
        failed += subprocess.run([sys.executable, str(HERE / part[0]), *part[1:]], check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
