"""Sign-ins of relatives and elders who look at their own files."""

from datetime import date
from random import Random

from sangyu.kernel.actor import Actor
from sangyu.registry.people import services as people
from sangyu.registry.people.enums import Purpose
from sangyu.registry.people.models import Consent, Person

from .accounts import Accounts

FAMILIES, ELDERS = 6, 4


def open_family_accounts(actor: Actor, accounts: Accounts, near: str, *, today: date) -> int:
    """Accounts for some relatives who were given consent, and for some elders; the first live under the path ``near``."""
    consents = Consent.objects.filter(purpose=Purpose.FAMILY_VIEW, withdrawn_on=None, person__died_on=None)
    chosen = _near_first(consents.select_related("person__region", "contact"), near, FAMILIES, lambda c: c.person.path)
    for n, consent in enumerate(chosen, 1):
        person = consent.person
        account = accounts.make(f"family{n:02d}" if n > 1 else "family", consent.contact.name, "family", person.region)
        people.link_contact_account(actor=actor, contact_id=consent.contact_id, account_id=account.pk)
    able = Person.objects.filter(died_on=None, registered_on__isnull=False, phone_index__isnull=False)
    able = able.exclude(pk__in=[c.person_id for c in chosen]).select_related("region")
    rows = _near_first(able.order_by("id")[:2000], near, 200, lambda p: p.path)
    for n, person in enumerate(Random("elders who sign in").sample(rows[:40], min(ELDERS, len(rows))), 1):
        account = accounts.make(f"elder{n:02d}" if n > 1 else "elder", person.name, "elder", person.region)
        people.link_account(actor=actor, person_id=person.pk, account_id=account.pk)
    return len(chosen) + min(ELDERS, len(rows))


def _near_first(rows, near: str, count: int, path) -> list:
    return sorted(rows, key=lambda r: (not path(r).startswith(near), r.pk))[:count]
