"""A list of an authority as a workbook: name and ID number, or name and birth date, a line (R-019)."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from sangyu.kernel import identity
from sangyu.kernel.errors import BadValue
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Field, Import, Option, Row, register
from sangyu.registry.people import selectors as people

from . import comparing
from .enums import SPECS, ListKind


def month(written: str) -> date:
    """2026-11, 2026年11月 → the first of that month. Raises BadValue."""
    digits = identity.half_width(written).replace("年", "-").replace("月", "").replace(".", "-").replace("/", "-")
    try:
        year, number = digits.split("-")[:2]
        return date(int(year), int(number), 1)
    except ValueError:
        raise BadValue(_("Write the month as 2026-11."), code="month.form") from None


@register
class StatusListImport(Import):
    """Every readable line is kept and compared; nothing of the register changes before somebody settles the lines."""

    kind = "statuslists.list"
    title = gettext_lazy("Status list")
    permission = "statuslists.import"

    @classmethod
    def options(cls) -> Sequence[Option]:
        return (
            Option("list_kind", _("Kind of list"), choices=tuple((str(k), str(v)) for k, v in ListKind.choices)),
            Option("month", _("Month of the list"), parser=month, input_type="month"),
            Option("authority", _("From which authority"), hint=_("For example 站前区民政局.")),
        )

    @property
    def list_kind(self) -> str:
        return self.settings.get("list_kind", ListKind.MINIMUM_LIVING)

    def describe(self) -> Sequence[Field]:
        text = parsers.text
        death = self.list_kind == ListKind.DEATH
        return (
            Field("name", _("Name"), parsers.name, ("姓名", "户主姓名", "对象姓名", "死者姓名"), required=True, example="张三（示例）"),
            Field(
                "id_number", _("ID number"), parsers.id_number(self.today),
                ("身份证号", "身份证", "身份证号码", "公民身份号码", "证件号码"),
                mask=identity.mask_id_number, hint=_("Format the column as text."),
            ),
            Field("sex", _("Sex"), parsers.SEX, ("性别",), choices=("男", "女")),
            Field("birth_date", _("Birth date"), parsers.day, ("出生日期", "出生年月")),
            Field("region", _("Community"), text(100), ("社区", "村", "社区村", "所属社区", "村居")),
            Field("address", _("Address"), text(200), ("住址", "家庭住址", "现住址", "地址")),
            Field("phone", _("Phone"), parsers.phone(), ("联系电话", "电话", "手机"), mask=identity.mask_phone),
            Field(
                "value", _("Category or grade"), self._value,
                ("类别", "等级", "救助类别", "残疾等级", "残疾类别等级", "供养方式", "优抚类别", "人员类别"),
            ),
            Field(
                "since", _("Day of death") if death else pgettext("statuslists", "Since"), parsers.day,
                ("死亡日期", "去世日期", "注销日期") if death else ("起始日期", "开始日期", "享受起始日期", "批准日期"),
                required=death,
            ),
        )  # fmt: skip

    def _value(self, cell: Any) -> str:
        spec = SPECS.get(self.list_kind)
        if spec is None:
            return ""
        value = people.read_status(spec.fact, cell)
        if value and value not in spec.values:
            raise BadValue(_("This category belongs to another kind of list."), code="value.kind")
        return value

    def check(self, rows: list[Row]) -> None:
        spec = SPECS.get(self.list_kind)
        first: dict[tuple[str, Any], int] = {}
        for row in rows:
            given, number = row.values, row.values.get("id_number")
            if number:
                for key, message in people.disagreements(given, number).items():
                    row.refuse(key, message, "disagrees")
            elif not given.get("birth_date"):
                row.refuse("id_number", _("A line needs the ID number, or the birth date."), "missing")
            if spec and not (given.get("value") or spec.default):
                row.refuse("value", _("Say the category and grade."), "missing")
            if given.get("since") and given["since"] > self.today:
                row.refuse("since", _("The day lies in the future."), "date.future")
            key = (number.number,) if number else (given["name"], given.get("birth_date"), given.get("region"))
            row.once(first, name=key)

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        made, counts = comparing.enter(
            self.actor, rows, batch, self.list_kind, month(self.settings["month"]), self.settings["authority"]
        )
        advance(len(rows))
        return {"list": made.pk, **{f"lines_{k}": n for k, n in counts.items()}}
