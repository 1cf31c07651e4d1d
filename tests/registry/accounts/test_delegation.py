"""Delegated administrators: what a county hands out, the log above it, accounts in bulk, work handed over (R-176, R-011,
R-004, X-07)."""

import io
from datetime import date, timedelta

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xlsxwriter import Workbook

from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.importing import services as importing
from sangyu.kernel.importing.models import ImportBatch
from sangyu.kernel.models import Event, StoredFile
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts import delegation, first_codes, leaving, roles, selectors, services, sign_in
from sangyu.registry.accounts.models import (
    Account,
    AccountSession,
    ApiToken,
    DelegatedAct,
    Grant,
    Handover,
    HandoverItem,
    SignIn,
)
from sangyu.registry.accounts.selectors import actor_for

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 2)


@pytest.fixture
def person(make_account, regions):
    """Factory: an account of a region with grants."""

    def make(username, key, *grants, **fields):
        return make_account(username, *grants, region=regions[key], path=regions[key].path, **fields)

    return make


def give(actor, account, region, role, **more):
    return services.give_grant(
        actor=actor, account_id=account.pk, role=role, region_id=region.pk, valid_from=TODAY, **more
    )


def code_of(error) -> str:
    return error.value.code


# ---------------------------------------------------------------- who hands out what
def test_a_county_hands_out_its_own_roles_at_or_below_itself(admin, person, regions):
    county = admin(key="a")
    account = person("li.na", "a_one")
    for key, role in (("a", "bureau"), ("a_street", "street"), ("a_one", "community")):
        assert give(county, account, regions[key], role).path == regions[key].path
    before = Grant.objects.count(), DelegatedAct.objects.count()
    for key in ("city", "b", "b_one"):
        with pytest.raises(NotVisible):
            give(county, account, regions[key], "bureau")
    for role in ("system_administrator", "security_administrator", "audit_administrator"):
        with pytest.raises(Refused) as e:
            give(county, account, regions["a"], role)
        assert code_of(e) == "accounts.not_delegated"
    assert (Grant.objects.count(), DelegatedAct.objects.count()) == before


def test_security_and_audit_administrators_hand_out_nothing(admin, person, regions):
    account = person("li.na", "a_one")
    for role in ("security_administrator", "audit_administrator"):
        actor = admin(role)
        assert delegation.givable(actor) == frozenset()
        with pytest.raises(Forbidden):
            give(actor, account, regions["a"], "street")
    assert Grant.objects.filter(account=account).count() == 0


@pytest.mark.parametrize(
    "grant", [("bureau", "city"), ("security_administrator", "a"), ("provider_manager", "city", 5)]
)
def test_nobody_reaches_above_through_an_account_below(admin, person, regions, grant):
    """Its home is in the county, its role is not: the county could act as it with a new password."""
    account, county = person("zhao.yu", "a", grant), admin(key="a")
    password = account.password
    acts = [
        lambda: services.reset_password(actor=county, account_id=account.pk),
        lambda: services.disable(actor=county, account_id=account.pk, reason="x"),
        lambda: services.change_account(actor=county, account_id=account.pk, name="X"),
        lambda: give(county, account, regions["a"], "bureau"),
        lambda: leaving.hand_over(actor=county, account_id=account.pk, successor_id=county.account_id, reason="x"),
    ]
    for act in acts:
        with pytest.raises(Refused) as e:
            act()
        assert code_of(e) == "accounts.above"
    account.refresh_from_db()
    assert (account.password, account.name, account.is_active) == (password, "Zhao.Yu", True)
    assert DelegatedAct.objects.count() == 0
    city = admin()
    assert services.reset_password(actor=city, account_id=account.pk)


def test_a_lost_factor_is_taken_off_within_the_region_only(admin, person):
    county = admin("security_administrator", "a")
    own, above = person("own", "a", ("system_administrator", "a")), person("above", "a", ("bureau", "city"))
    services.remove_second_factor(actor=county, account_id=own.pk, reason="phone lost")
    with pytest.raises(Refused) as e:
        services.remove_second_factor(actor=county, account_id=above.pk, reason="phone lost")
    assert code_of(e) == "accounts.above"


