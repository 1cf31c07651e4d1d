"""What several services need: loading under lock, one step of a graph, who may not do the next thing, accounts."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Sum
from django.utils.translation import gettext as _

from sangyu.kernel import bulk
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible, Refused
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.ledger.enums import Unit
from sangyu.kernel.publishing import require_responsible
from sangyu.kernel.workflow import Workflow

from ..enums import LineState, RunAction
from ..models import Fund, Line, Run
from ..workflow import RUN_FLOW

#: Owner kind of a fund's accounts and what they are for (docs/rooms/benefits.md).
FUND = "benefit_fund"
SOURCE, AVAILABLE, OTHER = "source", "available", "other"
VOUCHER, SERVICE, INSURANCE = "voucher", "service", "insurance"
IN_BANK, PAID, RECEIVABLE, WAIVED = "in_bank", "paid", "receivable", "waived"
#: Purposes of a subject's accounts.
DUE, OWED = "benefit_due", "benefit_owed"
_NO_FLOOR = {SOURCE, OWED}


def get(model, pk: int, *, lock: bool = False):
    """The row as the open scope sees it; raises NotVisible."""
    rows = model.objects.select_for_update(of=("self",)) if lock else model.objects.all()
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


def run_of(actor: Actor, pk: int) -> Run:
    """The run, locked; streets read their county's run, and only its own region or one above acts on it."""
    run = get(Run, pk, lock=True)
    require_responsible(actor, run.path)
    return run


def apply(actor: Actor, run: Run, action: RunAction, *, now: datetime | None = None, **kwargs) -> Run:
    """One step of a run; see kernel.workflow.Workflow.apply."""
    return RUN_FLOW.apply(actor=actor, queryset=Run.objects.all(), pk=run.pk, action=action, row=run, now=now, **kwargs)


def log_many(flow: Workflow, actor: Actor, rows: Iterable, action, source, target, now: datetime, **data) -> None:
    """Trail of a step that many rows took, in one statement; ``rows`` are (id, reason)."""
    bulk.insert_rows(
        flow.log(), (f"{flow.log_fk}_id", "reason"), ((pk, why[:500]) for pk, why in rows), action=action, source=source,
        target=target, at=now, account_id=actor.account_id, actor=actor.name, data=data,
    )  # fmt: skip


def same_person(actor: Actor, name: str, account_id: int | None) -> bool:
    """Whether ``actor`` is who did an earlier step, by account, by name where nobody had one."""
    return actor.account_id == account_id if actor.account_id is not None else bool(name) and actor.name == name


def four_eyes(actor: Actor, *steps: tuple[str, int | None, str]) -> None:
    """Raises Refused("benefits.four_eyes") when ``actor`` did one of the earlier ``steps`` (name, account, words)."""
    for name, account_id, words in steps:
        if same_person(actor, name, account_id):
            raise Refused(
                _("Who %(did)s does not do this too. Ask a colleague.") % {"did": words}, code="benefits.four_eyes"
            )


def totals(run: Run) -> dict[str, int]:
    """Sums of the lines as they stand: to pay, and withheld."""
    sums = dict(Line.objects.filter(run=run).values_list("state").annotate(total=Sum("amount")).order_by())
    return {"total": sums.get(LineState.OPEN, 0), "withheld": sums.get(LineState.WITHHELD, 0)}


def funds_of(run: Run) -> dict[str, Fund]:
    """Code → the fund that answers for it in the run's region: the nearest upwards that holds in the month."""
    found: dict[str, Fund] = {}
    for fund in Fund.objects.on(run.month).order_by("path"):
        if run.path.startswith(fund.path):
            found[fund.code] = fund
    return found


def fund_account(actor: Actor, fund: Fund, purpose: str) -> int:
    """A fund's account. What may leave ``available`` has no floor unless the fund is limited."""
    free = purpose in _NO_FLOOR or (purpose == AVAILABLE and not fund.limited)
    return ledger.open_account(
        actor=actor, owner_kind=FUND, owner_id=fund.pk, unit=Unit.FEN, purpose=purpose, path=fund.path,
        floor=None if free else 0,
    )  # fmt: skip


def subject_accounts(
    actor: Actor, purpose: str, rows: Iterable[tuple[str, int, str, int | None]]
) -> dict[tuple[str, int], int]:
    """(kind, id) → account, opened where it is missing; ``rows`` are (kind, id, path, person id)."""
    found: dict[tuple[str, int], int] = {}
    by_kind: dict[str, dict[int, tuple[int, str, int | None]]] = {}
    for kind, pk, path, person_id in rows:
        by_kind.setdefault(kind, {})[pk] = (pk, path, person_id)
    for kind, wanted in by_kind.items():
        ids = ledger.open_accounts(
            actor=actor, owner_kind=kind, unit=Unit.FEN, purpose=purpose, rows=list(wanted.values()),
            floor=None if purpose in _NO_FLOOR else 0,
        )  # fmt: skip
        found.update({(kind, pk): account for pk, account in zip(wanted, ids, strict=True)})
    return found
