"""What several services of vouchers need: the accounts of a programme, loading under lock."""

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.ledger.enums import Unit

from ..models import Programme, Voucher

#: Owner kinds and purposes of this room's accounts (docs/rooms/vouchers.md).
PROGRAMME, VOUCHER = "voucher_programme", "voucher"
ISSUED, SPENT, LAPSED, CANCELLED = "issued", "spent", "lapsed", "cancelled"


def programme_account(actor: Actor, programme: Programme, purpose: str) -> int:
    """Account of a programme. ``issued`` has no floor: it is negative by all that was ever issued. ``spent`` is passed
    through within one transaction and is zero outside it (a check says so), but a refund takes from it before it gives.
    """
    return ledger.open_account(
        actor=actor,
        owner_kind=PROGRAMME,
        owner_id=programme.pk,
        unit=Unit.VOUCHER_FEN,
        purpose=purpose,
        path=programme.path,
        floor=None if purpose in (ISSUED, SPENT) else 0,
    )


def get_voucher(pk: int) -> Voucher:
    """The voucher as the open scope sees it, with programme and account; raises NotVisible."""
    voucher = Voucher.objects.select_related("programme", "account").filter(pk=pk).first()
    if voucher is None:
        raise NotVisible
    return voucher
