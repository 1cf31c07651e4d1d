"""Test session on real engines. ``SANGYU_TEST_DATABASE_URL`` names a running server; without it an embedded one is started."""

from datetime import date

import pytest

from sangyu.kernel.actor import ROOT_PATH, Actor, Audience


@pytest.fixture
def regions(db):
    """A small tree: country > province > city > two counties > a street each > two communities each; keyed by short name."""
    from sangyu.registry.regions.models import Region

    made = {}

    def add(key, parent, level, segment, name, code):
        up = made.get(parent)
        made[key] = Region.objects.create(
            parent=up,
            level=level,
            path=(up.path if up else "") + segment,
            name=name,
            full_name=(up.full_name if up and up.level else "") + name,
            code=code,
            valid_from=date(2000, 1, 1),
        )

    add("country", None, 0, ROOT_PATH, "中国", "000000000000")
    add("province", "country", 1, "001", "辽宁省", "210000000000")
    add("city", "province", 2, "001", "营口市", "210800000000")
    for key, segment, name, code in (("a", "001", "站前区", "210802"), ("b", "002", "西市区", "210803")):
        add(key, "city", 3, segment, name, code + "000000")
        add(key + "_street", key, 4, "001", name[:2] + "街道", code + "001000")
        add(key + "_one", key + "_street", 5, "001", "清华社区", code + "001001")
        add(key + "_two", key + "_street", 5, "002", "胜利社区", code + "001002")
    return made


@pytest.fixture
def staff(regions):
    """Factory: a staff actor of a region of the small tree. ``permissions="*"`` holds every permission."""

    def make(key="city", role="bureau", permissions="*"):
        from sangyu.kernel.permissions import every_permission

        held = every_permission() if permissions == "*" else frozenset(permissions)
        region = regions[key]
        return Actor(audience=Audience.STAFF, path=region.path, name=f"{role} {key}", role=role, region_name=region.name, permissions=held)

    return make
