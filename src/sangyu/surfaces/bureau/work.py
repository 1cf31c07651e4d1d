"""What waits for staff: one condition a list, used for the number on the home page and for the rows behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.care.orders import selectors as orders
from sangyu.care.orders.enums import State
from sangyu.care.settlement import selectors as settlement
from sangyu.care.settlement.enums import State as StatementState
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.identity import born_by
from sangyu.kernel.importing.models import ImportBatch
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.people import selectors as people
from sangyu.registry.workforce import selectors as workforce
from sangyu.ui import nav
from sangyu.ui.context import numbers_of

#: A file with less than this is on the list of files to complete (percent).
COMPLETE = 60
#: Days before the end of a licence, contract, certificate or check from which it is on the list.
EXPIRES_WITHIN = 30
IMPORT_OPEN = (ImportBatch.State.MATCH, ImportBatch.State.PREVIEW)


def order_conditions(now: datetime) -> dict[str, Q]:
    """Key → which orders wait in that way."""
    return {
        "requested": Q(state=State.REQUESTED),
        "received": Q(state=State.RECEIVED),
        "late": Q(state=State.RECEIVED, dispatch_by__lt=now),
        "offered": Q(state=State.OFFERED),
        "missed": Q(state__in=(State.ACCEPTED, State.ON_THE_WAY), warned_missed_at__isnull=False),
        "done": Q(state=State.DONE),
        "disputed": Q(state=State.DISPUTED),
    }


#: Which waiting orders are somebody's own work; their sum is the number on the bell.
OWN = {
    "requested": ("orders.receive",),
    "received": ("orders.dispatch",),
    "missed": ("orders.dispatch", "orders.record_visit"),
    "done": ("orders.confirm_for",),
    "disputed": ("orders.resolve",),
}


def waiting_for(actor: Actor) -> QuerySet:
    """Orders that wait for an act of ``actor``, each once."""
    conditions, mine = order_conditions(timezone.now()), Q(pk__in=[])
    for key, permissions in OWN.items():
        if any(actor.may(p) for p in permissions):
            mine |= conditions[key]
    return orders.orders_visible(actor).filter(mine if actor.audience is Audience.STAFF else Q(pk__in=[]))


@dataclass(frozen=True)
class Work:
    """One line of the home page: what waits, how many, and where they are listed."""

    key: str
    label: str | Promise
    hint: str | Promise
    count: int
    url: str
    tone: str = ""


@dataclass(frozen=True)
class Figure:
    """A small number with its definition."""

    label: str | Promise
    value: int
    definition: str | Promise
    money: bool = False
    unit: str | Promise = ""


@dataclass(frozen=True)
class Group:
    title: str | Promise
    icon: str
    lines: list[Work]


#: key → (words, what it means, tone, address, permissions any of which shows it)
ORDER_LINES = {
    "requested": (_("Needs to receive"), _("registered, not yet priced"), "warn", "orders:list", "?state=requested",
                  ("orders.receive",)),
    "received": (_("Waiting for dispatch"), _("priced, nobody sent yet"), "warn", "orders:list", "?state=received",
                 ("orders.dispatch", "orders.receive", "orders.resolve")),
    "late": (_("Dispatch is late"), _("the promised time has passed"), "bad", "bureau:orders", "late", ("orders.view",)),
    "offered": (_("Offers unanswered"), _("the provider has not answered"), "", "orders:list", "?state=offered",
                ("orders.dispatch", "orders.resolve")),
    "missed": (_("Visits missed"), _("nobody arrived at the planned time"), "bad", "bureau:orders", "missed",
               ("orders.view",)),
    "done": (_("Waiting for confirmation"), _("visited, the elder has not confirmed"), "", "orders:list", "?state=done",
             ("orders.confirm_for", "orders.confirm", "orders.resolve")),
    "disputed": (_("Disputes"), _("somebody objects to a visit"), "bad", "orders:list", "?state=disputed",
                 ("orders.view",)),
}  # fmt: skip


def groups(actor: Actor, now: datetime) -> list[Group]:
    """The work lists that ``actor``'s role has, grouped. Evaluate inside the scope."""
    made = [
        Group(_("Requests and dispatch"), "clip", list(_orders(actor, now))),
        Group(_("Quality and call-backs"), "phone", list(_calls(actor, now))),
        Group(_("People and papers"), "users", list(_registers(actor, localtime(now).date()))),
        Group(pgettext_lazy("bureau", "Settlement"), "wallet", list(_statements(actor))),
        Group(_("Also waiting"), "bell", list(_elsewhere(actor))),
    ]
    return [g for g in made if g.lines]


