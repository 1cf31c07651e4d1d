"""One wearer's day by the clock: sleep, walks around home, heart, pressure, battery. A function of seed, wearer and time."""

from dataclasses import dataclass
from datetime import datetime
from math import cos, pi, radians, sin
from random import Random
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
METRES_A_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class Body:
    """What can be measured now. Degrees WGS-84, km/h, beats a minute, mmHg, %, °C."""

    latitude: float
    longitude: float
    speed: float
    steps: int
    heart: int
    systolic: int
    diastolic: int
    spo2: int
    temperature: float
    breath: int
    battery: int
    asleep: bool
    walking: bool


class Life:
    """Habits drawn once: hours of sleep, walks, resting heart rate, pressure, how far it goes."""

    def __init__(self, seed: object, who: str, latitude: float, longitude: float) -> None:
        draw = Random(f"{seed} {who}")
        self.home = (latitude, longitude)
        self.to_bed, self.up = 21 + draw.random() * 1.8, 5 + draw.random() * 1.8
        self.walks = sorted((6.8 + draw.random() * 2.5, 15 + draw.random() * 2.5))
        self.length = 0.4 + draw.random() * 0.9  # hours
        self.reach = 120 + draw.random() * 700  # metres from home at the far point
        self.heading = draw.random() * 2 * pi
        self.rest = 58 + draw.randrange(22)
        self.pressure = 112 + draw.randrange(34)
        self.spo2 = 95 + draw.randrange(5)
        self.charged = draw.random() * 30
        self.draw = draw

    def at(self, local: datetime) -> Body:
        """The body at that local time (naive or aware; the clock's hours count)."""
        hour = local.hour + local.minute / 60 + local.second / 3600
        asleep = hour >= self.to_bed or hour < self.up
        if not asleep and 13 <= hour < 13.6:
            asleep = self.length > 0.8  # some take a nap
        part = next(((hour - w) / self.length for w in self.walks if 0 <= hour - w < self.length), None)
        done = sum(min(1.0, max(0.0, (hour - w) / self.length)) for w in self.walks)
        steps = int(done * self.reach * 2 / 0.6) + int(max(0.0, min(hour, self.to_bed) - self.up) * 90)
        noise = self.draw.gauss(0, 1)
        heart = self.rest + round(noise * 2.5)
        latitude, longitude, speed = *self.home, 0.0
        if part is not None:
            heart += 28
            latitude, longitude = self._on_the_way(part)
            speed = 3.2 + noise * 0.3
        elif asleep:
            heart -= 8
        age = (local.timestamp() / 3600 + self.charged) % 30
        return Body(
            latitude, longitude, max(0.0, speed), steps, max(40, heart), self.pressure + round(noise * 4) - (12 if asleep else 0),
            round(self.pressure * 0.62 + noise * 3), min(100, self.spo2 - (1 if asleep else 0)),
            round(36.5 + noise * 0.12, 1), max(9, 15 + round(noise) - (3 if asleep else 0)), max(16, round(100 - age * 2.6)),
            asleep, part is not None,
        )  # fmt: skip

    def _on_the_way(self, part: float) -> tuple[float, float]:
        """Out and back in a loop: ``part`` 0 … 1 of the walk."""
        out = sin(pi * part) * self.reach
        angle = self.heading + (part - 0.5) * 1.2
        north, east = out * cos(angle), out * sin(angle)
        latitude = self.home[0] + north / METRES_A_DEGREE
        return latitude, self.home[1] + east / (METRES_A_DEGREE * cos(radians(latitude)))
