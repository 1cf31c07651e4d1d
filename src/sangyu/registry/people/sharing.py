"""A person's file shown to an account or a subject, part by part (R-027). Called inside an open scope."""

from collections.abc import Iterable

from django.db import connection

from sangyu.kernel.actor import Audience
from sangyu.kernel.models import Share

from .enums import Part
from .models import Person

#: Kinds of ``kernel.Share`` whose object is a person: the file itself and the parts that a consent names.
PERSON_SHARES = ("person", *Part.values)


def share_file(account_id: int, person: Person, parts: Iterable[str], why: str) -> None:
    """Let the family account see the basic file and ``parts``, and no other part."""
    wanted = {"person", *parts}
    with connection.cursor() as cursor:
        for kind in PERSON_SHARES:
            if kind in wanted:
                cursor.execute(
                    "SELECT sangyu.share(%s, %s, %s, %s, %s, NULL, %s)",
                    [Audience.FAMILY.value, account_id, kind, person.pk, person.path, why],
                )
            else:
                _end(cursor, Audience.FAMILY.value, account_id, kind, person.pk, why)


def unshare_file(account_id: int, person_id: int, why: str) -> None:
    """End all parts for the family account, at once."""
    with connection.cursor() as cursor:
        for kind in PERSON_SHARES:
            _end(cursor, Audience.FAMILY.value, account_id, kind, person_id, why)


def end_all(person: Person, why: str) -> list[list]:
    """End every share of the file with anybody; answers [audience, subject, kind] of each that held, for ``give_back``."""
    held = Share.objects.filter(kind__in=PERSON_SHARES, object_id=person.pk, until__isnull=True)
    found = [list(row) for row in held.order_by("id").values_list("audience", "subject_id", "kind")]
    with connection.cursor() as cursor:
        for audience, subject, kind in found:
            _end(cursor, audience, subject, kind, person.pk, why)
    return found


def give_back(person: Person, ended: list[list], why: str) -> int:
    """Open again the shares that ``end_all`` ended, for family accounts whose consent still holds; how many accounts."""
    accounts = {subject for audience, subject, _kind in ended if audience == Audience.FAMILY}
    consented = set(
        person.consents.filter(withdrawn_on__isnull=True, contact__account_id__in=accounts).values_list(
            "contact__account_id", flat=True
        )
    )
    own = accounts - set(person.contacts.filter(account_id__in=accounts).values_list("account_id", flat=True))
    back = consented | own
    for account in sorted(back):
        share_file(account, person, {k for a, s, k in ended if s == account and a == Audience.FAMILY}, why)
    return len(back)


def _end(cursor, audience: str, subject_id: int, kind: str, person_id: int, why: str) -> None:
    cursor.execute("SELECT sangyu.unshare(%s, %s, %s, %s, %s)", [audience, subject_id, kind, person_id, why])