def _may(actor: Actor, permissions: tuple[str, ...]) -> bool:
    return any(actor.may(p) for p in permissions)


def _orders(actor: Actor, now: datetime) -> Iterator[Work]:
    shown = {k: line for k, line in ORDER_LINES.items() if actor.may("orders.view") and _may(actor, line[5])}
    if not shown:
        return
    conditions = order_conditions(now)
    counts = (
        orders.orders_visible(actor)
        .order_by()
        .open()
        .aggregate(**{f"n_{key}": Count("pk", filter=conditions[key]) for key in shown})
    )
    for key, (label, hint, tone, name, rest, _permissions) in shown.items():
        url = reverse(name) + rest if rest.startswith("?") else reverse(name, args=[rest])
        yield Work(key, label, hint, counts[f"n_{key}"], url, tone)


def _calls(actor: Actor, now: datetime) -> Iterator[Work]:
    if not actor.may("orders.return_visit"):
        return
    found = orders.due_return_visits(actor).order_by().aggregate(
        all=Count("pk"), late=Count("pk", filter=Q(due_by__lt=now))
    )  # fmt: skip
    yield Work("calls", _("Call-backs due"), _("after low ratings, disputes and by sample"), found["all"],
               reverse("orders:return_visits") + "?state=due", "warn")  # fmt: skip
    yield Work("calls_late", _("Call-backs overdue"), _("past the day they were due"), found["late"],
               reverse("bureau:calls"), "bad")  # fmt: skip


def expiring(actor: Actor, day: date) -> dict[str, list]:
    """kind → licences, contracts, certificates and checks that end soon, as far as ``actor`` may see them."""
    made: dict[str, list] = {}
    if actor.may("organisations.verify") or actor.may("organisations.contracts"):
        made |= organisations.expiring(day, EXPIRES_WITHIN)
        if not actor.may("organisations.contracts"):
            made.pop("contracts")
    if actor.may("workforce.manage") or actor.may("workforce.duties"):
        made |= workforce.expiring(day, EXPIRES_WITHIN)
    return made


def open_imports(actor: Actor):
    """Imports that were uploaded and not yet taken over."""
    return ImportBatch.objects.visible_to(actor).filter(state__in=IMPORT_OPEN).order_by("-id")


def incomplete(actor: Actor):
    """Living elders whose file lacks much."""
    return people.search(actor, "", {"elder": True, "alive": True, "completeness_below": COMPLETE})


def _registers(actor: Actor, day: date) -> Iterator[Work]:
    if actor.may("people.edit") and actor.may("people.view"):
        yield Work("files", _("Files to complete"), _("less than 60 % known"), incomplete(actor).order_by().count(),
                   reverse("people:list") + f"?completeness_below={COMPLETE}&alive=1", "warn")  # fmt: skip
    if found := expiring(actor, day):
        yield Work("expiring", _("Papers that expire"), _("licences, contracts, certificates within 30 days"),
                   sum(map(len, found.values())), reverse("bureau:expiring"), "warn")  # fmt: skip
    if actor.may("people.import"):
        yield Work("imports", _("Imports to finish"), _("uploaded, not yet taken over"),
                   open_imports(actor).order_by().count(), reverse("bureau:imports"))  # fmt: skip


