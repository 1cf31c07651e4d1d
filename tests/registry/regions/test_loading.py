"""The published lists in the tree: R-001, R-011."""

from collections import Counter
from datetime import date

import pytest

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Forbidden, Invalid
from sangyu.kernel.scoping import scope
from sangyu.registry.regions import points, selectors, services
from sangyu.registry.regions.enums import Flag, Level, Source
from sangyu.registry.regions.loading import free_segment, segment
from sangyu.registry.regions.models import Region, RegionChange, RegionCode
from sangyu.registry.regions.sources import short_name

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 1)


@pytest.fixture
def job():
    actor = Actor.job("load")
    with scope(actor):
        yield actor


def counts() -> dict[str, int]:
    return dict(Counter(Level(level).name for level in Region.objects.values_list("level", flat=True)))


def test_yingkou_as_published(job):
    """70 streets of the Bureau, 65 of the Ministry, 849 communities (ux.md §2)."""
    done = services.load(actor=job, prefixes=("2108",))
    assert counts() == {"COUNTRY": 1, "PROVINCE": 1, "CITY": 1, "COUNTY": 6, "STREET": 70, "COMMUNITY": 849}
    streets = RegionCode.objects.filter(region__level=Level.STREET)
    assert (streets.filter(source="mca").count(), streets.filter(source="nbs").count()) == (65, 70)
    assert Counter(Region.objects.exclude(flag="").values_list("flag", flat=True)) == {Flag.PSEUDO: 12}
    assert (done.regions, done.codes) == (928, 65 + 70 + 849 + 8)
    assert list(RegionChange.objects.values_list("kind", "moved")) == [("load", {"regions": 928, "codes": 992})]


def test_paths_are_fixed_width_from_the_official_digits_and_children_begin_with_their_parent(job):
    services.load(actor=job, prefixes=("2108",), with_points=False)
    assert selectors.by_code("210802001", TODAY).path == "000021008002001"
    wrong = [
        r
        for r in Region.objects.select_related("parent")
        if len(r.path) != 3 * (r.level + 1) or (r.parent and r.path[:-3] != r.parent.path)
    ]
    assert wrong == []


def test_loading_again_adds_nothing_and_a_second_city_keeps_the_first(job):
    services.load(actor=job, prefixes=("2108",), with_points=False)
    before = dict(Region.objects.values_list("path", "pk"))
    again = services.load(actor=job, prefixes=("2108",), with_points=False)
    assert (again.regions, again.codes) == (0, 0)
    services.load(actor=job, prefixes=("210203",), with_points=False)
    assert counts() == {"COUNTRY": 1, "PROVINCE": 1, "CITY": 2, "COUNTY": 7, "STREET": 75, "COMMUNITY": 898}
    assert {path: pk for path, pk in Region.objects.values_list("path", "pk") if path in before} == before


@pytest.mark.parametrize(
    ("prefix", "streets", "communities"), [("210203", 5, 49), ("220581", 24, 333), ("4112", 82, 1381)]
)
def test_the_other_seed_cities(job, prefix, streets, communities):
    """三门峡: 74 of the Ministry and 8 that only the Bureau lists, one of them (川口) matched across 乡 and 镇."""
    services.load(actor=job, prefixes=(prefix,), with_points=False)
    assert (counts()["STREET"], counts()["COMMUNITY"]) == (streets, communities)


def test_both_codes_of_a_street_are_kept_when_the_sources_disagree(job):
    services.load(actor=job, prefixes=("210203",), with_points=False)
    street = Region.objects.get(name="日新街道")
    assert selectors.code_of(street, Source.MCA, TODAY) == "210203016000"
    assert selectors.code_of(street, Source.NBS, TODAY) == "210203004000"
    assert selectors.by_code("210203016", TODAY) == selectors.by_code("210203004", TODAY, source="nbs") == street


def test_a_tree_made_by_hand_is_recognised_by_its_codes(regions, staff):
    actor = staff("country")
    with scope(actor):
        services.load(actor=actor, prefixes=("2108",), with_points=False)
        assert Region.objects.filter(level=Level.CITY).get().pk == regions["city"].pk
        assert Region.objects.get(name="西市区").pk == regions["b"].pk
        assert Region.objects.get(name="鲅鱼圈区").path == regions["city"].path + "004"


def test_points_lie_in_their_county_and_are_the_same_every_time(job):
    services.load(actor=job, prefixes=("210203",))
    county = Region.objects.get(level=Level.COUNTY)
    ring = points.polygons()["210203"][0]
    located = Region.objects.filter(level__gte=Level.COUNTY, latitude__isnull=False)
    assert located.count() == 1 + 5 + 49
    assert all(
        r.approximate and points.inside(ring, r.longitude, r.latitude) for r in located if r.level != Level.COUNTY
    )
    assert points.county_point(county.code) == (county.latitude, county.longitude)
    assert 38.8 < county.latitude < 39.1
    assert 121.4 < county.longitude < 121.8


def test_what_no_list_names_is_refused(job):
    with pytest.raises(Invalid, match="9999"):
        services.load(actor=job, prefixes=("9999",))
    assert Region.objects.count() == 0


def test_only_the_system_administrator_loads(regions, staff):
    before = Region.objects.count()
    with pytest.raises(Forbidden):
        services.load(actor=staff("city", permissions={"regions.view"}), prefixes=("2108",))
    assert Region.objects.count() == before


def test_the_whole_country_by_copy(job):
    """Streets of the whole country; communities of the four shipped cities."""
    services.load(actor=job, with_points=False)
    found = counts()
    assert (found["PROVINCE"], found["COUNTRY"]) == (33, 1)
    assert RegionCode.objects.filter(source="mca").count() == 41934
    # by its digits: a join with rows of this transaction, of which the planner knows nothing, takes minutes
    streets = RegionCode.objects.filter(source="mca", code__endswith="000").exclude(code__endswith="000000")
    assert streets.count() == 38723
    assert found["COMMUNITY"] == 849 + 49 + 333 + 1381
    beijing = selectors.by_code("110101", TODAY)
    assert (beijing.full_name, beijing.parent.flag) == ("北京市东城区", Flag.PSEUDO)


@pytest.mark.parametrize(
    ("official", "short"),
    [
        ("清华社区居委会", "清华社区"),
        ("清华社区居民委员会", "清华社区"),
        ("红旗村民委员会", "红旗村"),
        ("红旗村村民委员会", "红旗村"),
        ("红旗村委会", "红旗村"),
        ("东风居委会", "东风社区"),
        ("机场生活区", "机场生活区"),
        ("哈日嘎查", "哈日嘎查"),
    ],
)
def test_short_names(official, short):
    assert short_name(official) == short


def test_segments():
    assert [segment(n) for n in (0, 35, 36, 46655)] == ["000", "00z", "010", "zzz"]
    with pytest.raises(ValueError, match="46656"):
        segment(46656)
    taken = {"001"}
    assert [free_segment("001", taken), free_segment("001", taken), free_segment("002", taken)] == ["a00", "a01", "002"]
