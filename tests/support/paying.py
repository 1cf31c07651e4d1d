"""Benefit runs of a county for the guards: one released with a payment in a sent file, one with an over-payment, one to review."""

import dataclasses
from datetime import date

from sangyu.care.benefits import computing, services
from sangyu.care.benefits.models import Line, Payment, Recovery, Review
from sangyu.kernel.scoping import scope

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
_VERSIONS = [{"id": 1, "code": "age-allowance", "name": "高龄津贴", "period": "month"}]


def paid_county(county, region, person, now) -> None:
    """Adds benefit_run, benefit_line, reviews, payment, payment_file, recovery and fund to ``county.ids``."""
    desk = dataclasses.replace(county.actors["bureau"], permissions=frozenset(_all()))
    officers = [dataclasses.replace(desk, name=n, account_id=None) for n in ("编制", "审批", "放款")]

    def run(month, rows, past=()):
        made = services.begin(actor=officers[0], region_id=region.pk, month=month, now=now)
        lines = computing.frame(
            {"subject_id": person.pk, "path": person.path, "policy": "age-allowance", "version_id": 1, "month": m,
             "amount": amount, **more}
            for m, amount, more in rows
        )  # fmt: skip
        return services.enter(actor=officers[0], run_id=made.pk, lines=lines, past=past, versions=_VERSIONS, now=now)

    def released(month, rows, past=()):
        made = run(month, rows, past)
        with scope(officers[0]):
            found = [(r.level, r.pk) for r in Review.objects.filter(run=made).order_by("-level")]
        for level, pk in found:
            act = services.review_street if level == "street" else services.review_county
            act(actor=officers[0], review_id=pk, now=now)
        services.approve(actor=officers[1], run_id=made.pk, now=now)
        return services.release(actor=officers[2], run_id=made.pk, now=now)

    fund = services.open_fund(
        actor=officers[2], region_id=region.pk, code="fiscal", name="财政资金", valid_from=date(2020, 1, 1)
    )
    first = released(SEPTEMBER, [(SEPTEMBER, 30000, {"form": "insurance"})])
    made = services.make_insurer_file(actor=officers[2], region_id=region.pk, policy="age-allowance", now=now)
    services.send(actor=officers[2], file_id=made.pk, now=now)
    cash = released(OCTOBER, [(OCTOBER, 30000, {}), (SEPTEMBER, 30000, {"form": "insurance"})], past=(SEPTEMBER,))
    last = run(NOVEMBER, [(NOVEMBER, 20000, {}), (OCTOBER, 10000, {})], past=(OCTOBER,))
    with scope(officers[0]):
        reviews = {r.level: r.pk for r in Review.objects.filter(run=last)}
        case = Recovery.objects.create(
            number=f"ZH-{county.key}", run=cash, path=person.path, subject_kind="person", subject_id=person.pk,
            person_id=person.pk, fund=fund, amount=100, created_at=now,
        )  # fmt: skip
        county.ids |= {
            "benefit_run": last.pk, "benefit_released": first.pk, "fund": fund.pk, "payment_file": made.pk,
            "benefit_line": Line.objects.filter(run=last, kind="entitlement").get().pk, "benefit_review": reviews["street"],
            "benefit_review_county": reviews["county"], "payment": Payment.objects.get(run=cash).pk, "recovery": case.pk,
        }  # fmt: skip


def _all():
    from sangyu.kernel.permissions import every_permission

    return every_permission()
