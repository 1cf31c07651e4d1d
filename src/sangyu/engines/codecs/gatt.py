"""Bluetooth health characteristics as a gateway relays them (devices.md §4): bytes of one value → readings. All numbers little-endian.

Not a stream: the topic dialects call ``read`` for payloads that name a characteristic. IEEE 11073 numbers: mantissa × 10 ^ exponent, with five
values that are none.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import nan

from .kinds import ReadingKind
from .messages import Readings
from .values import moment

_NONE_16 = frozenset({0x07FF, 0x0800, 0x07FE, 0x0802, 0x0801})
_NONE_32 = frozenset({0x007FFFFF, 0x00800000, 0x007FFFFE, 0x00800002, 0x00800001})
KPA = 7.50062
POUND = 0.45359237
MG_DL_PER_MMOL_L = 18.016


@dataclass
class Measurement:
    """``stated``: the device's local time. ``details``: sequence, sample, contact and the like."""

    readings: Readings = field(default_factory=Readings)
    stated: datetime | None = None
    states: dict[str, bool] = field(default_factory=dict)
    details: dict[str, object] = field(default_factory=dict)


def sfloat(raw: int) -> float:
    """A 16-bit number; nan where it is none."""
    if raw in _NONE_16:
        return nan
    mantissa, exponent = raw & 0x0FFF, raw >> 12
    return _scaled(mantissa - 0x1000 if mantissa & 0x800 else mantissa, exponent - 16 if exponent & 8 else exponent)


def float32(raw: int) -> float:
    """A 32-bit number (24 + 8); nan where it is none."""
    mantissa, exponent = raw & 0x00FFFFFF, raw >> 24
    if mantissa in _NONE_32:
        return nan
    return _scaled(
        mantissa - 0x1000000 if mantissa & 0x800000 else mantissa, exponent - 256 if exponent & 128 else exponent
    )


def _scaled(mantissa: int, exponent: int) -> float:
    return mantissa / 10**-exponent if exponent < 0 else float(mantissa * 10**exponent)


def make_sfloat(value: float, exponent: int = 0) -> int:
    """The number for ``value`` with that exponent; for the simulator and tests. ValueError when the mantissa is too large."""
    mantissa = round(value / 10**exponent) if exponent >= 0 else round(value * 10**-exponent)
    if not -2045 <= mantissa <= 2045 or not -8 <= exponent <= 7:
        raise ValueError(f"{value} does not fit")
    return (exponent & 15) << 12 | mantissa & 0x0FFF


class _Short(Exception):
    """The value is shorter than its flags say."""


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> int:
        part = self.data[self.at : self.at + size]
        if len(part) < size:
            raise _Short
        self.at += size
        return int.from_bytes(part, "little")

    def sfloat(self) -> float:
        return sfloat(self.take(2))

    def time(self) -> datetime | None:
        return moment(self.take(2), *(self.take(1) for _ in range(5)))

    @property
    def left(self) -> int:
        return len(self.data) - self.at