def test_a_provider_of_another_area_is_not_handed_out(admin, person, regions, world):
    """A manager sees all rows of his organisation: it must belong to the giver's area."""
    account, inside, outside = person("ma.li", "a_one"), admin(key="a"), admin(key="b")
    give(inside, account, regions["a"], "provider_manager", subject_id=world.organisation.pk)
    other = person("ma.lin", "b_one")
    with pytest.raises(NotVisible):
        give(outside, other, regions["b"], "provider_manager", subject_id=world.organisation.pk)
    with pytest.raises(NotVisible):
        give(inside, account, regions["a"], "worker", subject_id=999_999)
    assert Grant.objects.filter(account=other).count() == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(sorted(roles.all_roles())), st.sampled_from(["country", "city", "a", "a_street", "a_one", "b"])
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(start=st.sampled_from(["city", "a", "b"]), steps=STEPS)
def test_no_chain_of_delegation_widens_scope_or_role(make_account, regions, start, steps):
    """Whoever is at the end of a chain has a role that its first giver could give, at or below the first giver."""
    with transaction.atomic():
        first = make_account("first", ("system_administrator", start))
        giver = beginning = actor_for(first, first.grants.select_related("region").get())
        reach = delegation.givable(beginning)
        for n, (role, key) in enumerate(steps):
            region = regions[key]
            account = make_account(f"link{n}", region=region, path=region.path)
            subject = 7 if roles.role(role).audience in (Audience.PROVIDER, Audience.WORKER) else None
            before = delegation.SUBJECTS.copy()
            delegation.SUBJECTS.clear()  # numbers of providers are not what is looked at here
            try:
                grant = give(giver, account, region, role, subject_id=subject)
            except (Refused, NotVisible, Forbidden, Invalid):
                continue
            finally:
                delegation.SUBJECTS.update(before)
            assert grant.path.startswith(beginning.path)
            assert grant.role in reach
            giver = actor_for(account, Grant.objects.select_related("region").get(pk=grant.pk))
            assert delegation.givable(giver) <= reach
        transaction.set_rollback(True)


def test_a_table_whose_chains_reach_further_is_not_loaded(tmp_path):
    label = "label: {en: X, zh-hans: X}\n  audience: staff\n  session_minutes: 60"
    (tmp_path / "roles.yaml").write_text(
        f"chief:\n  {label}\n  gives: {{2: [deputy]}}\ndeputy:\n  {label}\n  gives: {{3: [clerk]}}\nclerk:\n  {label}\n"
    )
    with pytest.raises(roles.RolesError, match="“chief” of level 2 gives “deputy”, who gives clerk at level 3"):
        roles.load(tmp_path, frozenset())
    (tmp_path / "roles.yaml").write_text(f"chief:\n  {label}\n  gives: {{2: [nobody]}}\n")
    with pytest.raises(roles.RolesError, match="“chief” gives the role “nobody”, which does not exist"):
        roles.load(tmp_path, frozenset())


# ---------------------------------------------------------------- the log
def test_every_act_is_seen_by_the_level_above_and_by_no_sibling(admin, regions):
    county, sibling, city, auditor = admin(key="a"), admin(key="b"), admin(), admin("audit_administrator", "city")
    account, _word = services.create_account(
        actor=county, username="wang.li", name="王丽", region_id=regions["a_one"].pk
    )
    grant = give(county, account, regions["a_one"], "community")
    services.change_account(actor=county, account_id=account.pk, name="王莉")
    services.reset_password(actor=county, account_id=account.pk)
    services.end_grant(actor=county, grant_id=grant.pk)
    services.disable(actor=county, account_id=account.pk, reason="调离")
    services.enable(actor=county, account_id=account.pk)
    expected = ["enable", "disable", "end_grant", "reset", "change", "grant", "create"]
    for actor in (county, city, auditor):
        with scope(actor):
            assert [a.act for a in delegation.visible(actor)] == expected
    with scope(sibling):
        assert list(delegation.visible(sibling)) == []
        assert DelegatedAct.objects.count() == 0
    row = DelegatedAct.objects.get(act="grant")
    assert (row.role, row.region, row.by_name, row.by_role, row.path) == (
        "community", regions["a_one"], county.name, "system_administrator", county.path,
    )  # fmt: skip
    assert DelegatedAct.objects.get(act="disable").reason == "调离"


