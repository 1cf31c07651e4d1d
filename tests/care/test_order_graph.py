"""Every edge of the order's graph works and every other pair is refused without a trace (design rule 6)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from sangyu.care.orders.enums import Action, State
from sangyu.care.orders.models import Order
from sangyu.care.orders.workflow import EDGES, ORDER_FLOW
from support.workflow import walk_graph

pytestmark = pytest.mark.django_db

STAFFED = {State.OFFERED, State.ACCEPTED, State.ON_THE_WAY, State.ARRIVED, State.DONE, State.CONFIRMED, State.SETTLED}


def make_order(world, state: str) -> Order:
    """An order of the world that already is in ``state``, with the dates that the state needs."""
    when = {
        "accepted_at": world.now,
        "departed_at": world.start,
        "arrived_at": world.start,
        "done_at": world.start + timedelta(hours=1),
        "confirmed_at": world.start + timedelta(hours=2),
        "settled_at": world.start + timedelta(days=20),
    }
    reached = {
        State.ACCEPTED: 1,
        State.ON_THE_WAY: 2,
        State.ARRIVED: 3,
        State.DONE: 4,
        State.DISPUTED: 4,
        State.CONFIRMED: 5,
        State.SETTLED: 6,
    }.get(state, 0)
    dates = dict(list(when.items())[:reached])
    if state in (State.CANCELLED, State.NO_SHOW):
        dates["closed_at"] = world.now
    staffed = state in STAFFED or state == State.DISPUTED
    return Order.objects.create(
        number=f"T{Order.objects.count()}-{state}",
        region=world.person.region,
        path=world.person.path,
        person=world.person,
        person_name=world.person.name,
        item=world.cleaning,
        item_name="助洁",
        planned_start=world.start,
        planned_end=world.start + timedelta(hours=1),
        channel="hotline",
        requested_by="x",
        state=state,
        organisation=world.organisation if staffed else None,
        worker=world.cleaner if staffed else None,
        **dates,
    )


def needs(world, action, row):
    """What an allowed step sets besides the state, as the services do."""
    if action == Action.CONFIRM or (action == Action.RESOLVE and row.confirmed_at is None):
        return {"changes": {"confirmed_at": world.start + timedelta(hours=2)}}
    if action in (Action.WITHDRAW, Action.DECLINE, Action.LAPSE, Action.HAND_BACK, Action.RESCHEDULE):
        return {"changes": {"organisation_id": None, "worker_id": None, "departed_at": None, "accepted_at": None}}
    return {}


def test_the_whole_graph(world):
    worked, refused = walk_graph(
        ORDER_FLOW,
        actor=world.desk,
        make=lambda state: make_order(world, state),
        actions=Action,
        states=State,
        arguments=lambda action, row: needs(world, action, row),
    )
    assert worked == len(EDGES)
    assert refused == len(Action) * len(State) - len(EDGES)


@pytest.mark.parametrize(
    ("state", "change", "constraint"),
    [
        (State.RECEIVED, {"self_pay": 1}, "order_price_adds_up"),
        (State.RECEIVED, {"market_price": -1, "self_pay": -1}, "order_amounts_not_negative"),
        (State.RECEIVED, {"arrived_at": "now"}, "order_early_states_have_no_visit"),
        (State.CONFIRMED, {"confirmed_at": None}, "order_confirmed_is_dated"),
        (State.ACCEPTED, {"worker": None}, "order_has_worker_once_accepted"),
        (State.ACCEPTED, {"settled_at": "now"}, "order_settled_at_fits_state"),
        (State.CANCELLED, {"closed_at": None}, "order_closed_at_fits_state"),
    ],
)
def test_the_database_ties_state_to_dates_and_money(world, state, change, constraint):
    order = make_order(world, state)
    values = {name: world.start if value == "now" else value for name, value in change.items()}
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(**values)
    assert Order.objects.get(pk=order.pk).state == state
