"""What the demo city's devices have said: a place of every watch, a week of readings of some wearers and beds, alarms that are over and some that are not."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from math import cos, pi, sin
from random import Random

from django.utils import timezone

from sangyu.care.signals import services
from sangyu.engines.codecs.entries import Entry, Place
from sangyu.kernel.actor import Actor
from sangyu.kernel.scoping import scope
from sangyu.registry.devices.models import Device

#: Wearers and beds with a whole week; entries of one transaction's statements.
WEARERS, BEDS, BATCH = 24, 10, 2_000
EVERY, BAD_EVERY = timedelta(minutes=20), timedelta(minutes=5)
DAYS = 7
#: All from one network: when nobody plays the devices, their silence is one case.
NETWORK = "演示网络"


class Signals:
    """The same city, day and seed give the same entries; they go the way of real ones."""

    def __init__(self, now: datetime, seed: str) -> None:
        self.now, self.rng = timezone.localtime(now).replace(second=0, microsecond=0), Random(f"{seed} signals")
        self.actor = Actor.job("signals")

    def build(self) -> int:
        rows = Device.objects.filter(state="issued").select_related("person", "facility").order_by("pk")
        worn = [d for d in rows if d.person_id and d.person.latitude is not None]
        beds = [d for d in rows if d.facility_id][:BEDS]
        told = [d for d in worn if d.kind == "watch"]
        week = told[:WEARERS]
        count = 0
        with scope(self.actor):
            services.keep_days(actor=self.actor, today=self.now.date())
            for entries in _batches(self._everything(worn, week, beds)):
                services.take(entries, actor=self.actor, now=self.now)
                count += len(entries)
        return count

    def _everything(self, worn: list[Device], week: list[Device], beds: list[Device]) -> Iterator[Entry]:
        for n, device in enumerate(week):
            yield from self._week(device, fever=n % 8 == 3)
        for device in beds:
            yield from self._nights(device)
        ids = {d.pk for d in week}
        low = 0
        for device in worn:
            if device.pk in ids:
                continue
            battery = self.rng.randint(25, 100)
            if low < 3 and self.rng.random() < 0.1:
                low, battery = low + 1, self.rng.randint(6, 15)
            at = self.now - timedelta(minutes=self.rng.randint(1, 9), seconds=self.rng.randint(0, 59))
            yield self._entry(
                device,
                at,
                {"battery": battery} | ({"steps": self.rng.randint(200, 6_000)} if device.kind == "watch" else {}),
                place=self._near(device, 60),
            )

    def _week(self, device: Device, *, fever: bool) -> Iterator[Entry]:
        """Heart by day and night, steps, pressure in the morning and evening, a walk; a bad afternoon some days ago for a few."""
        base, pace = self.rng.randint(62, 78), self.rng.randint(1_500, 7_000)
        at = self.now - timedelta(days=DAYS)
        while at < self.now:
            hour = at.hour + at.minute / 60
            awake = 6 <= hour < 22
            values = {
                "heart_rate": round(base + (8 * sin((hour - 6) / 16 * pi) if awake else -7) + self.rng.gauss(0, 3))
            }
            values["battery"] = 100 - round((hour * 60) % 1440 / 1440 * 45)
            values["steps"] = round(pace * min(1, max(0, (hour - 6) / 14)))
            if 7 <= hour < 7.4 or 19 <= hour < 19.4:
                values |= {"systolic": round(132 + self.rng.gauss(0, 7)), "diastolic": round(81 + self.rng.gauss(0, 4))}
                values |= {
                    "spo2": self.rng.choice((95, 96, 97, 98)),
                    "body_temperature": round(36.4 + self.rng.gauss(0, 0.15), 1),
                }
            if fever and at.date() == (self.now - timedelta(days=3)).date() and 14 <= hour < 16:
                values["heart_rate"] = 134 + self.rng.randint(0, 8)
            walks = 9 <= hour < 10 or 16 <= hour < 17
            yield self._entry(device, at, values, place=self._near(device, 400 if walks else 15, hour))
            at += BAD_EVERY if values["heart_rate"] > 130 else EVERY

    def _nights(self, device: Device) -> Iterator[Entry]:
        """A mattress: in bed from ten to six, once out for a while; the report of the night in the morning."""
        for n in range(DAYS, 0, -1):
            evening = (self.now - timedelta(days=n)).replace(hour=22, minute=0)
            for step in range(25):
                at = evening + step * EVERY
                if at >= self.now:
                    break
                out = step == 11
                values = {"in_bed": 0 if out else 1}
                if not out and step < 24:
                    values |= {
                        "heart_rate": self.rng.randint(54, 66),
                        "respiration": self.rng.randint(12, 17),
                        "body_movement": self.rng.choice((1, 1, 2, 4)),
                        "signal_quality": 80,
                    }
                yield self._entry(device, at, values)
            deep, light, dream = self.rng.randint(60, 110), self.rng.randint(200, 270), self.rng.randint(60, 100)
            report = {
                "sleep_deep": deep,
                "sleep_light": light,
                "sleep_rem": dream,
                "sleep_awake": self.rng.randint(10, 50),
                "sleep_score": self.rng.randint(68, 92),
                "in_bed": 0,
            }
            if evening + timedelta(hours=8, minutes=20) < self.now:
                yield self._entry(device, evening + timedelta(hours=8, minutes=20), report)

    def _near(self, device: Device, metres: float, hour: float = 0.0) -> Place:
        """Around home; walks go round the block."""
        turn = hour * 2 * pi + self.rng.random()
        far = metres * (0.5 + self.rng.random() / 2) / 111_000
        return Place(device.person.latitude + far * sin(turn), device.person.longitude + far * cos(turn) * 1.3, 12.0)

    def _entry(self, device: Device, at: datetime, values: dict[str, float], *, place: Place | None = None) -> Entry:
        moment = round(at.timestamp() * 1000)
        pk = blake2b(f"demo {device.pk} {moment} {sorted(values)}".encode(), digest_size=16).digest()
        return Entry(
            id=pk, device=device.pk, product=device.product, kind="position" if place else "vitals", word="demo", received_at=moment + 1000,
            device_time=moment, readings=tuple((k, float(v), None) for k, v in values.items()), place=place, network=NETWORK,
        )  # fmt: skip


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    some: list[Entry] = []
    for entry in entries:
        some.append(entry)
        if len(some) == BATCH:
            yield some
            some = []
    if some:
        yield some
