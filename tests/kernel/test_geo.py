"""Datum conversion and distance (standards §4: store value, datum, accuracy; convert for display)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sangyu.kernel.geo import (
    Datum,
    Point,
    bounding_box,
    gcj02_to_wgs84,
    haversine,
    metres_from,
    outside_china,
    wgs84_to_gcj02,
)
from sangyu.registry.regions.models import Region

china = {"latitude": st.floats(18.2, 53.5), "longitude": st.floats(73.6, 134.7)}


def test_known_offset():
    # Tian'anmen, the pair printed in most public converters
    lat, lon = wgs84_to_gcj02(39.908823, 116.397470)
    assert (lat, lon) == (pytest.approx(39.910227, abs=2e-5), pytest.approx(116.403713, abs=2e-5))


@given(**china)
def test_inverse_is_exact_to_a_millimetre(latitude, longitude):
    there = wgs84_to_gcj02(latitude, longitude)
    if outside_china(*there):
        return
    back = gcj02_to_wgs84(*there)
    assert haversine(latitude, longitude, *back) < 0.001
    assert haversine(latitude, longitude, *there) < 1000


def test_outside_china_nothing_moves():
    assert wgs84_to_gcj02(48.8566, 2.3522) == (48.8566, 2.3522)
    assert gcj02_to_wgs84(48.8566, 2.3522) == (48.8566, 2.3522)


def test_points_of_different_datum_are_compared_in_one():
    home = Point(40.6674, 122.2352, 12.0)
    seen = home.gcj02()
    assert seen.datum is Datum.GCJ02
    assert seen.accuracy == 12.0
    assert home.metres_to(seen) < 0.001
    assert haversine(home.latitude, home.longitude, seen.latitude, seen.longitude) > 300


@pytest.mark.parametrize("wrong", [(91, 0), (0, 181), (float("nan"), 0)])
def test_a_place_off_the_earth_is_refused(wrong):
    with pytest.raises(ValueError, match="not a place on Earth"):
        Point(*wrong)


def test_negative_accuracy_is_refused():
    with pytest.raises(ValueError, match="accuracy"):
        Point(40, 122, -1)


def test_haversine_of_one_degree_of_latitude():
    assert haversine(40, 122, 41, 122) == pytest.approx(111_195, abs=1)
    assert haversine(0, 0, 0, 180) == pytest.approx(20_015_115, abs=1)


@given(metres=st.floats(10, 50_000), **china)
def test_the_box_holds_the_circle(metres, latitude, longitude):
    south, north, west, east = bounding_box(latitude, longitude, metres)
    for lat, lon in ((south, longitude), (north, longitude), (latitude, west), (latitude, east)):
        assert haversine(latitude, longitude, lat, lon) >= metres * 0.999


@pytest.mark.django_db
def test_sql_says_the_same_and_null_stays_null(regions):
    places = {"a": (40.6674, 122.2352), "b": (40.70, 122.2), "a_one": (40.6674, 122.2352)}
    for key, (lat, lon) in places.items():
        Region.objects.filter(pk=regions[key].pk).update(latitude=lat, longitude=lon)
    rows = dict(Region.objects.annotate(metres=metres_from(40.6674, 122.2352)).values_list("pk", "metres"))
    for key, region in regions.items():
        if key in places:
            assert rows[region.pk] == pytest.approx(haversine(40.6674, 122.2352, *places[key]), abs=0.01)
        else:
            assert rows[region.pk] is None