@pytest.mark.parametrize(
    "statement", ["UPDATE accounts_delegatedact SET reason = ''", "DELETE FROM accounts_delegatedact"]
)
def test_the_log_is_only_added_to(admin, regions, statement):
    city = admin()
    services.create_account(actor=city, username="wang.li", name="王丽", region_id=regions["a"].pk)
    with pytest.raises(ProgrammingError, match="permission denied"), scope(city), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_log_page_filters_and_exports(client, make_account, regions):
    account = make_account("chief", ("system_administrator", "city"))
    actor = actor_for(account, account.grants.select_related("region").get())
    services.create_account(actor=actor, username="wang.li", name="王丽", region_id=regions["a"].pk)
    client.force_login(account)
    assert "王丽" in client.get("/accounts/acts/?act=create").content.decode()
    assert "王丽" not in client.get("/accounts/acts/?act=grant").content.decode()
    assert client.get("/accounts/acts/?since=2020-01-01&until=2020-02-01").status_code == 200


# ---------------------------------------------------------------- in bulk
def workbook(*rows, head=("姓名", "登录名", "手机号", "岗位", "角色", "单位")) -> io.BytesIO:
    content = io.BytesIO()
    book = Workbook(content, {"in_memory": True})
    sheet = book.add_worksheet()
    for n, row in enumerate([head, *rows]):
        sheet.write_row(n, 0, row)
    book.close()
    content.seek(0)
    content.name = "accounts.xlsx"
    return content


def run_import(actor, *rows):
    """(state after the check, counts after the commit or None)."""
    kind = "accounts.roster"
    made = importing.upload(actor=actor, kind=kind, file=workbook(*rows))
    state = importing.state(actor=actor, kind=kind, import_id=made)
    state = importing.match(actor=actor, kind=kind, import_id=made, matching=state.matching)
    if not state.counts["new"]:
        return state, None
    importing.commit(actor=actor, kind=kind, import_id=made)
    from sangyu.kernel import operations

    batch = ImportBatch.objects.get(pk=made)
    operations.run(batch.operation_id)
    batch.refresh_from_db()
    return state, batch


def test_a_workbook_makes_accounts_with_roles_and_says_what_is_wrong_per_row(admin, regions):
    county = admin(key="a")
    make = lambda: run_import(  # noqa: E731
        county,
        ("王丽", "Wang.Li", "13800003333", "网格员", "社区（村）工作人员", "210802001001"),
        ("李强", "li.qiang", "", "", "街道（镇）工作人员", "站前街道"),
        ("赵敏", "wang.li", "", "", "", "站前街道"),
        ("钱一", "qian.yi", "13800003333", "", "", "站前街道"),
        ("孙二", "sun.er", "", "", "系统管理员", "站前街道"),
        ("周三", "zhou.san", "", "", "社区（村）工作人员", "站前街道"),
        ("吴四", "wu.si", "", "", "", "西市街道"),
    )
    state, batch = make()
    assert [(p.row, p.column) for p in state.problems] == [
        (4, "登录名"),
        (5, "手机号"),
        (6, "角色"),
        (7, "角色"),
        (8, "单位"),
    ]
    assert batch.counts["new"] == 2
    li = Account.objects.get(username="wang.li")
    assert (li.name, li.path, li.must_change_password, li.has_usable_password()) == (
        "王丽", regions["a_one"].path, True, False,
    )  # fmt: skip
    assert selectors.by_name_or_mobile("13800003333") == li
    assert [(g.role, g.path) for g in li.grants.all()] == [("community", regions["a_one"].path)]
    assert sorted(DelegatedAct.objects.values_list("act", "account__username")) == [
        ("create", "li.qiang"), ("create", "wang.li"), ("grant", "li.qiang"), ("grant", "wang.li"),
    ]  # fmt: skip
    again, nothing = make()
    assert (again.counts["new"], nothing, Account.objects.filter(path__startswith=county.path).count()) == (0, None, 2)


