"""Places: datum, conversion for display, distance.

A place is stored as it was measured: latitude and longitude in degrees, the accuracy in metres and the datum. Devices
and phones report WGS-84, Chinese public maps are drawn in GCJ-02 (up to 700 m apart), so convert for display and before
comparing, never on the way into the database (standards §4, coordinates). ``Person``, ``Worker`` and ``Organisation``
keep WGS-84.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import asin, cos, degrees, pi, radians, sin, sqrt

from django.db import models
from django.db.models import ExpressionWrapper, F, FloatField, Q, Value
from django.db.models.functions import ASin, Cos, Least, Power, Radians, Sin, Sqrt

EARTH_RADIUS = 6_371_008.8
# Krasovsky 1940, on which GCJ-02 was defined.
_A = 6_378_245.0
_EE = 0.006_693_421_622_965_943


class Datum(StrEnum):
    """Coordinate systems that are accepted."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"


@dataclass(frozen=True, slots=True)
class Point:
    """One measured place. ``accuracy`` is the radius in metres that the device claims, None when unknown.

    Raises ValueError when a coordinate is out of range.
    """

    latitude: float
    longitude: float
    accuracy: float | None = None
    datum: Datum = Datum.WGS84

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError(f"not a place on Earth: latitude {self.latitude}, longitude {self.longitude}")
        if self.accuracy is not None and not self.accuracy >= 0:
            raise ValueError(f"accuracy must be zero or more metres, not {self.accuracy}")

    def wgs84(self) -> "Point":
        """The same place in WGS-84."""
        if self.datum is Datum.WGS84:
            return self
        return Point(*gcj02_to_wgs84(self.latitude, self.longitude), self.accuracy, Datum.WGS84)

    def gcj02(self) -> "Point":
        """The same place in GCJ-02, for Chinese public maps."""
        if self.datum is Datum.GCJ02:
            return self
        return Point(*wgs84_to_gcj02(self.latitude, self.longitude), self.accuracy, Datum.GCJ02)

    def metres_to(self, other: "Point") -> float:
        """Great-circle distance in metres; the data may differ."""
        a, b = self.wgs84(), other.wgs84()
        return haversine(a.latitude, a.longitude, b.latitude, b.longitude)


class Located(models.Model):
    """Base of rows that carry one measured place. Null means unknown, never 0/0."""

    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    accuracy = models.FloatField(null=True, blank=True)
    datum = models.CharField(max_length=5, default=Datum.WGS84, choices=[(d.value, d.value) for d in Datum])

    class Meta:
        abstract = True

    @property
    def point(self) -> Point | None:
        """The stored place, or None."""
        if self.latitude is None or self.longitude is None:
            return None
        return Point(self.latitude, self.longitude, self.accuracy, Datum(self.datum))

    @point.setter
    def point(self, value: Point | None) -> None:
        self.latitude = value.latitude if value else None
        self.longitude = value.longitude if value else None
        self.accuracy = value.accuracy if value else None
        self.datum = (value.datum if value else Datum.WGS84).value


def point_constraint(name: str) -> models.CheckConstraint:
    """Latitude and longitude both or neither, and in range."""
    whole = Q(latitude__range=(-90, 90), longitude__range=(-180, 180))
    return models.CheckConstraint(
        name=f"{name}_place_is_whole", condition=Q(latitude__isnull=True, longitude__isnull=True) | whole
    )


# ---------------------------------------------------------------- distance
def haversine(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in metres between two places of the same datum, in degrees."""
    p1, p2 = radians(lat1), radians(lat2)
    h = sin((p2 - p1) / 2) ** 2 + cos(p1) * cos(p2) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS * asin(min(1.0, sqrt(h)))


def metres_from(latitude: float, longitude: float, lat_field: str = "latitude", lon_field: str = "longitude"):
    """SQL expression: metres from the given place to the row's. NULL where the row has none.

    >>> Worker.objects.annotate(metres=metres_from(40.66, 122.23)).order_by("metres")
    """
    half = Value(2.0)
    here = Value(radians(latitude))
    there = Radians(F(lat_field))
    by_lat = Power(Sin((there - here) / half), 2.0)
    by_lon = Power(Sin((Radians(F(lon_field)) - Value(radians(longitude))) / half), 2.0)
    h = by_lat + Value(cos(radians(latitude))) * Cos(there) * by_lon
    # Rounding can lift h a hair above 1 at the antipode. LEAST ignores NULL, hence the CASE below.
    arc = ASin(Sqrt(Least(h, Value(1.0)), output_field=FloatField()))
    known = models.Case(
        models.When(
            Q(**{f"{lat_field}__isnull": False, f"{lon_field}__isnull": False}), then=Value(2 * EARTH_RADIUS) * arc
        ),
        output_field=FloatField(),
    )
    return ExpressionWrapper(known, output_field=FloatField())


def bounding_box(latitude: float, longitude: float, metres: float) -> tuple[float, float, float, float]:
    """(south, north, west, east) in degrees around a place: an index-friendly filter before ``metres_from``."""
    d_lat = degrees(metres / EARTH_RADIUS)
    d_lon = degrees(metres / (EARTH_RADIUS * max(cos(radians(latitude)), 1e-6)))
    return latitude - d_lat, latitude + d_lat, longitude - d_lon, longitude + d_lon


# ---------------------------------------------------------------- WGS-84 ↔ GCJ-02
def outside_china(latitude: float, longitude: float) -> bool:
    """Whether the GCJ-02 offset is zero there (the usual rectangle, which is generous at the borders)."""
    return not (72.004 <= longitude <= 137.8347 and 0.8293 <= latitude <= 55.8271)


def wgs84_to_gcj02(latitude: float, longitude: float) -> tuple[float, float]:
    """(latitude, longitude) in GCJ-02; unchanged outside China."""
    if outside_china(latitude, longitude):
        return latitude, longitude
    x, y = longitude - 105.0, latitude - 35.0
    wave = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    d_lat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + wave
    d_lat += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    d_lat += (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    d_lon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + wave
    d_lon += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    d_lon += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    phi = radians(latitude)
    magic = 1 - _EE * sin(phi) ** 2
    d_lat = d_lat * 180 / ((_A * (1 - _EE)) / (magic * sqrt(magic)) * pi)
    d_lon = d_lon * 180 / (_A / sqrt(magic) * cos(phi) * pi)
    return latitude + d_lat, longitude + d_lon


def gcj02_to_wgs84(latitude: float, longitude: float) -> tuple[float, float]:
    """(latitude, longitude) in WGS-84, by iteration to better than a millimetre; unchanged outside China."""
    if outside_china(latitude, longitude):
        return latitude, longitude
    lat, lon = latitude, longitude
    for _n in range(10):
        there = wgs84_to_gcj02(lat, lon)
        d_lat, d_lon = there[0] - latitude, there[1] - longitude
        lat, lon = lat - d_lat, lon - d_lon
        if abs(d_lat) < 1e-10 and abs(d_lon) < 1e-10:
            break
    return lat, lon
