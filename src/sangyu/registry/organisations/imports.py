"""Lists of organisations and price lists as workbooks (R-006, R-067)."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from sangyu.kernel.errors import Invalid, SangyuError
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Field, Import, Row, register
from sangyu.kernel.publishing import require_responsible
from sangyu.kernel.scoping import as_system
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.regions.enums import Level
from sangyu.registry.regions.fields import Places

from .enums import ContractState, State
from .models import Contract, Organisation
from .services import Line, load_prices
from .services.registration import apply_fields

FORMS = {
    "企业": "enterprise",
    "公司": "enterprise",
    "个体工商户": "sole_trader",
    "个体户": "sole_trader",
    "民办非企业单位": "private_non_enterprise",
    "民办非企业": "private_non_enterprise",
    "民非": "private_non_enterprise",
    "社会团体": "social_group",
    "基金会": "foundation",
    "事业单位": "public_institution",
    "村（居）民委员会": "community_body",
    "合作社": "cooperative",
    "志愿服务队": "volunteer_team",
    "个人": "individual",
}


@register
class OrganisationImport(Import):
    """One organisation a row, entered as drafts; a credit code that is registered already is reported, not changed."""

    kind = "organisations.register"
    title = gettext_lazy("List of organisations")
    permission = "organisations.register"

    def describe(self) -> Sequence[Field]:
        text = parsers.text
        example = "康养服务公司（示例）"
        return (
            Field(
                "name",
                pgettext("thing", "Name"),
                text(100),
                ("机构名称", "单位名称", "名称"),
                required=True,
                example=example,
            ),
            Field(
                "legal_form",
                _("Legal form"),
                parsers.choice(FORMS),
                ("机构性质", "性质", "类型"),
                required=True,
                choices=tuple(FORMS),
            ),
            Field("credit_code", _("Credit code"), text(30), ("统一社会信用代码", "信用代码")),
            Field(
                "region", _("Responsible region"), text(200), ("责任区域", "所属区域", "区划", "地区"), required=True
            ),
            Field("short_name", _("Short name"), text(30), ("简称",)),
            Field("phone", _("Phone"), parsers.phone(), ("联系电话", "电话")),
            Field("address", _("Address"), text(200), ("地址", "详细地址")),
            Field("opening_hours", _("Opening hours"), text(100), ("服务时间", "营业时间")),
        )

    def check(self, rows: list[Row]) -> None:
        places = Places(self.actor, self.today, last=Level.STREET)
        seen: dict = {}
        for row in rows:
            self._check_row(row, places, seen)
        self._registered([r for r in rows if not r.problems])

    def _check_row(self, row: Row, places: Places, seen: dict) -> None:
        given = dict(row.values)
        place = places.settle(row)
        if place is None:
            return
        del given["region"]
        made = Organisation(region=place, path=place.path)
        try:
            apply_fields(made, given)
        except Invalid as error:
            for key, messages in error.errors.items():
                row.refuse(key, messages[0], "invalid")
            return
        if made.credit_code:
            row.once(seen, credit_code=made.credit_code)
        row.values["made"] = made

    def _registered(self, rows: list[Row]) -> None:
        codes = {r.values["made"].credit_code: r for r in rows if r.values["made"].credit_code}
        with as_system("are these credit codes registered anywhere? answers yes or no"):
            taken = Organisation.objects.filter(credit_code__in=list(codes)).exclude(state=State.ENDED)
            known = list(taken.values_list("credit_code", flat=True))
        for code in known:
            codes[code].refuse("credit_code", _("This credit code is registered already."), "registered")

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        made = Organisation.objects.bulk_create([r.values["made"] for r in rows], batch_size=500)
        advance(len(rows))
        return {"new": len(made)}


@register
class PriceImport(Import):
    """One price a row: of the contract with that number, or without one the market price of the organisation."""

    kind = "organisations.prices"
    title = gettext_lazy("Price list")
    permission = "organisations.contract"

    def describe(self) -> Sequence[Field]:
        text = parsers.text
        return (
            Field("contract", _("Contract"), text(60), ("合同编号", "合同")),
            Field(
                "organisation",
                _("Organisation"),
                text(100),
                ("服务机构", "机构名称"),
                hint=_("For a market price, without contract."),
            ),
            Field("item", _("Service"), text(60), ("服务项目", "项目", "项目编码"), required=True, example="助洁"),
            Field("unit_price", _("Unit price (yuan)"), parsers.yuan, ("单价", "价格"), required=True, example="25.50"),
            Field("valid_from", _("From"), parsers.day, ("起始日期", "开始日期"), required=True),
            Field("last_day", _("Last day"), parsers.day, ("最后一天", "截止日期")),
            Field("month_quota", _("Units per month at most"), parsers.whole(1), ("每月最多数量",)),
        )

    def row_name(self, row: Row) -> str:
        return str(row.values.get("item") or "")

    def check(self, rows: list[Row]) -> None:
        numbers = {r.values["contract"] for r in rows if r.values.get("contract")}
        names = {r.values["organisation"] for r in rows if r.values.get("organisation")}
        contracts = {c.number: c for c in Contract.objects.filter(number__in=numbers, path__startswith=self.actor.path)}
        bodies: dict[str, list[Organisation]] = defaultdict(list)
        for o in Organisation.objects.filter(name__in=names).exclude(state=State.ENDED):
            bodies[o.name].append(o)
        offered: dict[tuple[str, date], dict[str, str]] = {}
        seen: dict = {}
        for row in rows:
            owner = self._owner(row, contracts, bodies)
            if owner is None:
                continue
            known = offered.setdefault((owner.path, row.values["valid_from"]), {})
            if not known:
                items = catalogue.items_for(owner.path, row.values["valid_from"])
                known.update({i.name: i.code for i in items} | {i.code: i.code for i in items})
            code = known.get(row.values["item"])
            if code is None:
                row.refuse(
                    "item",
                    _("The catalogue does not offer “%(code)s” on that day.") % {"code": row.values["item"]},
                    "item",
                )
                continue
            row.values |= {"owner": owner, "code": code}
            row.once(seen, item=(type(owner), owner.pk, code, row.values["valid_from"]))

    def _owner(self, row: Row, contracts: dict, bodies: dict) -> Contract | Organisation | None:
        given = row.values
        last = given.get("last_day")
        if last and last < given["valid_from"]:
            row.refuse("last_day", _("The last day lies before the first."), "interval")
            return None
        if given.get("contract"):
            found = contracts.get(given["contract"])
            if found is None:
                row.refuse("contract", _("Your region has no contract with this number."), "contract")
            elif found.state == ContractState.ENDED:
                row.refuse("contract", _("The contract has ended."), "contract")
            elif given["valid_from"] < (
                found.valid_from if found.state == ContractState.DRAFT else max(found.valid_from, self.today)
            ):
                row.refuse("valid_from", _("Past days keep their price. Choose today or a later day."), "past")
            elif (last or given["valid_from"]) >= found.valid_to:
                row.refuse("last_day", _("The price must lie within the term of the contract."), "term")
            else:
                return found
            return None
        own = bodies.get(given.get("organisation", ""), [])
        if len(own) != 1:
            row.refuse("organisation", _("Name one organisation of the register, or a contract."), "organisation")
            return None
        try:
            require_responsible(self.actor, own[0].path)
        except SangyuError as error:
            row.refuse("organisation", error.message, error.code)
            return None
        return own[0]

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        lists: dict[tuple, list[Line]] = defaultdict(list)
        for row in rows:
            given = row.values
            by_contract = isinstance(given["owner"], Contract)
            key = (by_contract, given["owner"].pk, given["valid_from"], given.get("last_day"))
            lists[key].append(Line(given["code"], given["unit_price"], given.get("month_quota")))
        for (by_contract, pk, valid_from, last), lines in sorted(lists.items(), key=lambda x: x[0][2]):
            load_prices(
                actor=self.actor,
                lines=lines,
                valid_from=valid_from,
                valid_to=last + timedelta(days=1) if last else None,
                today=self.today,
                **{"contract_id" if by_contract else "organisation_id": pk},
            )
            advance(len(lines))
        return {"new": len(rows)}
