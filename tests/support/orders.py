"""Orders of the small world at a point of their road, as tests need them."""

from datetime import timedelta

from sangyu.care.orders import services
from sangyu.care.orders.enums import Channel
from sangyu.care.orders.models import Evidence, Offer, Order, OrderLog
from sangyu.kernel.models import Event, Share
from sangyu.registry.people.enums import Part
from sangyu.registry.people.sharing import share_file


def received(world, *, item="bathing", start=None, **extra):
    """An order priced and waiting for dispatch."""
    return services.request_and_receive(
        actor=world.desk,
        person_id=world.person.pk,
        item_code=item,
        planned_start=start or world.start,
        channel=Channel.HOTLINE,
        requested_by="女儿李建华",
        now=world.now,
        **extra,
    )


def accepted(world, **extra):
    order = received(world, **extra)
    services.offer(
        actor=world.desk,
        order_id=order.pk,
        organisation_id=world.organisation.pk,
        worker_id=world.lead.pk,
        second_worker_id=world.second.pk,
        now=world.now,
    )
    return services.accept(actor=world.manager, order_id=order.pk, now=world.now + timedelta(minutes=5))


def done(world, **extra):
    order = accepted(world, **extra)
    services.depart(actor=world.worker, order_id=order.pk, now=world.start - timedelta(minutes=20))
    services.arrive(
        actor=world.worker, order_id=order.pk, latitude=40.6611, longitude=122.231, accuracy=10, now=world.start
    )
    return services.finish(
        actor=world.worker, order_id=order.pk, items=["测血压", "洗浴"], now=world.start + timedelta(minutes=62)
    )


def share_with_family(world):
    share_file(77, world.person, Part.values, "consent")


def untouched(order):
    """Everything that a refusal must leave as it was."""
    counts = [model.objects.count() for model in (OrderLog, Offer, Evidence, Event, Share)]
    return Order.objects.filter(pk=order.pk).values().get(), counts