def test_links_with_an_identity_provider_are_made_beforehand(admin, person, settings, tmp_path):
    from sangyu.kernel import operations
    from sangyu.registry.accounts import oidc
    from sangyu.registry.accounts.models import IdentityLink

    file = tmp_path / "oidc.yaml"
    file.write_text("city: {label: {en: City}, issuer: 'https://id.example.org', client_id: x}")
    settings.SANGYU_OIDC = str(file)
    county = admin(key="a")
    one, two = person("one", "a_one"), person("two", "a_one")
    person("above", "a", ("bureau", "city"))
    person("far", "b_one")
    oidc.link(two, "city", "E-9", "test")
    rows = [("登录名", "工号"), ("One", "E-1"), ("above", "E-2"), ("far", "E-3"), ("two", "E-1"), ("one", "E-9")]
    made = importing.upload(actor=county, kind="accounts.links", file=workbook(*rows[1:], head=rows[0]))
    state = importing.state(actor=county, kind="accounts.links", import_id=made)
    state = importing.match(actor=county, kind="accounts.links", import_id=made, matching=state.matching)
    assert [(p.row, p.column, p.value) for p in state.problems] == [
        (3, "登录名", "above"), (4, "登录名", "far"), (5, "工号", "E-…"), (6, "工号", "E-…"),
    ]  # fmt: skip
    importing.commit(actor=county, kind="accounts.links", import_id=made)
    operations.run(ImportBatch.objects.get(pk=made).operation_id)
    found = {(link.account.username, link.subject) for link in IdentityLink.objects.select_related("account")}
    assert found == {("one", "E-1"), ("two", "E-9")}
    assert DelegatedAct.objects.get(act="link").account == one


def test_only_who_manages_accounts_imports_them(admin):
    with pytest.raises(Forbidden):
        importing.upload(actor=admin("security_administrator"), kind="accounts.roster", file=workbook())


def test_codes_are_on_the_sheet_only_and_new_each_time(admin, person, client, monkeypatch):
    county = admin(key="a")
    fresh, used = person("fresh", "a_one", ("community", "a_one")), person("used", "a_one", last_login=timezone.now())
    other = person("other", "b_one")
    printed = []
    real = first_codes.printing.pdf
    monkeypatch.setattr(first_codes.printing, "pdf", lambda t, data: printed.append(data) or real(t, data))
    before = used.password, other.password, StoredFile.objects.count()
    assert first_codes.first_codes(actor=county)[:5] == b"%PDF-"
    first = printed[0]["slips"]
    assert [(s["username"], s["area"]) for s in first] == [("fresh", fresh.region.full_name)]
    assert client.post("/accounts/sign-in/", {"username": "fresh", "password": first[0]["code"]}).status_code == 302
    assert client.get("/ui/operations/")["Location"].startswith("/accounts/password/")
    Account.objects.filter(pk=fresh.pk).update(last_login=None)
    first_codes.first_codes(actor=county)
    assert printed[1]["slips"][0]["code"] != first[0]["code"]
    fresh.refresh_from_db()
    assert not fresh.check_password(first[0]["code"])
    used.refresh_from_db()
    other.refresh_from_db()
    assert (used.password, other.password, StoredFile.objects.count()) == before
    Account.objects.filter(pk=fresh.pk).update(last_login=timezone.now())
    with pytest.raises(Refused) as e:
        first_codes.first_codes(actor=county)
    assert code_of(e) == "accounts.no_slips"


