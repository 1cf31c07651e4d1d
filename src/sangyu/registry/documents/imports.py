"""The register of documents as a workbook (R-171): a row a document; a number that is known is corrected."""

from collections.abc import Callable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Fate, Field, Import, Row, register

from . import services
from .models import Document

LEVELS = {
    "国家": "state",
    "省": "province",
    "市": "city",
    "县": "county",
    "区": "county",
    "街道": "street",
    "乡镇": "street",
}
KINDS = {
    "法律法规": "law", "规划": "plan", "通知": "opinion", "意见": "opinion", "办法": "measures", "细则": "measures", "标准": "standard",
    "基本养老服务清单": "basic_list", "扶持政策清单": "support_list", "职责任务清单": "duty_list", "其他": "other",
}  # fmt: skip


@register
class DocumentImport(Import):
    """Entered for the importer's own region."""

    kind = "documents.register"
    title = gettext_lazy("Register of documents")
    permission = "documents.edit"

    def describe(self) -> Sequence[Field]:
        text, day = parsers.text, parsers.day
        return (
            Field("number", _("Document number"), text(60), ("文号", "发文字号", "文件编号"), example="示例发〔2026〕1号"),
            Field("title", pgettext("documents", "Title"), text(200), ("标题", "文件名称", "名称", "文件标题"), required=True),
            Field("issuer", pgettext("documents", "Issued by"), text(100), ("发文机关", "制定机关", "发文单位"), required=True),
            Field("level", _("Tier"), parsers.choice(LEVELS), ("层级", "级别"), required=True, choices=tuple(LEVELS)),
            Field("kind", pgettext("documents", "Kind"), parsers.choice(KINDS), ("类别", "文件类型"), required=True, choices=tuple(KINDS)),
            Field("issued_on", _("Issued on"), day, ("发文日期", "印发日期", "成文日期"), required=True),
            Field("valid_from", _("From"), day, ("生效日期", "施行日期")),
            Field("valid_to", _("Until"), day, ("失效日期", "废止日期")),
            Field("summary", _("In short"), text(500), ("摘要", "主要内容", "备注")),
        )  # fmt: skip

    def row_name(self, row: Row) -> str:
        return str(row.values.get("title") or "")

    def check(self, rows: list[Row]) -> None:
        seen: dict = {}
        known = set(Document.objects.filter(path=self.actor.path).values_list("number", flat=True))
        for row in rows:
            given = row.values
            number = given.get("number")
            if given.get("valid_to") and given["valid_to"] <= (given.get("valid_from") or given["issued_on"]):
                row.refuse("valid_to", _("The end must be after the start."), "interval")
            if not number:
                continue
            row.once(seen, number=number)
            row.fate = Fate.CHANGED if number in known else Fate.NEW

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        services.enter_many(actor=self.actor, rows=[dict(row.values) for row in rows])
        advance(len(rows))
        return {}
