"""What the phone shows of an order: the visit, the next step, the elder as far as the worker needs it."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.care.orders import selectors as orders
from sangyu.care.orders.enums import State
from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.scoping import as_system
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import FactKind

#: State → the form that is shown; what comes after it stands in static/worker/worker.js too.
STAGES = {
    State.OFFERED: "answer",
    State.ACCEPTED: "depart",
    State.ON_THE_WAY: "arrive",
    State.ARRIVED: "finish",
}
#: States of the record: the worker has nothing more to do.
OVER = (State.DONE, State.CONFIRMED, State.SETTLED, State.DISPUTED, State.NO_SHOW)
#: Facts that change how a visit is carried out.
CAUTIONS = (
    FactKind.WANDERING,
    FactKind.DEMENTIA,
    FactKind.BEDRIDDEN,
    FactKind.DISABILITY,
    FactKind.CARE_LEVEL,
    FactKind.LIVING,
)
STEPS = [
    (gettext_lazy("Set out"), "departed_at", State.ACCEPTED),
    (gettext_lazy("Arrive"), "arrived_at", State.ON_THE_WAY),
    (gettext_lazy("Finish"), "done_at", State.ARRIVED),
]


@dataclass
class Task:
    """One visit on the phone."""

    order: Any
    card: Any = None
    phone: str = ""
    contacts: list = field(default_factory=list)
    note: str = ""

    @property
    def stage(self) -> str:
        """The form to show: answer, depart, arrive, finish or done."""
        return STAGES.get(self.order.state, "done")

    @property
    def over(self) -> bool:
        return self.order.state in OVER

    @property
    def navigation(self) -> str:
        """Address for the phone's map: the place when it is known, else the written address."""
        o = self.order
        if o.latitude is None or o.longitude is None:
            return f"geo:0,0?q={quote(o.address)}"
        return f"geo:{o.latitude},{o.longitude}?q={o.latitude},{o.longitude}({quote(o.address)})"

    @property
    def cautions(self) -> list[str]:
        """What to mind in this home, from dated facts: "Dementia: moderate"."""
        if self.card is None:
            return []
        found = []
        for kind in CAUTIONS:
            value = self.card.facts.get(kind, "")
            if value and value not in ("no", "0", "with_family", "with_carer", "other"):
                found.append(f"{kind.label}：{people.fact_label(kind, value)}")
        return found

    @property
    def steps(self) -> list[tuple[str, str, datetime | None]]:
        """(label, "done" | "now" | "", moment) of the bar."""
        made = []
        for label, stamp, waits in STEPS:
            at = getattr(self.order, stamp)
            made.append((label, "done" if at else "now" if self.order.state == waits else "", at))
        return made

    @property
    def checklist(self) -> list[str]:
        """What belongs to the service: the parts of the catalogue's description, else its name."""
        text = catalogue.get_item_by_id(self.order.item_id).description
        parts = [p.strip() for p in re.split(r"[；;。\n]", text) if p.strip()]
        return [p[:60] for p in parts] or [self.order.item_name]


def bounds(day: date) -> tuple[datetime, datetime]:
    """First moment of ``day`` and of the next one."""
    start = timezone.make_aware(datetime.combine(day, time()))
    return start, start + timedelta(days=1)


def tasks_of(actor: Actor, day: date) -> list[Task]:
    """The worker's visits of ``day`` by time, without the cancelled ones."""
    rows = [o for o in orders.tasks_of_worker(actor, *bounds(day)) if o.state != State.CANCELLED]
    cards = people.person_cards(actor, {o.person_id for o in rows}, day=day)
    return [Task(o, cards.get(o.person_id)) for o in rows]


def task_of(actor: Actor, pk: int) -> Task:
    """One visit with telephone numbers. Raises NotVisible for an order of somebody else."""
    order = orders.get_order(actor, pk)
    if actor.subject_id not in (order.worker_id, order.second_worker_id):
        raise NotVisible
    cards = people.person_cards(actor, [order.person_id], day=timezone.localtime(order.planned_start).date())
    return with_numbers(actor, Task(order, cards.get(order.person_id)))


def with_numbers(actor: Actor, task: Task) -> Task:
    """Add the telephone numbers that the worker may dial; the look is recorded."""
    if task.card is None or task.over:
        return task
    person = people.get_person(actor, task.order.person_id)
    task.phone = person.phone or ""
    task.contacts = [c for c in people.contacts(person) if c.phone][:2]
    with as_system("the log of reads is written for every audience"):
        log_read(actor=actor, what="phone", objects=[person], purpose=_("Visit %s") % task.order.number)
    return task


def record_of(actor: Actor, first: date) -> list[Any]:
    """Finished visits of the month that begins on ``first``, newest first."""
    after = (first + timedelta(days=32)).replace(day=1)
    rows = orders.tasks_of_worker(actor, bounds(first)[0], bounds(after)[0])
    return list(rows.filter(state__in=OVER).order_by("-planned_start"))
