from datetime import date

import pytest

from sangyu.registry.accounts.models import Account, Grant

PASSWORD = "Mulberry-2026"
LONG_AGO = date(2020, 1, 1)


@pytest.fixture
def make_account(regions):
    """Factory: an account with grants given as (role, region key) or (role, region key, subject id)."""
    from sangyu.registry.accounts import roles

    def make(username="zhoumin", *grants, **fields):
        fields.setdefault("name", username.title())
        account = Account.objects.create_user(username, PASSWORD, **fields)
        for role, key, *subject in grants:
            Grant.objects.create(
                account=account,
                role=role,
                audience=roles.role(role).audience,
                region=regions[key],
                path=regions[key].path,
                subject_id=subject[0] if subject else None,
                valid_from=LONG_AGO,
            )
        return account

    return make


@pytest.fixture
def admin(make_account):
    """Factory: the actor of an administrator account."""

    def make(role="system_administrator", key="city", username=""):
        from sangyu.registry.accounts.selectors import actor_for

        account = make_account(username or f"{role}-{key}".replace("_", "-"), (role, key))
        return actor_for(account, account.grants.select_related("region").get())

    return make
