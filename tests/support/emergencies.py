"""Alarms and a desk for tests of emergencies."""

from datetime import datetime, timedelta
from itertools import count

from django.utils.timezone import make_aware

from sangyu.care.signals.services import Raised
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.permissions import every_permission

#: A Wednesday morning.
NOW = make_aware(datetime(2026, 10, 14, 9, 0))
JOB = Actor.job("signals")
_ids = count(1)


def alarm(person=None, kind="sos", level=1, *, at=NOW, lag=1, alarm_id=None, path=None, **more) -> Raised:
    """An alarm of ``person``, received ``lag`` seconds after the device's time."""
    values = {"product": "watch-3g", "rule": kind, "received_at": at + timedelta(seconds=lag)} | more
    return Raised(
        alarm_id=alarm_id or next(_ids), person_id=person and person.pk, path=path or person.path, kind=kind, level=level,
        at=at, **values,
    )  # fmt: skip


def account(region, name, username=None):
    """An account that may be named in a case."""
    from sangyu.registry.accounts.models import Account

    return Account.objects.create(username=username or f"u{next(_ids)}", name=name, region=region, path=region.path)


def operator(region, name="王丽", role="operator", permissions=None) -> Actor:
    """A signed-in operator of ``region`` with every permission."""
    held = every_permission() if permissions is None else frozenset(permissions)
    made = account(region, name)
    return Actor(
        Audience.STAFF, region.path, name, account_id=made.pk, role=role, region_name=region.name, permissions=held
    )


def signed_in(actor_or_account, now=NOW, role="operator", region=None):
    """An open session (and grant) of an account at ``now``."""
    from sangyu.registry.accounts.models import Account, AccountSession, Grant
    from sangyu.registry.regions.models import Region

    pk = getattr(actor_or_account, "account_id", None) or actor_or_account.pk
    made = Account.objects.get(pk=pk)
    region = region or Region.objects.get(path=made.path)
    audience = {"worker": "worker", "family": "family"}.get(role, "staff")
    grant = Grant.objects.create(
        account=made, role=role, audience=audience, path=region.path, region=region, valid_from="2026-01-01",
        subject_id=None if audience == "staff" else made.pk,
    )  # fmt: skip
    AccountSession.objects.create(
        session_key=f"k{next(_ids)}", session_data="", expire_date=now + timedelta(hours=12), account=made, grant=grant,
        started_at=now, last_seen=now,
    )  # fmt: skip
    return grant


def facility(region, name, *, kind="station", metres=500, person=None, state="operating", organisation=None):
    """A facility north of the elder by ``metres`` in a straight line."""
    from sangyu.registry.facilities.models import Facility, FacilityFact

    made = Facility.objects.create(
        name=name, kind=kind, region=region, path=region.path, opened_on="2020-01-01", urban_rural="urban",
        latitude=(person.latitude if person else 40.661) + metres / 111_195, longitude=person.longitude if person else 122.231,
        telephone="0417-2800000", organisation=organisation,
    )  # fmt: skip
    FacilityFact.objects.create(
        subject=made, kind="state", value=state, valid_from="2020-01-01", path=made.path, source="test"
    )
    return made


def contact(person, name, *, priority=1, phone="13841700001", account=None, relation="2"):
    from sangyu.registry.people.models import Contact

    return Contact.objects.create(
        person=person, path=person.path, name=name, relation=relation, phone=phone, priority=priority, account=account,
        phone_index=Contact._meta.get_field("phone").indexes["phone_index"](phone),
    )  # fmt: skip
