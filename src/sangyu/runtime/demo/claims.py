"""What elders of a demo city have asked for: the accounts they are paid into, and their applications with trails.

A large city has hundreds of thousands: they go in by COPY, in batches, never through instances.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from sangyu.care.applications import selectors as applications
from sangyu.care.applications.enums import BodyKind, Step
from sangyu.care.applications.models import Application, ApplicationLog, PayeeAccount
from sangyu.care.applications.offers import in_force
from sangyu.care.applications.services.payees import luhn
from sangyu.care.applications.standing_models import NUMBER_PURPOSE
from sangyu.kernel.bulk import json_text
from sangyu.kernel.crypto import blind_index, encrypt
from sangyu.kernel.numbering import next_numbers
from sangyu.registry.facilities.models import Facility
from sangyu.registry.people.models import Person, PersonFact
from sangyu.registry.regions.models import Region
from sangyu.registry.workforce.models import Worker

from .copying import analyse, bare_tables, copy_rows, reserve_ids
from .people import HUGE, LARGE

BANKS = ("农业银行", "工商银行", "建设银行", "邮政储蓄银行", "农村商业银行")
BATCH = 20_000
_PAYEE = (
    "path", "person_id", "holder", "number", "number_index", "bank", "is_proxy", "relation", "state", "proposed_at",
    "proposed_by", "decided_at", "decided_by", "reason", "rejected_by_bank",
)  # fmt: skip
_APPLICATION = (
    "id", "path", "number", "person_id", "policy_code", "policy_name", "version_id", "channel", "applicant", "applied_on",
    "text", "asked", "steps", "done", "state", "answer", "approved_from", "submitted_at", "decided_at", "due_on",
)  # fmt: skip
_TRAIL = ("application_id", "action", "source", "target", "at", "actor", "reason", "data")
_BY, _REFUSAL = "演示", "经核对，不符合政策规定的条件。"


class Elder(NamedTuple):
    """One whom policies may pay."""

    id: int
    path: str
    name: str
    died_on: date | None


class Asked(NamedTuple):
    """How far an application has come: steps done, state, what was said, from when it holds, when it was decided."""

    done: int
    state: str
    answer: str
    holds_from: date | None
    decided: datetime | None


def needy(today: date) -> list[Elder]:
    """Whom policies may pay, in the order of the register: the very old, those in hardship, those who cannot care for
    themselves.
    """
    live = PersonFact.objects.filter(subject=OuterRef("pk"), superseded_at=None, valid_to=None)
    hard = live.filter(kind="income_category", value__in=["minimum_living", "near_minimum", "destitute_home"])
    weak = live.filter(kind="care_level", value__in=["1", "2", "3", "4"])
    old = Q(birth_date__lte=today.replace(year=today.year - 79))
    rows = Person.objects.filter(old | Exists(hard) | Exists(weak), registered_on__isnull=False)
    return [Elder(*row) for row in rows.order_by("id").values_list(*Elder._fields)]


class Claims:
    """Accounts and applications of one city."""

    def __init__(self, city: Region, now: datetime, seed: str) -> None:
        self.city, self.now, self.rng = city, now, Random(f"{seed} claims")
        self.today = timezone.localdate(now)

    # ------------------------------------------------------------ accounts
    def payees(self) -> int:
        """An account for all but one in forty of them."""
        elders = [e for n, e in enumerate(needy(self.today)) if n % 40 != 39]
        _write(len(elders), {PayeeAccount: (_PAYEE, map(self._payee, elders))})
        return len(elders)

    def _payee(self, elder: Elder) -> Sequence[Any]:
        body, moment = f"62284800{elder.id:010d}", self.now - timedelta(days=200)
        number = next(f"{body}{digit}" for digit in range(10) if luhn(f"{body}{digit}"))
        return (
            elder.path, elder.id, elder.name, encrypt(number, NUMBER_PURPOSE), blind_index(number, NUMBER_PURPOSE),
            f"{self.rng.choice(BANKS)}（演示）", False, "", "active", moment, "社区（演示）", moment + timedelta(days=1),
            "民政（演示）", "", "",
        )  # fmt: skip

    # ------------------------------------------------------------ applications
    def applications(self) -> int:
        """For each policy given on application: most were approved long ago, a few wait at each step, a few were refused."""
        offered = [o for o in applications.offers(self.city.path, self.today) if o.on_application]
        elders = needy(self.today)
        chosen = [
            (offer, [e for n, e in enumerate(elders) if e.died_on is None and (n + place) % 4 != 3])
            for place, offer in enumerate(offered)
        ]
        count = sum(len(found) for _offer, found in chosen)
        if count:
            numbers = iter(next_numbers("SQ", self.today, self.city.code[:6], count=count))
            ids = iter(range(first := reserve_ids(Application, count), first + count))
            trail: list[Sequence[Any]] = []
            rows = (
                self._application(next(ids), next(numbers), e, offer, n, trail)
                for offer, found in chosen
                for n, e in enumerate(found)
            )
            _write(count, {Application: (_APPLICATION, rows), ApplicationLog: (_TRAIL, trail)})
        return count + self._bodies()

    def _bodies(self) -> int:
        """Facilities and workers have applied for what they are given on application, and have accounts: few, so through instances."""
        made = 0
        kinds = [(BodyKind.FACILITY, Facility.objects), (BodyKind.WORKER, Worker.objects.exclude(graduate_of=""))]
        for kind, rows in kinds:
            for pk, name, path, organisation in rows.filter(path__startswith=self.city.path).values_list(
                "id", "name", "path", "organisation_id"
            ):
                whose = {
                    "body_kind": kind,
                    "body_id": pk,
                    "body_name": name,
                    "organisation_id": organisation,
                    "path": path,
                }
                offered = [
                    p for v, p in in_force(path, self.today) if p.subject == kind and p.application == "required"
                ]
                for policy in offered:
                    self._body(policy, whose)
                if offered:
                    number = f"21080{pk:012d}"
                    PayeeAccount.objects.create(
                        **whose, holder=name[:50], number=number, number_index=blind_index(number, NUMBER_PURPOSE),
                        bank=f"{BANKS[pk % len(BANKS)]}（演示）", state="active", proposed_at=self.now - timedelta(days=200),
                        proposed_by="机构（演示）", decided_at=self.now - timedelta(days=199), decided_by="民政（演示）",
                    )  # fmt: skip
                made += len(offered)
        return made

    def _body(self, policy: Any, whose: dict[str, Any]) -> None:
        on, bounds = self.today - timedelta(days=150), policy.decides
        steps = [s for s in policy.review if s in Step.values] or ["county"]
        Application.objects.create(
            **whose, number=next_numbers("SQ", self.today, self.city.code[:6], count=1)[0], policy_code=policy.code,
            policy_name=policy.name, channel="provider", applicant="机构（演示）", applied_on=on, steps=steps, done=len(steps),
            state="approved", approved_from=on, submitted_at=self.now - timedelta(days=150),
            decided_at=self.now - timedelta(days=140), due_on=on + timedelta(days=28),
            **({"decided_amount": sum(bounds) // 2, "decided_document": "评审会议纪要（演示）"} if bounds else {}),
        )  # fmt: skip

    def _application(self, pk: int, number: str, elder: Elder, offer: Any, n: int, trail: list) -> Sequence[Any]:
        """One row; what was done about it is added to ``trail``."""
        recent = n % 30
        made = self.now - timedelta(days=recent + 2 if recent < 5 else 150 + n % 200)
        on, steps = timezone.localdate(made), list(offer.review) or ["county"]
        asked = self._asked(recent, made, on, steps)
        trail += self._trail(pk, made, steps, asked)
        return (
            pk, elder.path, number, elder.id, offer.code, offer.name, offer.version_id, "community", "社区（演示）", on, "", "[]",
            json_text(steps), asked.done, asked.state, asked.answer, asked.holds_from, made, asked.decided,
            on + timedelta(days=28),
        )  # fmt: skip

    @staticmethod
    def _asked(recent: int, made: datetime, on: date, steps: list[str]) -> Asked:
        if recent < 3:  # waits at its first, second, third step
            waits = "submitted" if recent == 0 or len(steps) == 1 else "review"
            return Asked(min(recent, len(steps) - 1), waits, "", None, None)
        if recent < 5:
            return Asked(0, "refused", _REFUSAL, None, made + timedelta(days=1))
        return Asked(len(steps), "approved", "", on, made + timedelta(days=12))

    @staticmethod
    def _trail(pk: int, made: datetime, steps: list[str], asked: Asked) -> Iterator[Sequence[Any]]:
        yield pk, "submit", "", "submitted", made, _BY, "", "{}"
        for n, step in enumerate(steps[: asked.done]):
            last = n + 1 == len(steps)
            yield (
                pk, "approve" if last else "pass", "review" if n else "submitted", "approved" if last else "review",
                made + timedelta(days=n + 1), _BY, "", json_text({"step": step}),
            )  # fmt: skip
        if asked.state == "refused":
            yield (
                pk, "refuse", "submitted", "refused", asked.decided, _BY, asked.answer, json_text({"step": steps[0]}),
            )  # fmt: skip


def _write(count: int, tables: dict[type[models.Model], tuple[Sequence[str], Iterable]]) -> None:
    """COPY in batches, table after table; into bare tables from ``LARGE`` rows on, without history from ``HUGE`` on. A list that
    an earlier table's rows fill is written with each batch of them.
    """
    (first, (columns, rows)), *others = tables.items()
    rows = iter(rows)
    with bare_tables(*tables, history=count < HUGE) if count >= LARGE else nullcontext():
        while batch := list(islice(rows, BATCH)):
            copy_rows(first, columns, batch)
            for model, (names, filled) in others:
                copy_rows(model, names, filled)
                filled.clear()
    analyse(*tables)
