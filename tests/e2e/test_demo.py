"""A small demo city built whole: the one that runs for the tests of this process, looked at before they change it."""

from collections import Counter

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import RequestFactory, override_settings
from django.utils import timezone

from sangyu.kernel import checks
from sangyu.kernel.identity import age_on
from sangyu.registry.accounts import roles, sign_in
from sangyu.registry.accounts.models import Account
from sangyu.registry.people.models import Person, PersonFact
from sangyu.runtime.demo import shares
from sangyu.runtime.demo.accounts import PASSWORD
from sangyu.runtime.demo.elders import DIFFICULT_SOURCE
from sangyu.runtime.trial import City

pytestmark = pytest.mark.stack
ELDERS = City.ELDERS


@pytest.fixture(scope="module")
def city(town, django_db_blocker):
    """The running city; while it is held, Django's connection here is the city's, past every scope."""
    there, own_settings = town.city.ask(
        "from django.conf import settings\n"
        "place = {k: settings.DATABASES['default'][k] for k in ('NAME', 'USER', 'PASSWORD', 'HOST', 'PORT')}\n"
        "answer = place, {k: getattr(settings, k) for k in ('SANGYU_KEYS', 'PASSWORD_HASHERS')}"
    )
    own = {key: connection.settings_dict[key] for key in there}
    connection.close()
    connection.settings_dict.update(there)
    with django_db_blocker.unblock(), override_settings(**own_settings):
        yield town.city
        connection.close()
    connection.settings_dict.update(own)


def counts() -> tuple[int, int, int]:
    return Person.objects.count(), Account.objects.count(), PersonFact.objects.count()


@pytest.fixture(scope="module")
def again(city):
    """What a second `sangyu demo` says; it changes nothing."""
    before = counts()
    done = city.sangyu("demo", "--elders", str(ELDERS), "--orders", str(City.ORDERS))
    assert (done.returncode, counts()) == (0, before), done.stdout + done.stderr
    return done.stdout


def test_people_are_there(city):
    today = timezone.localdate()
    living = Person.objects.filter(died_on=None, registered_on__isnull=False)
    assert living.count() == ELDERS - 1  # a late death of the benefit runs
    assert Person.objects.exclude(died_on=None).count() == round(ELDERS * shares.DECEASED / 100) + 1
    births, sources = zip(*living.values_list("birth_date", "source"), strict=True)
    assert min(age_on(birth, today) for birth in births) >= 60
    assert all(source.startswith("演示") for source in sources)
    assert not Person.objects.exclude(region__code__startswith="2108").exists()


def test_disabled_and_partly_disabled_make_the_whole(city):
    """R-023 on the rows: the database's parts reconcile for the size of the city."""
    rows = PersonFact.objects.filter(
        subject__source=DIFFICULT_SOURCE, kind="care_level", superseded_at=None, valid_to=None
    )
    levels = Counter(rows.values_list("value", flat=True))
    assert (levels["3"] + levels["4"], levels["1"] + levels["2"]) == shares.difficult(ELDERS)
    assert sum(levels.values()) == Person.objects.filter(source=DIFFICULT_SOURCE).count()


def test_work_on_files_waits(city):
    from sangyu.registry.duplicates.models import Candidate
    from sangyu.registry.privacy.models import Request
    from sangyu.registry.statuslists.models import StatusLine
    from sangyu.registry.transfers.models import Transfer

    assert Candidate.objects.filter(state="open").count() >= 3
    transfer = Transfer.objects.get()
    assert (transfer.state, transfer.path[:12] != transfer.held_path[:12]) == ("requested", True)
    assert sorted(Request.objects.values_list("kind", "state")) == [("copy", "received"), ("correction", "in_work")]
    outcomes = Counter(StatusLine.objects.values_list("outcome", flat=True))
    assert outcomes == {"hit": 1, "new": 1, "conflict": 1, "miss": 1}


def test_every_state_of_an_order_is_there(city):
    from sangyu.care.orders.enums import State
    from sangyu.care.orders.models import Order

    missing = {str(s) for s in State} - set(Order.objects.values_list("state", flat=True))
    assert missing == set()


def test_orders_were_really_played(city):
    from sangyu.care.orders.models import Offer, Order, OrderLog, Refund, ReturnVisit
    from sangyu.care.settlement.models import Statement

    paid = Order.objects.filter(state="settled")
    assert OrderLog.objects.filter(order__in=paid, action="arrive").count() == paid.count()
    assert Offer.objects.filter(order__in=paid, state="accepted").count() == paid.count()
    assert Order.objects.filter(state="cancelled", fee__gt=0).exists()
    assert Refund.objects.exists()
    assert set(ReturnVisit.objects.values_list("state", flat=True)) == {"due", "done"}
    assert {"approved", "paid"} <= set(Statement.objects.values_list("state", flat=True))
    for statement in Statement.objects.annotate(lines_price=Sum("lines__price")):
        assert statement.price == statement.lines_price > 0


def test_books_balance(city):
    """Ledger sums to zero per unit, vouchers agree with their accounts, statements with their lines."""
    import sangyu.care.settlement.checks
    import sangyu.care.vouchers.checks
    import sangyu.kernel.ledger.checks  # noqa: F401

    with connection.cursor() as cursor:
        assert {name: found for name, found in checks.run(cursor).items() if found} == {}


def test_every_role_signs_in(city, again):
    request = RequestFactory().post("/", REMOTE_ADDR="203.0.113.7")
    accounts = list(Account.objects.prefetch_related("grants"))
    assert {g.role for a in accounts for g in a.grants.all()} == set(roles.all_roles())
    plainest = sorted(accounts, key=lambda a: len(a.username), reverse=True)
    first = {g.role: a for a in plainest for g in a.grants.all()}
    for account in first.values():
        assert sign_in.check_password(request, account.username, PASSWORD).pk == account.pk
        assert account.must_change_password is False
    for role in first:
        assert first[role].username in again
    assert len({a.password for a in accounts}) == 1


def test_a_second_run_finds_every_stage_there(again):
    assert again.count("there already") == 22
    assert f"{ELDERS - 1} elders; in special difficulty 1 = " in again  # one died since