def _statements(actor: Actor) -> Iterator[Work]:
    if not actor.may("settlement.view"):
        return
    rows = settlement.statements_visible(actor).order_by()
    found = rows.aggregate(
        **{s: Count("pk", filter=Q(state=s)) for s in (StatementState.OBJECTED, StatementState.CONFIRMED, StatementState.APPROVED)}
    )  # fmt: skip
    address = reverse("settlement:list")
    yield Work("statements", _("Statements to approve"), _("confirmed by the provider"), found["confirmed"],
               address + "?state=confirmed", "warn")  # fmt: skip
    yield Work("objected", _("Statements objected to"), _("the provider disagrees"), found["objected"],
               address + "?state=objected", "bad")  # fmt: skip
    yield Work("payable", _("Statements to pay"), _("approved, not yet paid"), found["approved"],
               address + "?state=approved")  # fmt: skip


#: Entries of the navigation whose rows have lines of their own on the home page.
LISTED = {"orders:list", "orders:return_visits", "settlement:list"}


def _elsewhere(actor: Actor) -> Iterator[Work]:
    """What other rooms count beside their entries, where something waits: emergencies, assessments, applications, runs …

    Each room says for itself what waits for whom. Of two entries of one name (the console, the list of all cases) the first is shown.
    """
    found, said = numbers_of(actor), set()
    for entry in nav.entries():
        count = 0 if entry.url_name in LISTED else found.get(entry.url_name, 0)
        if count and str(entry.label) not in said:
            said.add(str(entry.label))
            key, url = entry.url_name.replace(":", "_"), nav.plain_address(entry.url_name)
            yield Work(key, entry.label, nav.Group(entry.group).label, count, url, "warn")


def figures(actor: Actor, now: datetime) -> list[Figure]:
    """The small figures of the area, each with its definition. Evaluate inside the scope."""
    made: list[Figure] = []
    day = localtime(now).date()
    if actor.may("people.view"):
        found = people.elders(actor, day).aggregate(
            all=Count("pk"), old=Count("pk", filter=Q(birth_date__lte=born_by(people.VERY_OLD, day)))
        )
        made += [
            Figure(
                _("Elders in the register"),
                found["all"],
                _("Living persons of the register aged 60 and over"),
                unit=_("persons"),
            ),
            Figure(
                _("Of these aged 80 and over"),
                found["old"],
                _("Those of them who have completed 80 years"),
                unit=_("persons"),
            ),
        ]
    if actor.may("orders.view"):
        first = localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        took_place = Q(state__in=(State.DONE, State.CONFIRMED, State.SETTLED, State.DISPUTED), arrived_at__gte=first)
        paid = Q(state__in=(State.CONFIRMED, State.SETTLED), confirmed_at__gte=first)
        found = (
            orders.orders_visible(actor)
            .order_by()
            .filter(took_place | paid)
            .aggregate(visits=Count("pk", filter=took_place), vouchers=Sum("voucher_amount", filter=paid))
        )
        made += [
            Figure(_("Visits this month"), found["visits"],
                   _("Visits that began this month and were finished, disputed ones included"), unit=_("times")),
            Figure(_("Vouchers spent this month"), found["vouchers"] or 0,
                   _("Voucher part of visits confirmed this month; later refunds are not taken off"), True, _("yuan")),
        ]  # fmt: skip
    return made


def pressing(actor: Actor, now: datetime, most: int = 8) -> list[dict]:
    """The orders that cannot wait: missed, disputed, late for dispatch; longest waiting first."""
    if not actor.may("orders.view"):
        return []
    conditions = order_conditions(now)
    rows = (
        orders.orders_visible(actor)
        .filter(conditions["missed"] | conditions["disputed"] | conditions["late"])
        .select_related("region")
        .order_by("planned_start", "id")[:most]
    )
    made = []
    for order in rows:
        if order.state == State.DISPUTED:
            words, since = _("Disputed"), order.done_at or order.planned_end
        elif order.state == State.RECEIVED:
            words, since = _("Dispatch is late"), order.dispatch_by
        else:
            words, since = _("Visit missed"), order.planned_start
        made.append({"order": order, "words": words, "waited": now - since})
    return made


def soon(day: date) -> date:
    """The last day of the expiring list."""
    return day + timedelta(days=EXPIRES_WITHIN)