def test_lists_of_accounts_never_used_unused_and_without_a_factor(admin, person, client):
    now = timezone.now()
    person("never", "a")
    person("old", "a", ("bureau", "a"), last_login=now - timedelta(days=91))
    person("safe", "a", ("bureau", "a"), last_login=now - timedelta(days=89), has_factor=True)
    person("gone", "a", last_login=now, has_factor=True, ends_on=timezone.localdate(now))
    found = {
        use: sorted(selectors.by_use(Account.objects.all(), use).values_list("username", flat=True))
        for use in ("never", "unused", "factor", "needs", "left")
    }
    assert found == {
        "never": ["never"], "unused": ["old"], "factor": ["never", "old"], "needs": ["old"], "left": ["gone"],
    }  # fmt: skip


# ---------------------------------------------------------------- leaving
@pytest.fixture
def begun(person):
    """An import that the leaving officer has begun."""
    account = person("chen.jie", "a_one", ("community", "a_one"))
    actor = actor_for(account, account.grants.select_related("region").get())
    with scope(actor):
        from sangyu.kernel import files

        stored = files.save(actor, title="a.csv", content_type="text/csv", data=b"a", private=True)
        batch = ImportBatch.objects.create(
            kind="people.roster", path=actor.path, file=stored, file_name="名册.csv", headers=[], samples=[], matching={},
            signature="x", account_id=account.pk, audience="staff", actor=account.name, header_row=1, sheet=0,
        )  # fmt: skip
    return account, batch


def test_open_work_moves_to_the_successor_in_one_go(admin, person, begun):
    account, batch = begun
    successor, county = person("next", "a_one", ("community", "a_one")), admin(key="a")
    work = leaving.open_work(county, account)
    assert [(rule.name, [w.words for w in pieces]) for rule, pieces in work] == [("importing.batches", ["名册.csv"])]
    row, count = leaving.hand_over(actor=county, account_id=account.pk, successor_id=successor.pk, reason="退休")
    batch.refresh_from_db()
    assert (count, batch.account_id, batch.actor) == (1, successor.pk, successor.name)
    assert StoredFile.objects.get(pk=batch.file_id).account_id == successor.pk
    assert [(i.rule, i.row_id, i.words) for i in row.items.all()] == [("importing.batches", batch.pk, "名册.csv")]
    assert DelegatedAct.objects.get(act="hand_over").account == account
    assert Event.objects.get(name="accounts.handed_over").payload == {
        "id": account.pk, "successor": successor.pk, "count": 1,
    }  # fmt: skip
    with pytest.raises(Refused) as e:
        leaving.hand_over(actor=county, account_id=account.pk, successor_id=successor.pk, reason="退休")
    assert code_of(e) == "accounts.no_work"
    assert Handover.objects.count() == 1


def test_a_rule_that_refuses_leaves_everything_where_it_was(admin, person, begun, monkeypatch):
    from sangyu.kernel import handover

    def refuse(holder, successor, ids):
        raise Refused("not now", code="test")

    more = handover.HandoverRule("test", "test", lambda h: [handover.Work(1, "000", "x")], refuse)
    monkeypatch.setattr(leaving, "rules", lambda: (*handover.rules(), more))
    account, batch = begun
    successor, county = person("next", "a_one"), admin(key="a")
    with pytest.raises(Refused) as e:
        leaving.hand_over(actor=county, account_id=account.pk, successor_id=successor.pk, reason="退休")
    assert code_of(e) == "test"
    batch.refresh_from_db()
    assert (batch.account_id, Handover.objects.count(), HandoverItem.objects.count()) == (account.pk, 0, 0)


