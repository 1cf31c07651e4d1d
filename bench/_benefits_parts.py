"""Parts of bench/benefits.py: facts out of the database, and the what-if page's question asked again and again.

    python bench/_benefits_parts.py --url postgresql:///bench_lists_549000?host=/tmp/pg --rounds 3

``facts_out`` reads the tables that a run of the month asks for, nothing kept. ``what_if`` asks the page's question in one session:
the first time cold, then with a changed amount, then with a changed condition; each answer comes with all figures and tables. Beside
each session OpenFisca-core builds and calculates its policies for as many people (bench/_benefits_openfisca.py): its time is the bar.
"""

import argparse
import gc
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

MONTH = date(2026, 10, 1)
#: The rule that is turned: a table of three amounts for those in hardship who live at home (R-042).
TEXT = """\
code: bench-home-care
name: 居家养老服务补贴（测算）
region: "{region}"
document: {{number: 测〔2026〕1号, title: 测算}}
valid_from: 2026-01-01
subject: person
period: month
who:
  - 年龄 >= 60
  - 在世
  - 经济状况 属于 (minimum_living, near_minimum) 或 三无 或 遗属孤老
  - 居住场所 不属于 (institution) 或 居住场所 未知
amount:
  table:
    - {{when: 补贴档次 = self_care, amount: {low}元}}
    - {{when: 补贴档次 = part, amount: 400元}}
    - {{when: 补贴档次 = full, amount: 600元}}
form: voucher
fund: city_budget
"""


#: Of OpenFisca's build and calculation: what each of the two questions that follow may take.
BAR = 0.5


class Seconds(NamedTuple):
    """One session: the first answer, the facts of which are read, and the two that follow."""

    cold: float
    amount: float
    condition: float
    people: int


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    began = time.perf_counter()
    made = work()
    return time.perf_counter() - began, made


def officer(path: str):
    """A bureau's officer of the region ``path``."""
    from sangyu.kernel.actor import Actor, Audience
    from sangyu.kernel.permissions import every_permission

    return Actor(Audience.STAFF, path, "测算", account_id=1, role="bureau", permissions=every_permission())


def facts_out(actor, readings, *, born_until: date | None = None) -> tuple[float, dict]:
    """Seconds to read the tables of ``readings`` out of the database, in the officer's scope; and the tables."""
    from sangyu.care.policies.frames import frames
    from sangyu.kernel.scoping import scope

    with scope(actor):
        return timed(lambda: frames(actor.path, readings, born_until=born_until))


def what_if(actor, region: str) -> Seconds:
    """One officer's session on the what-if page, without the drawing of the page."""
    from sangyu.care.policies import whatif
    from sangyu.care.policies.models import PolicyVersion
    from sangyu.kernel.scoping import scope

    whatif.forget()
    base = TEXT.format(region=region, low=200)
    stored = PolicyVersion(code="bench-home-care", path=actor.path, text=base, state="draft")
    texts = (base, base.replace("200元", "180元"), base.replace("200元", "180元").replace("年龄 >= 60", "年龄 >= 65"))
    seconds, people = [], 0
    with scope(actor):
        for text in texts:
            took, answer = timed(lambda t=text: whatif.run(actor, whatif.question(actor, stored, t, stored, MONTH)))
            seconds.append(took)
            people = answer.figures["subjects"]
    return Seconds(*seconds, people)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--url", required=True)
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "tests")]
    os.environ |= {"SANGYU_TEST_DATABASE_URL": given.url, "DJANGO_SETTINGS_MODULE": "_settings_city"}
    import django

    django.setup()
    from sangyu.care.policies.selectors import read_text
    from sangyu.engines.policy import Period, readings
    from sangyu.registry.people.models import Person
    from sangyu.registry.regions.models import Region

    person = Person.objects.filter(registered_on__isnull=False).first()
    city = Region.objects.get(path=person.path[: len("000001001")])
    actor, region = officer(city.path), city.code.rstrip("0")
    policy = read_text(TEXT.format(region=region + "0" * (len(region) % 2), low=200))
    asked_for = readings([policy], Period.month(MONTH.year, MONTH.month))
    out = [facts_out(actor, asked_for)[0] for _n in range(given.rounds)]
    print(f"facts out: {statistics.median(out):.2f} s")
    sys.exit(0 if against_openfisca(actor, region + "0" * (len(region) % 2), given.rounds) else 1)


def against_openfisca(actor, region: str, rounds: int) -> bool:
    """Sessions of what-if and the peer's calculation in turn; the median of the rounds' ratios against the bar."""
    import _benefits_openfisca as peer
    from _benefits_people import people

    sessions, theirs, arrays, system = [], [], None, peer.system()
    for _n in range(rounds):
        sessions.append(what_if(actor, region))
        arrays = arrays or people(sessions[0].people)
        wanted = [code.replace("-", "_") for code in peer.POLICIES]
        theirs.append(timed(lambda a=arrays, w=wanted: peer.calculated(system, a, w))[0])
    print(f"{sessions[0].people:,} people; OpenFisca-core {statistics.median(theirs):.2f} s")
    print(f"what-if, cold: {statistics.median(s.cold for s in sessions):.2f} s")
    passed = True
    for name in ("amount", "condition"):
        took = statistics.median(getattr(s, name) for s in sessions)
        ratio = statistics.median(getattr(s, name) / t for s, t in zip(sessions, theirs, strict=True))
        passed &= ratio <= BAR
        print(
            f"what-if, changed {name}: {took:.2f} s, ratio {ratio:.2f} vs OpenFisca-core (bar {BAR}) {'PASS' if ratio <= BAR else 'SHORT'}"
        )
    return passed


if __name__ == "__main__":
    main()
