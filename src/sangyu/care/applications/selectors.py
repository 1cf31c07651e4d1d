"""Questions about applications, holds, forms and accounts that the run, the screens and other rooms ask."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import CharField, F, Func, IntegerField, Q, QuerySet
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.dated import valid_on
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.scoping import PATH_END, as_system
from sangyu.registry.people import selectors as people

from . import bodies, panels
from . import offers as _offers
from .bodies import Body
from .enums import OPEN, TO_ANSWER, ObjectionState, PayeeState, State, Step
from .models import Application, Delivery, Hold, Objection, PayeeAccount
from .verdicts import Verdict, verdicts
from .workflow import acts_as

offers, offer, Offer = _offers.offers, _offers.offer, _offers.Offer
decision_bounds = _offers.decision_bounds
panel_asked = panels.asked
__all__ = ["Offer", "Payee", "Verdict", "offer", "offers", "verdicts"]


# ---------------------------------------------------------------- for the engine's frames and the run
def applied_on(codes: Iterable[str], path: str, *, until: date) -> list[tuple[int, str, date]]:
    """(person, policy code, first day) of approved applications under ``path`` that hold by ``until``."""
    rows = Application.objects.filter(
        state=State.APPROVED, policy_code__in=list(codes), approved_from__lte=until, path__gte=path,
        path__lt=path + PATH_END,
    )  # fmt: skip
    return list(rows.order_by("person_id", "id").values_list("person_id", "policy_code", "approved_from"))


def held(
    path: str, start: date, end: date, moved: Collection[int] = ()
) -> list[tuple[str, int, str, date, date | None]]:
    """(kind, id, policy code or "" for all, from, to) of holds of persons and bodies under ``path``, and of persons who ``moved``
    away from it since, that touch ``[start, end)``.
    """
    rows = Hold.objects.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=start), valid_from__lt=end)
    rows = rows.order_by("person_id", "body_kind", "body_id", "valid_from")
    found = _of_both(rows, path, moved, "person_id", "body_kind", "body_id", "policy_code", "valid_from", "valid_to")
    return [(kind or "person", person or body, *rest) for person, kind, body, *rest in found]


def upheld_months(path: str, after: datetime, until: datetime) -> set[date]:
    """First days of the months of which an objection of somebody under ``path`` was agreed with in ``(after, until]``."""
    rows = Objection.objects.filter(
        state=ObjectionState.UPHELD, month__isnull=False, closed_at__gt=after, closed_at__lte=until, path__gte=path,
        path__lt=path + PATH_END,
    )  # fmt: skip
    return set(rows.values_list("month", flat=True))


def forms_on(path: str, day: date, moved: Collection[int] = ()) -> dict[tuple[int, str], str]:
    """(person, policy code) → form chosen for it on ``day``; who is not named gets the policy's own. ``moved`` as in ``held``."""
    rows = Delivery.objects.filter(valid_on(day))
    return {(p, c): f for p, c, f in _of_both(rows, path, moved, "person_id", "policy_code", "form")}


def source_of_form(person_id: int, policy_code: str, day: date) -> str:
    """On what ground the form that holds on ``day`` was chosen for the person, "" when none was or it is out of sight."""
    rows = Delivery.objects.filter(valid_on(day), person_id=person_id, policy_code=policy_code)
    return rows.values_list("source", flat=True).first() or ""


def _of_both(rows: QuerySet, path: str, moved: Collection[int], *fields: str) -> list[tuple]:
    found = list(rows.filter(path__gte=path, path__lt=path + PATH_END).values_list(*fields))
    if moved:
        with as_system("who moved away is counted by the region of that time"):
            found += rows.filter(person_id__in=moved).exclude(path__startswith=path).values_list(*fields)
    return found


@dataclass(frozen=True)
class Payee:
    """Whom and where to pay for a person."""

    id: int
    holder: str
    number: str
    bank: str
    is_proxy: bool


def payees(person_ids: Iterable[int]) -> dict[int, Payee]:
    """Person → the account in use, with its whole number: for payment files only. One query."""
    rows = PayeeAccount.objects.filter(person_id__in=list(person_ids), state=PayeeState.ACTIVE)
    return {r.person_id: Payee(r.pk, r.holder, r.number, r.bank, r.is_proxy) for r in rows}


