"""Who is paid for a payment: the approved account of the person or body (room applications)."""

from collections.abc import Iterable
from dataclasses import dataclass

from sangyu.care.applications import selectors as applications
from sangyu.kernel.scoping import as_system
from sangyu.registry.people import selectors as people

from . import subjects
from .models import Payment


@dataclass(frozen=True, slots=True)
class Payee:
    """Account holder, number and bank; ``name`` and ``id_number`` are the entitled person's."""

    holder: str
    number: str = ""
    bank: str = ""
    name: str = ""
    id_number: str = ""


def of(payments: Iterable[Payment], *, need_account: bool) -> dict[int, Payee]:
    """Payment → payee. With ``need_account`` who has no approved account is left out: the payments wait."""
    payments = list(payments)
    person_ids = {p.person_id for p in payments if p.person_id is not None}
    with as_system("who moved away is paid by the region of that time"):
        accounts = applications.payees(person_ids) if need_account else {}
        bodies = ((p.subject_kind, p.subject_id) for p in payments if p.person_id is None)
        of_bodies = applications.body_payees(bodies) if need_account else {}
        numbers = {} if need_account else people.id_numbers(person_ids)
        names = subjects.names((p.subject_kind, p.subject_id) for p in payments)
    found = {}
    for p in payments:
        name = names.get((p.subject_kind, p.subject_id), "")
        account = accounts.get(p.person_id) or of_bodies.get((p.subject_kind, p.subject_id))
        if account is not None:
            found[p.pk] = Payee(account.holder, account.number, account.bank, name)
        elif not need_account:
            found[p.pk] = Payee(name, name=name, id_number=numbers.get(p.person_id, ""))
    return found