def test_the_successor_is_another_usable_person_of_the_area(admin, person, begun):
    account, batch = begun
    county = admin(key="a")
    others = [
        account, person("far", "b_one"), person("off", "a_one", is_active=False), person("robot", "a", kind="system"),
    ]  # fmt: skip
    for other in others:
        with pytest.raises(Invalid) as e:
            leaving.hand_over(actor=county, account_id=account.pk, successor_id=other.pk, reason="退休")
        assert list(e.value.errors) == ["successor_id"]
    with pytest.raises(Invalid):
        leaving.hand_over(actor=county, account_id=account.pk, successor_id=person("next", "a_one").pk, reason=" ")
    with pytest.raises(NotVisible):
        leaving.hand_over(actor=admin(key="b"), account_id=account.pk, successor_id=others[1].pk, reason="x")
    batch.refresh_from_db()
    assert batch.account_id == account.pk


def test_a_workers_visits_are_listed_and_not_moved(admin, person, world):
    from sangyu.care.orders import handover as handing_over
    from sangyu.kernel.handover import Holder

    assert handing_over.open_of(Holder(1, "x", {Audience.WORKER: (world.lead.pk,)})) == []
    assert handing_over.handover_rules[0].move is None


def test_the_leave_date_closes_access(client, make_account):
    account = make_account("zhoumin", ("street", "a_street"))
    client.force_login(account)
    assert client.get("/accounts/me/").status_code == 200
    Account.objects.update(ends_on=timezone.localdate())
    assert client.get("/accounts/me/").status_code == 302
    other = make_account("stays", ("street", "a_street"))
    client.force_login(other)
    AccountSession.objects.create(session_key="s", session_data="", expire_date=timezone.now(), account=account)
    ApiToken.objects.create(
        account=account, grant=account.grants.get(), path="000", name="x", prefix="p", digest="d", permissions=[],
        created_by="x", expires_on=date(2030, 1, 1),
    )  # fmt: skip
    assert leaving.end_left() == 1
    assert (leaving.end_left(), AccountSession.objects.filter(account=account).count()) == (0, 0)
    assert ApiToken.objects.get().revoked_at is not None
    assert AccountSession.objects.filter(account=other).count() == 1


def test_two_places_at_once_are_noted_once(client, make_account, rf):
    account = make_account("zhoumin", ("street", "a_street"))
    for n, source in enumerate(("10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.2")):
        other = type(client)(REMOTE_ADDR=source)
        answer = other.post("/accounts/sign-in/", {"username": "zhoumin", "password": "Mulberry-2026"})
        assert answer.status_code == 302, n
    found = SignIn.objects.filter(outcome="two_places")
    assert [(s.account, s.source, s.agent) for s in found] == [(account, "10.0.0.2", "10.0.0.1 + 10.0.0.2")]
    AccountSession.objects.update(last_seen=timezone.now() - sign_in.AT_ONCE - timedelta(seconds=1))
    other = type(client)(REMOTE_ADDR="10.0.0.3")
    other.post("/accounts/sign-in/", {"username": "zhoumin", "password": "Mulberry-2026"})
    assert found.count() == 1


@pytest.mark.parametrize(
    "page", ["acts/", "handovers/", "import/", "first-codes/", "?use=never", "?use=needs", "?use=unused", "?use=factor"]
)
def test_pages_open(client, make_account, page):
    client.force_login(make_account("chief", ("system_administrator", "city")))
    assert client.get(f"/accounts/{page}").status_code == 200


def test_the_hand_over_on_screen(client, make_account, person, begun):
    account, _batch = begun
    client.force_login(make_account("chief", ("system_administrator", "city")))
    successor = person("next", "a_one", ("community", "a_one"))
    assert "名册.csv" in client.get(f"/accounts/{account.pk}/work/").content.decode()
    answer = client.post(f"/accounts/{account.pk}/hand-over/", {"successor_id": successor.pk, "reason": "退休"})
    assert answer.status_code in (302, 303)
    page = client.get(answer["Location"]).content.decode()
    assert "名册.csv" in client.get(answer["Location"] + "items/").content.decode() or "名册.csv" in page
    assert client.get("/accounts/handovers/").status_code == 200