def body_payees(bodies: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Payee]:
    """(kind, id) of a body → the account in use; as ``payees``."""
    wanted = set(bodies)
    rows = PayeeAccount.objects.filter(body_id__in={pk for _kind, pk in wanted}, state=PayeeState.ACTIVE)
    found = {(r.body_kind, r.body_id): Payee(r.pk, r.holder, r.number, r.bank, r.is_proxy) for r in rows}
    return {key: payee for key, payee in found.items() if key in wanted}


# ---------------------------------------------------------------- for screens
def applications_visible(actor: Actor) -> QuerySet[Application]:
    """Applications that the actor sees."""
    return Application.objects.visible_to(actor).select_related("person", "person__region")


def applications_of(actor: Actor, person_id: int) -> QuerySet[Application]:
    return Application.objects.visible_to(actor).filter(person_id=person_id).order_by("-submitted_at", "-id")


def get_application(actor: Actor, pk: int) -> Application:
    """Raises NotVisible."""
    found = applications_visible(actor).filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


def objections_visible(actor: Actor) -> QuerySet[Objection]:
    """Objections that the actor sees."""
    return Objection.objects.visible_to(actor)


def get_objection(actor: Actor, pk: int) -> Objection:
    """Raises NotVisible."""
    found = objections_visible(actor).filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


def holds_visible(actor: Actor) -> QuerySet[Hold]:
    """Stops that the actor sees."""
    return Hold.objects.visible_to(actor)


def objections_of(actor: Actor, person_id: int) -> QuerySet[Objection]:
    return Objection.objects.visible_to(actor).filter(person_id=person_id).order_by("-made_at", "-id")


def holds_of(actor: Actor, person_id: int) -> QuerySet[Hold]:
    return Hold.objects.visible_to(actor).filter(person_id=person_id)


def deliveries_of(actor: Actor, person_id: int) -> QuerySet[Delivery]:
    return Delivery.objects.visible_to(actor).filter(person_id=person_id)


def payees_of(actor: Actor, person_id: int) -> list[PayeeAccount]:
    """Accounts of one person, the one in use first; numbers are shown masked."""
    rows = PayeeAccount.objects.visible_to(actor).filter(person_id=person_id).order_by("-proposed_at", "-id")
    return sorted(rows, key=lambda r: r.state != PayeeState.ACTIVE)


def waits_for(rows: QuerySet[Application], steps: Iterable[str]) -> QuerySet[Application]:
    """Open ones of ``rows`` whose next step is one of ``steps``."""
    step = Func(F("steps"), Cast("done", IntegerField()), arg_joiner=" ->> ", template="(%(expressions)s)")
    rows = rows.filter(state__in=OPEN).annotate(waits=Cast(step, CharField()))
    return rows.filter(waits__in=list(steps))


def waiting(actor: Actor) -> QuerySet[Application]:
    """Applications whose next step is the actor's, as its level takes it: their number stands beside the navigation."""
    mine = [s.value for s in Step if actor.audience is Audience.STAFF and acts_as(actor, s) and _own_level(actor, s)]
    return waits_for(Application.objects.visible_to(actor), mine)


def _own_level(actor: Actor, step: Step) -> bool:
    """Whether the step is usually taken at the actor's level: above the city all take the city's."""
    return len(actor.path) == step.depth or (step is Step.CITY and len(actor.path) < step.depth)


def is_late(row: Application | Objection, today: date) -> bool:
    """Whether the answer is overdue."""
    return row.state in (*OPEN, *TO_ANSWER) and row.due_on < today


def leaves_amount(row: Application) -> bool:
    """Whether the policy leaves the amount to a panel or office."""
    return decision_bounds(row) is not None


def may_step(actor: Actor, row: Application) -> bool:
    """Whether the step that waits is the actor's to take."""
    return bool(row.next_step) and acts_as(actor, row.next_step)


#: A choice of this many is still one.
MOST_BODIES = 500


def own_bodies(actor: Actor) -> list[Body]:
    """Facilities, organisations and workers that the actor may act for: a provider's own, an office's of its area."""
    return bodies.own(actor, MOST_BODIES)


def applicants(actor: Actor, day: date) -> list[tuple[Body, list[Offer]]]:
    """Those of ``own_bodies`` for which a policy is given on application, with these policies."""
    return _with_offers(actor, day, bodies.offered)


