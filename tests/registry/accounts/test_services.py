"""Accounts, roles and tokens in the hands of administrators: R-002, R-004, R-011, X-07, standards §6.4."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.models import Change, Event
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts import roles, selectors, services, tokens
from sangyu.registry.accounts.models import Account, ApiToken, Grant

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 2)


def create(actor, regions, key="a", **fields):
    fields = {"username": "wang.li", "name": "王丽", "region_id": regions[key].pk, **fields}
    return services.create_account(actor=actor, **fields)


def test_create_gives_a_first_password_that_must_be_changed(regions, admin):
    account, word = create(admin(), regions, mobile="138 0000 3333")
    assert (account.path, account.must_change_password, account.check_password(word)) == (regions["a"].path, True, True)
    assert selectors.by_name_or_mobile("13800003333") == account
    assert selectors.masked_mobile(account) == "138****3333"
    change = Change.objects.get(table_name="accounts_account", row_id=account.pk, op="I")
    assert (change.actor, change.fields) == ("System-Administrator-City", {})


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"username": "ab"}, "username"),
        ({"username": "wang li"}, "username"),
        ({"name": " "}, "name"),
        ({"mobile": "12"}, "mobile"),
    ],
)
def test_wrong_input_changes_nothing(regions, admin, fields, field):
    actor = admin()
    before = Account.objects.count()
    with pytest.raises(Invalid) as e:
        create(actor, regions, **fields)
    assert list(e.value.errors) == [field]
    assert Account.objects.count() == before


def test_names_and_mobiles_are_taken_even_outside_the_area(regions, admin, make_account):
    create(admin(), regions, key="b", mobile="13800003333")
    county = admin(key="a")
    with pytest.raises(Invalid) as e:
        create(county, regions, mobile="13800003333")
    assert sorted(e.value.errors) == ["mobile", "username"]


def test_a_county_administrator_sees_and_makes_only_accounts_of_the_county(regions, admin):
    """R-011: a county administrator cannot see its sibling."""
    mine, _word = create(admin(), regions)
    other, _word = create(admin(username="second"), regions, key="b", username="zhao.qi")
    county = admin(key="a")
    with scope(county):
        assert mine in selectors.accounts(county)
        assert other not in Account.objects.all()
    for call in (
        lambda: services.disable(actor=county, account_id=other.pk, reason="x"),
        lambda: services.give_grant(
            actor=county, account_id=other.pk, role="street", region_id=regions["a_street"].pk, valid_from=TODAY
        ),
        lambda: services.give_grant(
            actor=county, account_id=mine.pk, role="street", region_id=regions["b_street"].pk, valid_from=TODAY
        ),
        lambda: create(county, regions, key="b", username="new.one"),
    ):
        with pytest.raises(NotVisible):
            call()
    other.refresh_from_db()
    assert (other.is_active, Grant.objects.filter(account__in=[mine, other]).count()) == (True, 0)


@pytest.mark.parametrize("role", ["bureau", "street", "operator", "security_administrator", "audit_administrator"])
def test_only_the_system_administrator_manages_accounts(regions, admin, role):
    key = {"street": "a_street"}.get(role, "city")
    actor = admin(role, key)
    with pytest.raises(Forbidden):
        create(actor, regions)
    with pytest.raises(Forbidden):
        services.give_grant(
            actor=actor, account_id=actor.account_id, role="bureau", region_id=regions["a"].pk, valid_from=TODAY
        )


def test_nobody_gives_a_role_to_themselves(regions, admin):
    actor = admin()
    with pytest.raises(Refused) as e:
        services.give_grant(
            actor=actor, account_id=actor.account_id, role="finance", region_id=regions["city"].pk, valid_from=TODAY
        )
    assert e.value.code == "accounts.self"


def test_two_of_the_three_administrators_are_refused_by_service_and_database(regions, admin):
    actor = admin()
    account, _word = create(actor, regions)
    give = {"actor": actor, "account_id": account.pk, "region_id": regions["city"].pk}
    services.give_grant(**give, role="security_administrator", valid_from=TODAY, valid_to=date(2027, 1, 1))
    with pytest.raises(Refused) as e:
        services.give_grant(**give, role="audit_administrator", valid_from=date(2026, 12, 1))
    assert e.value.code == "accounts.two_administrators"
    services.give_grant(**give, role="audit_administrator", valid_from=date(2027, 1, 1))
    with pytest.raises(IntegrityError, match="grant_one_administrator"), transaction.atomic():
        Grant.objects.filter(role="audit_administrator").update(valid_from=TODAY)
    assert Grant.objects.filter(account=account).count() == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"role": "emperor"}, "role"),
        ({"role": "street", "key": "city"}, "region_id"),
        ({"role": "bureau", "subject_id": 3}, "subject_id"),
        ({"role": "worker"}, "subject_id"),
        ({"role": "bureau", "valid_to": TODAY}, "valid_to"),
    ],
)
def test_wrong_roles_are_refused(regions, admin, fields, field):
    actor = admin()
    account, _word = create(actor, regions)
    region = regions[fields.pop("key", "a")]
    with pytest.raises(Invalid) as e:
        services.give_grant(actor=actor, account_id=account.pk, region_id=region.pk, valid_from=TODAY, **fields)
    assert list(e.value.errors) == [field]
    assert Grant.objects.filter(account=account).count() == 0


def test_disabling_closes_sessions_tokens_and_roles(client, regions, admin, make_account):
    actor = admin()
    account = make_account("zhoumin", ("operator", "a"), path=regions["a"].path, region=regions["a"])
    held = sorted(roles.role("operator").permissions)
    tokens.issue(
        grant=account.grants.get(),
        name="x",
        permissions=held[:1],
        expires_on=timezone.localdate() + timedelta(days=3),
        created_by="x",
    )
    client.force_login(account)
    assert client.get("/accounts/me/").status_code == 200
    services.disable(actor=actor, account_id=account.pk, reason="left", today=TODAY)
    assert client.get("/accounts/me/").status_code == 302
    assert (account.grants.get().valid_to, ApiToken.objects.get().revoked_at is not None) == (TODAY, True)
    assert Event.objects.get(name="accounts.disabled").payload == {"id": account.pk}
    with pytest.raises(Refused):
        services.disable(actor=actor, account_id=account.pk, reason="again")
    with pytest.raises(Refused):
        services.disable(actor=actor, account_id=actor.account_id, reason="me")
    word = services.enable(actor=actor, account_id=account.pk)
    account.refresh_from_db()
    assert (account.is_active, account.check_password(word), account.must_change_password) == (True, True, True)


def test_reset_and_unlock_and_second_factor(client, regions, admin, make_account):
    account = make_account("zhoumin", ("street", "a_street"), path=regions["a"].path, region=regions["a"])
    for _i in range(5):
        client.post("/accounts/sign-in/", {"username": "zhoumin", "password": "wrong"})
    assert selectors.locked_until(account) != ""
    services.unlock(actor=admin("security_administrator"), account_id=account.pk)
    assert selectors.locked_until(account) == ""
    word = services.reset_password(actor=admin(), account_id=account.pk)
    assert client.post("/accounts/sign-in/", {"username": "zhoumin", "password": word}).status_code == 302
    with pytest.raises(Invalid):
        services.remove_second_factor(actor=admin("security_administrator", "a"), account_id=account.pk, reason=" ")
    services.remove_second_factor(
        actor=admin("security_administrator", username="third"), account_id=account.pk, reason="phone lost"
    )
    assert Event.objects.filter(name="accounts.second_factor_removed").count() == 1


def test_tokens_hold_only_what_the_role_holds(regions, admin, make_account):
    actor = admin()
    soon = timezone.localdate() + timedelta(days=30)
    token, text = services.create_own_token(actor=actor, name="reports", permissions=["accounts.view"], expires_on=soon)
    assert (token.digest, text.split("_")[1]) == (tokens.digest(text.split("_", 2)[2]), token.prefix)
    found, acting = tokens.identify(text)
    assert (found, acting.permissions, acting.path) == (token, frozenset({"accounts.view"}), actor.path)
    for fields, field in (
        ({"permissions": ["accounts.unlock"]}, "permissions"),
        ({"permissions": []}, "permissions"),
        ({"expires_on": timezone.localdate()}, "expires_on"),
        ({"expires_on": timezone.localdate() + timedelta(days=400)}, "expires_on"),
        ({"name": ""}, "name"),
    ):
        with pytest.raises(Invalid) as e:
            services.create_own_token(
                actor=actor, **{"name": "x", "permissions": ["accounts.view"], "expires_on": soon, **fields}
            )
        assert list(e.value.errors) == [field]
    services.revoke_own_token(actor=actor, token_id=token.pk)
    assert tokens.identify(text) is None
    assert ApiToken.objects.count() == 1


def test_a_system_account_gets_tokens_from_the_security_administrator(regions, admin):
    account, word = create(admin(), regions, username="exchange", kind="system")
    grant = services.give_grant(
        actor=admin(username="x2"),
        account_id=account.pk,
        role="bureau",
        region_id=regions["a"].pk,
        valid_from=date(2020, 1, 1),
    )
    assert (word, account.has_usable_password()) == ("", False)
    held = sorted(roles.role("bureau").permissions)[:1]
    soon = timezone.localdate() + timedelta(days=30)
    _token, text = services.create_system_token(
        actor=admin("security_administrator"), grant_id=grant.pk, name="province", permissions=held, expires_on=soon
    )
    assert tokens.identify(text)[1].permissions == frozenset(held)
    person, _word = create(admin(username="x3"), regions, username="li.si")
    own = services.give_grant(
        actor=admin(username="x4"), account_id=person.pk, role="bureau", region_id=regions["a"].pk, valid_from=TODAY
    )
    with pytest.raises(Refused):
        services.create_system_token(
            actor=admin("security_administrator", username="x5"),
            grant_id=own.pk,
            name="x",
            permissions=held,
            expires_on=soon,
        )


def test_rooms_open_accounts_for_workers_and_families(regions, staff):
    actor = staff("a")
    with scope(actor):
        worker = services.open_subject_account(
            actor=actor, name="刘芳", mobile="13700001234", role="worker", region_id=regions["a"].pk, subject_id=17
        )
        same = services.open_subject_account(
            actor=actor, name="刘芳", mobile="13700001234", role="family", region_id=regions["a"].pk
        )
        with pytest.raises(Invalid):
            services.open_subject_account(
                actor=actor, name="x", mobile="13700001235", role="bureau", region_id=regions["a"].pk
            )
        with pytest.raises(Invalid):
            services.open_subject_account(
                actor=actor, name="x", mobile="", role="worker", region_id=regions["a"].pk, subject_id=1
            )
    assert same == worker
    assert list(worker.grants.order_by("id").values_list("role", "audience", "subject_id")) == [
        ("worker", Audience.WORKER, 17),
        ("family", Audience.FAMILY, worker.pk),
    ]


def test_a_token_neither_makes_a_stronger_one_nor_opens_the_own_account(client, regions, admin):
    soon = timezone.localdate() + timedelta(days=30)
    actor = admin()
    _token, text = services.create_own_token(
        actor=actor, name="x", permissions=["accounts.own_tokens"], expires_on=soon
    )
    _found, acting = tokens.identify(text)
    with pytest.raises(Invalid):
        services.create_own_token(actor=acting, name="y", permissions=["accounts.manage"], expires_on=soon)
    assert ApiToken.objects.count() == 1
    for page in ("me", "password", "second-factor", "role"):
        assert client.get(f"/accounts/{page}/", headers={"Authorization": f"Bearer {text}"}).status_code == 401
