"""Who works in the rooms of the registry."""

from dataclasses import replace

import pytest


@pytest.fixture
def clerk(staff):
    """Staff of county a with an account: an import belongs to who started it."""
    return replace(staff("a"), account_id=7)