def concerned_bodies(actor: Actor, day: date) -> list[tuple[Body, list[Offer]]]:
    """Those of ``own_bodies`` to which a policy is given, on application or not, with these policies."""
    return _with_offers(actor, day, bodies.concerned)


def _with_offers(actor: Actor, day: date, ask: Callable[[Body, date], list[Offer]]) -> list[tuple[Body, list[Offer]]]:
    known: dict[tuple[str, str], list[Offer]] = {}
    found = []
    for body in own_bodies(actor):
        key = (body.kind, body.path)
        if key not in known:
            known[key] = ask(body, day)
        if known[key]:
            found.append((body, known[key]))
    return found


# ---------------------------------------------------------------- double benefit
def hints(actor: Actor, row: Application) -> list[str]:
    """What a reviewer should look at before saying yes: the same purpose paid twice, an account used by several, a file that
    may be of the same person. Hints, not refusals; the engine's stacking decides (O-3).
    """
    if row.person_id is None:
        return _body_hints(row)
    found = []
    offered = offer(row.person.path, row.policy_code, row.applied_on)
    stacking = getattr(offered.policy, "stacking", None) if offered else None
    others = applications_of(actor, row.person_id).exclude(pk=row.pk).filter(state__in=[*OPEN, State.APPROVED])
    for other in others:
        if stacking and other.policy_code in (*stacking.excludes, *stacking.excluded_by):
            found.append(
                _("“%(name)s” (%(number)s) excludes this policy or is excluded by it.")
                % {"name": other.policy_name, "number": other.number}
            )
        elif stacking and stacking.group and _group(row, other.policy_code) == stacking.group:
            found.append(
                _("“%(name)s” (%(number)s) is in the same group: only one of the two is paid in full.")
                % {"name": other.policy_name, "number": other.number}
            )
        elif other.policy_code == row.policy_code:
            found.append(_("Applied for already: %(number)s.") % {"number": other.number})
    found += _shared_accounts(row.person_id)
    contacts = people.find_ids(actor, row.person.name, most=20)
    same = [c for c in people.person_cards(actor, contacts).values() if c.id != row.person_id]
    born = row.person.birth_date
    if twins := [c for c in same if c.name == row.person.name and born and c.birth_date == born]:
        found.append(
            _("Another file has the same name and birth date: %(areas)s.")
            % {"areas": "、".join(str(c.region_name) for c in twins[:3])}
        )
    with as_system("that a file of another region may be of the same person is told, not whose"):
        known = {c.id for c in same} | {row.person_id}
        elsewhere = people.namesakes(row.person.name, born, known) if born else 0
    if elsewhere:
        found.append(
            _("%(n)s files of other regions have the same name and birth date: ask whether they are paid there.")
            % {"n": elsewhere}
        )
    return found


def _body_hints(row: Application) -> list[str]:
    """Other applications and grants of the same body."""
    rows = Application.objects.filter(body_kind=row.body_kind, body_id=row.body_id, state__in=[*OPEN, State.APPROVED])
    return [
        _("Applied for already: %(number)s.") % {"number": f"{o.number} {o.policy_name}"}
        for o in rows.exclude(pk=row.pk)
    ]


def _group(row: Application, code: str) -> str:
    other = offer(row.person.path, code, row.applied_on)
    return other.policy.stacking.group if other else ""


def _shared_accounts(person_id: int) -> list[str]:
    """Accounts of the person that others are paid into as well: who they are is not told beyond the number of them."""
    indexes = PayeeAccount.objects.filter(
        person_id=person_id, state__in=[PayeeState.ACTIVE, PayeeState.PROPOSED]
    ).values_list("number_index", flat=True)
    with as_system("how many are paid into an account is told, not who"):
        others = (
            PayeeAccount.objects.filter(number_index__in=list(indexes), state=PayeeState.ACTIVE)
            .exclude(person_id=person_id)
            .values("person_id")
            .distinct()
            .count()
        )
    return [_("%(n)s other people are paid into the same account.") % {"n": others}] if others else []


def late_applications(actor: Actor, today: date) -> QuerySet[Application]:
    """Open applications past their day."""
    return applications_visible(actor).filter(state__in=OPEN, due_on__lt=today)


def first_of_next_month(today: date | None = None) -> date:
    """When a new form may begin at the earliest."""
    today = today or timezone.localdate()
    return (today.replace(day=1) + timedelta(days=32)).replace(day=1)
