"""Vouchers as paper: one, or those of an issue in parts."""

from abc import abstractmethod

from django.utils import timezone
from django.utils.translation import gettext_lazy

from sangyu.kernel.errors import NotVisible
from sangyu.ui.pages import FilePage, Made

from . import documents
from .models import Issue, Voucher


class _Sheet(FilePage):
    """Opens in the browser, to be printed."""

    permission, title, what, inline = "vouchers.issue", gettext_lazy("Print"), "vouchers.sheet", True

    @abstractmethod
    def find(self, pk: int) -> tuple[list[Voucher], str]:
        """The vouchers to print and the file's name. Raises NotVisible."""

    def make(self) -> Made:
        found, name = self.find(self.kwargs["pk"])
        return Made(documents.sheets_pdf(found, now=timezone.now()), f"{name}.pdf", found)


class VoucherSheet(_Sheet):
    url, name = "<int:pk>/sheet/", "sheet"

    def find(self, pk: int) -> tuple[list[Voucher], str]:
        rows = Voucher.objects.visible_to(self.actor).select_related("programme", "person", "region")
        voucher = rows.filter(pk=pk).first()
        if voucher is None:
            raise NotVisible
        return [voucher], documents.code_of(voucher)


class IssueSheets(_Sheet):
    """``?part=2`` prints the next ``documents.PART`` vouchers of a large issue."""

    url, name = "issues/<int:pk>/sheets/", "issue-sheets"

    def find(self, pk: int) -> tuple[list[Voucher], str]:
        issue = Issue.objects.visible_to(self.actor).filter(pk=pk).first()
        given = self.request.GET.get("part", "1")
        part = int(given) if given.isdecimal() and len(given) < 6 else 0
        if issue is None or not part:
            raise NotVisible
        rows = issue.vouchers.select_related("programme", "person", "region").order_by("path", "pk")
        found = list(rows[(part - 1) * documents.PART : part * documents.PART])
        if not found:
            raise NotVisible
        return found, f"{issue.period:%Y%m}-{issue.pk}-{part}"
