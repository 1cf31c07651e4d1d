"""Vouchers on paper: three on an A4 sheet with amount in words, code and signature lines (R-069)."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import segno
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sangyu.kernel import printing
from sangyu.kernel.amounts import in_words

from .models import Voucher

TEMPLATE = Path(__file__).parent / "templates/vouchers/sheet.typ"
#: Vouchers in one file; a large issue is printed in parts.
PART = 300


def code_of(voucher: Voucher) -> str:
    """What the printed code says: the paper number, or the row's number for a voucher without one."""
    return voucher.serial or f"V{voucher.pk}"


def sheets_pdf(vouchers: Iterable[Voucher], *, now: datetime) -> bytes:
    """The printed sheets. Rows need programme, person and region."""
    data = {
        "printed": f"{localtime(now):%Y-%m-%d %H:%M}",
        "vouchers": [
            {
                "title": v.programme.name,
                "document": v.programme.document_number,
                "amount": f"{v.amount // 100:,}.{v.amount % 100:02d}",
                "in_words": in_words(v.amount),
                "person": v.person.name,
                "first": f"{v.valid_from:%Y-%m-%d}",
                "last": f"{v.last_day:%Y-%m-%d}",
                "services": "、".join(v.programme.category_words) or _("all services"),
                "region": v.region.full_name,
                "code": code_of(v),
                "qr": segno.make(code_of(v), error="m", micro=False).svg_inline(scale=4, border=0),
            }
            for v in vouchers
        ],
        "words": {
            "amount": pgettext("voucher", "Amount"),
            "in_words": _("In words (RMB)"),
            "person": _("Holder"),
            "valid": _("Valid"),
            "until": _("until"),
            "services": _("Pays for"),
            "region": _("Region"),
            "number": _("Number"),
            "yuan": _("yuan"),
            "note": _(
                "For services only: no cash, no passing on. Report a loss to the community or by telephone 12349."
            ),
            "signatures": [_("Received (signature)"), _("Used on"), _("Worker (signature)"), _("Elder (signature)")],
        },
    }
    return printing.pdf(TEMPLATE, data)
