"""The return file of a bank: a line a payment, with what became of it."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel.errors import BadValue
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Fate, Field, Import, Option, Row, register

from . import services
from .enums import FileState, Result
from .models import FileItem, PaymentFile

_PAID = ("成功", "已付", "交易成功", "处理成功", "s", "0000", "00", "success", "paid", "1", "y", "是")
_NOT = ("失败", "退回", "拒绝", "交易失败", "处理失败", "f", "fail", "failed", "rejected", "0", "n", "否")


def result(cell: Any) -> bool:
    """成功, 失败 and what banks write instead → whether it was paid. Raises BadValue."""
    written = parsers.text_of(cell).strip().lower()
    if written in _PAID or written.endswith("成功"):
        return True
    if written in _NOT or written.endswith(("失败", "退回", "不符")):
        return False
    raise BadValue(_("Write 成功 or 失败."), code="result.unknown")


@register
class ReturnFile(Import):
    """Each line settles one payment of one file, once; a line that was settled so before is left as it is."""

    kind = "benefits.return"
    title = gettext_lazy("Return file")
    permission = "benefits.settle"

    @classmethod
    def options(cls) -> Sequence[Option]:
        return (Option("file", _("Payment file"), hint=_("Its number, for example ZF20261110-210802-0001.")),)

    def describe(self) -> Sequence[Field]:
        text = parsers.text
        return (
            Field(
                "reference", _("Payment number"), text(20), ("付款编号", "编号", "附言", "业务编号", "商户流水号"), required=True,
                example="BF0000000000",
            ),
            Field("amount", _("Amount (yuan)"), parsers.yuan, ("金额", "金额（元）", "交易金额", "发生额"), required=True),
            Field("result", _("Result"), result, ("结果", "状态", "处理结果", "交易状态", "返回码"), required=True),
            Field("refusal", _("Reason"), text(200), ("失败原因", "原因", "备注", "返回信息", "处理信息")),
        )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        made = PaymentFile.objects.filter(number=self.settings.get("file", "").strip()).first()
        items = {}
        if made is not None:
            found = FileItem.objects.filter(file=made).values_list("payment_id", "amount", "result")
            items = {f"BF{pk:010d}": (pk, amount, now) for pk, amount, now in found}
        seen: dict[tuple[str, Any], int] = {}
        for row in rows:
            reference = row.values["reference"].upper()
            if made is None or made.state not in (FileState.SENT, FileState.SETTLED):
                row.refuse("reference", _("There is no sent payment file with this number."), "file.unknown")
                continue
            if reference not in items:
                row.refuse("reference", _("This payment is not in the file %(n)s.") % {"n": made.number}, "unknown")
                continue
            pk, amount, now = items[reference]
            row.known = pk
            if not row.once(seen, reference=reference):
                continue
            if amount != row.values["amount"]:
                row.refuse(
                    "amount",
                    _("The file says %(yuan).2f yuan. Ask the bank.") % {"yuan": amount / 100},
                    "amount.differs",
                )
            elif now != Result.PENDING:
                if (now == Result.ACCEPTED) != row.values["result"]:
                    row.refuse("result", _("This payment was answered otherwise before."), "answered")
                else:
                    row.fate = Fate.UNCHANGED

    def row_name(self, row: Row) -> str:
        return str(row.values.get("reference") or "")

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        made = PaymentFile.objects.get(number=self.settings["file"].strip())
        answers = {row.known: (row.values["result"], row.values.get("refusal", "")) for row in rows}
        found = services.settle(actor=self.actor, file_id=made.pk, answers=answers)
        advance(len(rows))
        return {"file": made.pk, **found}
