"""Who works in the rooms of the registry."""

from dataclasses import replace

import pytest

from sangyu.registry.accounts.models import Account


@pytest.fixture
def clerk(staff, regions):
    """Staff of county a with an account: an import belongs to who started it."""
    of = {"region": regions["a"], "path": regions["a"].path}
    account = Account.objects.create_user(
        "clerk", "Mulberry-2026", pk=900_007, name="bureau a", **of
    )  # beyond the sequence
    return replace(staff("a"), account_id=account.pk)
