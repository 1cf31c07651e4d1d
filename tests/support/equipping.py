"""What tests of devices share: words, and the devices of a county."""

from datetime import date, datetime, timedelta

from django.utils.timezone import make_aware

NOW = make_aware(datetime(2026, 10, 14, 9, 0))
#: The elder said yes to both questions.
AGREED = {"location": "paper", "health_data": "paper"}


def equip(county, region, person, now: datetime) -> None:
    """Devices of a county in the states that pages and operations ask for."""
    from sangyu.registry.devices import selectors, services

    bureau = county.actors["bureau"]

    def receive(name: str, product: str, identity: str):
        made = services.receive(
            actor=bureau, product=product, identity=identity, region_id=region.pk, received_on=date(2026, 9, 1),
            sim_phone="13900001234", iccid=f"8986{identity[-10:].zfill(15)}" if identity.isdigit() else "", service_fee=1_000, now=now,
        )  # fmt: skip
        county.ids[name] = made.pk
        return made

    start = 8_800_000_000 + sum(map(ord, county.key)) * 1_000
    receive("device", "watch-3g", str(start))
    receive("spare_device", "watch-3g", str(start + 1))
    worn = receive("device_issued", "watch-3g", str(start + 2))
    receive("device_mattress", "mattress-alink", f"bed-{county.key}")
    lost, mended, returned = (
        receive(name, "pendant-h02", str(start + n))
        for n, name in enumerate(("device_lost", "device_repair", "device_returned"), 3)
    )
    issued = services.issue(
        actor=bureau, device_id=worn.pk, person_id=person.pk, answers=AGREED, deposit=5_000, now=now
    )
    services.report_lost(actor=bureau, device_id=lost.pk, reason="找不到", now=now)
    services.send_to_repair(
        actor=bureau, device_id=mended.pk, vendor="厂家", fault="不开机", on=date(2026, 9, 2), now=now
    )
    back = services.issue(actor=bureau, device_id=returned.pk, person_id=person.pk, deposit=2_000, now=now)
    services.take_back(actor=bureau, device_id=returned.pk, reason="returned", now=now + timedelta(minutes=1))
    services.charge_month(actor=bureau, month=now.date(), today=now.date())
    waits = services.command(actor=bureau, device_id=worn.pk, name="ring", minutes=600, now=now)
    county.ids |= {
        "device_command": waits.pk,
        "binding": issued.pk, "binding_ended": back.pk,
        "device_fee": selectors.fees_visible(bureau).filter(device=worn).get().pk,
    }  # fmt: skip
