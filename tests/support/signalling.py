"""What tests of signals share: devices with wearers, entries as a gateway makes them."""

from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import count

from django.utils.timezone import make_aware

from sangyu.engines.codecs.entries import Entry, Place
from sangyu.kernel.actor import Actor
from sangyu.kernel.scoping import scope

NOW = make_aware(datetime(2026, 10, 14, 9, 0))
JOB = Actor.job("signals")
_numbers = count(1)


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def entry(
    device: int, at: datetime, *, kind="position", readings=(), alarms=(), place=None, received=None, pk: object = None, product="watch-3g",
    **more,
) -> Entry:  # fmt: skip
    """An entry of one message. ``readings``: {name: value}; ``alarms``: [(kind, level)]; ``pk``: anything, the same for the same message."""
    name = repr(pk if pk is not None else ("one of its own", next(_numbers)))
    pairs = readings.items() if isinstance(readings, dict) else readings
    return Entry(
        id=blake2b(name.encode(), digest_size=16).digest(), device=device, product=product, kind="alarm" if alarms else kind, word="UD",
        received_at=ms(received or at + timedelta(seconds=1)), device_time=more.pop("device_time", ms(at)),
        readings=tuple((n, float(v), None) for n, v in pairs), alarms=tuple((k, level, f"bit.{k}", "") for k, level in alarms),
        place=Place(*place) if place else None, **more,
    )  # fmt: skip


def take(entries, now: datetime | None = None) -> list:
    """``services.take`` as the consumer calls it; the clock stands a little after the last message."""
    from sangyu.care.signals import services

    made = list(entries)
    now = now or datetime.fromtimestamp(max(e.received_at for e in made) / 1000, NOW.tzinfo) + timedelta(seconds=1)
    with scope(JOB, source="signals"):
        return services.take(made, actor=JOB, now=now)


def due(now: datetime) -> list:
    from sangyu.care.signals import services

    with scope(JOB, source="signals"):
        return services.due(actor=JOB, now=now)


def worn(
    region,
    person,
    *,
    product="watch-3g",
    identity="",
    consents=("location", "health_data"),
    since=None,
    facility=None,
    room="",
    bed="",
):
    """A device that ``person`` wears (or that stands in ``facility``), with consents; written past the services, for many of them."""
    from sangyu.registry.devices.models import Binding, Device
    from sangyu.registry.devices.selectors import product as known
    from sangyu.registry.people.models import Consent

    profile, n = known(product), next(_numbers)
    where = person or facility
    device = Device.objects.create(
        product=product, kind=profile.kind, protocol=profile.protocol, identity=identity or f"77{n:08d}", region=region,
        path=where.path if where else region.path, person=person, facility=facility, state="issued" if where else "stock",
        received_on=datetime(2026, 1, 1).date(),
    )  # fmt: skip
    if where:
        Binding.objects.create(
            device=device, person=person, facility=facility, room=room, bed=bed, path=where.path, issued_by="test",
            issued_at=since or NOW - timedelta(days=60),
        )  # fmt: skip
    for purpose in consents if person else ():
        Consent.objects.get_or_create(
            person=person, purpose=purpose, contact=None,
            defaults={"path": person.path, "version": "1", "given_by": "self", "given_on": datetime(2026, 1, 1).date(), "proof": "paper"},
        )  # fmt: skip
    return device
