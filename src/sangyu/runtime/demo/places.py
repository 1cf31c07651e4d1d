"""Where demo people live: communities of the city with their share of the elders, points and addresses."""

from dataclasses import dataclass
from random import Random

from sangyu.registry.regions import points
from sangyu.registry.regions.enums import Level
from sangyu.registry.regions.models import Region

from .shares import Wheel

#: Degrees around a community's point within which its people live (about 350 m), less near the county's border.
AROUND = 0.0035
_ROADS = [
    "渤海大街",
    "学府路",
    "市府路",
    "金牛山大街",
    "盼盼路",
    "少年宫街",
    "东风路",
    "体育馆路",
    "新华路",
    "民生路",
    "平安路",
    "光华路",
    "辽河大街",
    "青花大街",
    "昆仑大街",
    "长江路",
    "黄山路",
    "红旗大街",
    "站前路",
    "哈大路",
    "钢铁街",
    "健康路",
    "文化路",
    "建设街",
]
_ESTATES = [
    "阳光花园",
    "和平小区",
    "新兴里",
    "幸福家园",
    "明珠园",
    "福泰小区",
    "丽景苑",
    "红运小区",
    "光明里",
    "东方华城",
    "惠民小区",
    "振兴里",
    "锦绣园",
    "河海家园",
]
_FLOORS = Wheel((3, 6, 7, 11, 18), (5, 52, 23, 12, 8))


@dataclass(frozen=True, slots=True)
class Place:
    """One community (or a street without any) where elders are registered."""

    region_id: int
    path: str
    code: str
    name: str
    address: str
    county: str
    urban: bool
    latitude: float | None
    longitude: float | None
    reach: float
    weight: float

    @property
    def area(self) -> str:
        """The six digits that numbers of people born here begin with."""
        return self.code[:6]

    def point(self, rng: Random) -> tuple[float | None, float | None]:
        """A home near the community's point, WGS-84, six decimals (0.1 m)."""
        if self.latitude is None:
            return None, None
        return (
            round(self.latitude + rng.uniform(-self.reach, self.reach), 6),
            round(self.longitude + rng.uniform(-self.reach, self.reach), 6),
        )

    def home(self, rng: Random) -> tuple[str, int, bool]:
        """(address, floor, lift): block, entrance and flat in town, group and number in a village."""
        if not self.urban:
            return f"{self.address}{rng.randint(1, 9)}组{rng.randint(1, 160)}号", 1, False
        floors = _FLOORS.spin(rng)
        floor = rng.randint(1, floors)
        estate = rng.choice(_ESTATES) if rng.random() < 0.55 else f"{rng.choice(_ROADS)}{rng.randint(1, 180)}号"
        flat = f"{floor}0{rng.randint(1, 4)}"
        return f"{self.address}{estate}{rng.randint(1, 28)}号楼{rng.randint(1, 5)}单元{flat}室", floor, floors > 7


def places(city: str) -> list[Place]:
    """Communities under the city with the code digits ``city``, ordered by code; streets where nothing lies below them."""
    rows = list(Region.objects.filter(code__startswith=city, valid_to__isnull=True).order_by("path"))
    by_path = {r.path: r for r in rows}
    parents = {r.path[:-3] for r in rows}
    leaves = [r for r in rows if r.level >= Level.STREET and r.path not in parents]
    found = []
    for leaf in leaves:
        street = leaf if leaf.level == Level.STREET else by_path[leaf.path[:-3]]
        county = by_path[street.path[:-3]]
        rng = Random(f"place {leaf.code}")
        urban = leaf.urban if leaf.urban is not None else not leaf.name.endswith("村")
        located = leaf.latitude is not None
        found.append(
            Place(
                region_id=leaf.pk,
                path=leaf.path,
                code=leaf.code,
                name=leaf.name,
                address=f"{county.name}{street.name}{leaf.name if leaf is not street else ''}",
                county=county.name,
                urban=urban,
                latitude=leaf.latitude,
                longitude=leaf.longitude,
                reach=_reach(county, leaf.latitude, leaf.longitude) if located else 0.0,
                weight=(1.9 if urban else 1.0) * rng.lognormvariate(0, 0.4),
            )
        )
    return found


def share_out(total: int, weights: list[float]) -> list[int]:
    """``total`` whole things over ``weights`` by largest remainder: the parts sum to ``total``."""
    whole = sum(weights)
    exact = [total * w / whole for w in weights]
    parts = [int(x) for x in exact]
    largest = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in largest[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _reach(county: Region, latitude: float, longitude: float) -> float:
    """How far from the community's point homes may lie and still be in the county, in degrees."""
    rings = points.polygons().get(county.code[:6], [])[:1]
    reach = AROUND
    for _halving in range(3):
        corners = [(longitude + dx * reach, latitude + dy * reach) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        if all(points.inside(ring, x, y) for ring in rings for x, y in corners):
            return reach
        reach /= 2
    return 0.0
