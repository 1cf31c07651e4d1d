import pytest

from support.assessing import crew_of
from support.world import make_person


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def crew(regions, staff):
    return crew_of(regions["a"], staff("a"))


@pytest.fixture
def person(regions):
    return make_person(regions["a_one"], living="alone")