def _heart_rate(b: _Bytes, m: Measurement) -> None:
    flags = b.take(1)
    value: float = b.take(2 if flags & 1 else 1)
    if flags & 4:
        m.states["contact"] = bool(flags & 2)
        if not flags & 2:
            value = nan  # contact supported and not seen: no valid reading
    m.readings.add(ReadingKind.HEART_RATE, value)
    if flags & 8:
        m.details["energy_kj"] = b.take(2)
    if flags & 16:
        m.details["rr_seconds"] = [b.take(2) / 1024 for _ in range(b.left // 2)]


def _blood_pressure(b: _Bytes, m: Measurement) -> None:
    flags = b.take(1)
    factor = KPA if flags & 1 else 1
    for kind in (ReadingKind.SYSTOLIC, ReadingKind.DIASTOLIC, ReadingKind.MEAN_PRESSURE):
        m.readings.add(kind, round(b.sfloat() * factor, 2))
    if flags & 2:
        m.stated = b.time()
    if flags & 4:
        m.readings.add(ReadingKind.HEART_RATE, b.sfloat())
    if flags & 8:
        m.details["user"] = b.take(1)
    if flags & 16:
        status = b.take(2)
        for bit, name in ((0, "moved"), (1, "cuff_loose"), (2, "irregular_pulse"), (5, "bad_position")):
            m.states[name] = bool(status >> bit & 1)


def _glucose(b: _Bytes, m: Measurement) -> None:
    flags = b.take(1)
    m.details["sequence"] = b.take(2)
    m.stated = b.time()
    if flags & 1:
        offset = b.take(2)
        if m.stated:
            m.stated += timedelta(minutes=offset - 0x10000 if offset & 0x8000 else offset)
    if flags & 2:
        value, place = b.sfloat(), b.take(1)
        millimoles = value * 1000 if flags & 4 else value * 100_000 / MG_DL_PER_MMOL_L
        m.readings.add(ReadingKind.GLUCOSE, round(millimoles, 3))
        m.details |= {"sample_type": place & 15, "sample_location": place >> 4}
    if flags & 8:
        m.details["status"] = b.take(2)


def _spo2(b: _Bytes, m: Measurement) -> None:
    m.readings.add(ReadingKind.SPO2, b.sfloat())
    m.readings.add(ReadingKind.HEART_RATE, b.sfloat())


def _spo2_continuous(b: _Bytes, m: Measurement) -> None:
    flags = b.take(1)
    _spo2(b, m)
    for bit in (1, 2):  # fast pair, slow pair
        if flags & bit:
            b.take(4)
    _spo2_tail(b, m, flags & 4, flags & 8, flags & 16)


def _spo2_spot(b: _Bytes, m: Measurement) -> None:
    flags = b.take(1)
    _spo2(b, m)
    if flags & 1:
        m.stated = b.time()
    _spo2_tail(b, m, flags & 2, flags & 4, flags & 8)
    if flags & 16:
        m.states["clock_set"] = False
        m.stated = None


def _spo2_tail(b: _Bytes, m: Measurement, status: int, sensor: int, perfusion: int) -> None:
    if status:
        m.details["status"] = b.take(2)
    if sensor:
        m.details["sensor"] = b.take(3)
    if perfusion:
        m.readings.add(ReadingKind.PERFUSION, b.sfloat())


def _temperature(b: _Bytes, m: Measurement) -> None:
    flags, value = b.take(1), float32(b.take(4))
    m.readings.add(ReadingKind.BODY_TEMPERATURE, round((value - 32) / 1.8, 2) if flags & 1 else value)
    if flags & 2:
        m.stated = b.time()
    if flags & 4:
        m.details["site"] = b.take(1)


def _weight(b: _Bytes, m: Measurement) -> None:
    """2A9D (general knowledge): b0 pounds; u16 in 5 g or 0.01 lb, FFFF none; b1 time; b2 user; b3 index u16 in 0.1 and height u16."""
    flags, raw = b.take(1), b.take(2)
    value = nan if raw == 0xFFFF else round(raw * 0.01 * POUND, 3) if flags & 1 else raw / 200
    m.readings.add(ReadingKind.WEIGHT, value)
    if flags & 2:
        m.stated = b.time()
    if flags & 4:
        m.details["user"] = b.take(1)
    if flags & 8:
        m.readings.add(ReadingKind.BODY_MASS_INDEX, b.take(2) / 10)
        m.details["height_raw"] = b.take(2)


def _battery(b: _Bytes, m: Measurement) -> None:
    m.readings.add(ReadingKind.BATTERY, b.take(1))


_READERS = {
    "2A37": _heart_rate,
    "2A35": _blood_pressure,
    "2A18": _glucose,
    "2A5F": _spo2_continuous,
    "2A5E": _spo2_spot,
    "2A1C": _temperature,
    "2A9D": _weight,
    "2A19": _battery,
}
CHARACTERISTICS = frozenset(_READERS)


def short_name(characteristic: str) -> str:
    """Four hex digits of a short or a full 128-bit name."""
    name = characteristic.strip().upper().removeprefix("0X")
    return name[4:8] if len(name) == 36 and name.endswith("-0000-1000-8000-00805F9B34FB") else name


def read(characteristic: str, value: bytes) -> Measurement | None:
    """The measurement in ``value``; None for an unknown characteristic or a value that is too short."""
    reader, made = _READERS.get(short_name(characteristic)), Measurement()
    if reader is None:
        return None
    try:
        reader(_Bytes(value), made)
    except _Short:
        return None
    return made
