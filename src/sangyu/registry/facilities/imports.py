"""Facilities and their residents as workbooks (R-057 … R-060, R-043)."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Field, Import, Row, register
from sangyu.registry.people import services as people_services
from sangyu.registry.people.enums import FactKind as PersonFactKind
from sangyu.registry.people.enums import Residence
from sangyu.registry.people.fields import who_columns, who_of
from sangyu.registry.regions.fields import Places

from .enums import FactKind, Inspection, Kind, Rating, State, UrbanRural
from .models import Facility, FacilityFact, Stay

KINDS = {
    "养老机构": Kind.INSTITUTION, "养老院": Kind.INSTITUTION, "敬老院": Kind.INSTITUTION, "福利院": Kind.INSTITUTION,
    "护理院": Kind.NURSING_HOME, "日间照料中心": Kind.DAY_CARE, "日间照料": Kind.DAY_CARE, "幸福院": Kind.MUTUAL_AID,
    "互助幸福院": Kind.MUTUAL_AID, "养老服务站": Kind.STATION, "服务站": Kind.STATION, "老年食堂": Kind.CANTEEN,
    "助餐点": Kind.CANTEEN, "活动中心": Kind.ACTIVITY,
}  # fmt: skip
URBAN_RURAL = {"城市": UrbanRural.URBAN, "城镇": UrbanRural.URBAN, "农村": UrbanRural.RURAL, "乡村": UrbanRural.RURAL}
RATINGS = {
    word: level
    for level, words in zip(Rating.values, ("1一", "2二", "3三", "4四", "5五"), strict=True)
    for digit in words
    for word in (digit, f"{digit}级", f"{digit}星")
}
INSPECTIONS = {"合格": Inspection.PASS, "通过": Inspection.PASS, "不合格": Inspection.FAIL, "未通过": Inspection.FAIL}


@register
class FacilityImport(Import):
    """One facility a row; a register number that is known already is reported, not changed."""

    kind = "facilities.register"
    title = gettext_lazy("List of facilities")
    permission = "facilities.edit"

    def describe(self) -> Sequence[Field]:
        text, word = parsers.text, parsers.choice
        return (
            Field("name", pgettext("thing", "Name"), text(100), ("设施名称", "机构名称", "名称"), required=True, example="幸福里日间照料中心（示例）"),
            Field("kind", _("Kind"), word(KINDS), ("设施类型", "类型", "类别"), required=True, choices=tuple(KINDS)),
            Field("number", _("Register number"), text(40), ("备案号", "备案编号", "编号")),
            Field("region", _("Area"), text(200), ("所属区域", "区划", "社区", "所在社区"), required=True),
            Field("address", _("Address"), text(200), ("地址", "详细地址")),
            Field("telephone", _("Telephone"), text(30), ("联系电话", "电话")),
            Field("beds", _("Beds"), parsers.whole(), ("床位数", "床位", "核定床位")),
            Field("opened_on", _("Opened on"), parsers.day, ("投用日期", "开业日期", "建成日期", "投入使用日期"), required=True),
            Field("urban_rural", _("Urban or rural"), word(URBAN_RURAL), ("城乡", "城乡类别"), required=True, choices=("城市", "农村")),
            Field("rating", _("Rating level"), word(RATINGS), ("等级", "星级", "评定等级"), choices=("一级", "二级", "三级", "四级", "五级")),
            Field("rated_on", _("Rated on"), parsers.day, ("评定日期",)),
            Field("inspection", _("Inspection"), word(INSPECTIONS), ("考核结果", "检查结果"), choices=("合格", "不合格")),
        )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        places = Places(self.actor, self.today)
        numbers = [r.values["number"] for r in rows if r.values.get("number")]
        known = set(Facility.objects.filter(number__in=numbers).values_list("number", flat=True))
        seen: dict[tuple[str, Any], int] = {}
        for row in rows:
            given = row.values
            given["place"] = places.settle(row)
            if given["opened_on"] > self.today:
                row.refuse("opened_on", _("The day lies in the future."), "date.future")
            if number := given.get("number"):
                if number in known:
                    row.refuse("number", _("A facility with this number is registered already."), "registered")
                else:
                    row.once(seen, number=number)
            if given.get("rating") and not given.get("rated_on"):
                given["rated_on"] = given["opened_on"]

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        made, stated = [], []
        for row in rows:
            given, place = row.values, row.values["place"]
            made.append(
                Facility(
                    name=given["name"], kind=given["kind"], number=given.get("number", ""), region=place, path=place.path,
                    address=given.get("address", ""), telephone=given.get("telephone", ""), beds=given.get("beds", 0),
                    opened_on=given["opened_on"], urban_rural=given["urban_rural"],
                )
            )  # fmt: skip
        Facility.objects.bulk_create(made, batch_size=500)
        for row, facility in zip(rows, made, strict=True):
            given = row.values
            facts = [(FactKind.STATE, State.OPERATING, given["opened_on"])]
            if given.get("rating"):
                facts.append((FactKind.RATING, given["rating"], given["rated_on"]))
            if given.get("inspection"):
                facts.append((FactKind.INSPECTION, given["inspection"], self.today.replace(month=1, day=1)))
            stated += [
                FacilityFact(
                    subject=facility, path=facility.path, kind=kind, value=value, valid_from=max(day, facility.opened_on),
                    source=batch.source_of(row.number),
                )
                for kind, value, day in facts
            ]  # fmt: skip
        FacilityFact.objects.bulk_create(stated, batch_size=1000)
        advance(len(rows))
        return {"new": len(made)}


@register
class ResidentImport(Import):
    """Who lives in which facility since when: one stay a row, and the fact of residence with it."""

    kind = "facilities.residents"
    title = gettext_lazy("List of residents")
    permission = "facilities.admit"

    def describe(self) -> Sequence[Field]:
        text = parsers.text
        return (
            *who_columns(self.today),
            Field("facility", _("Facility"), text(100), ("机构", "机构名称", "入住机构", "设施名称", "备案号"), required=True),
            Field("on", _("Admitted on"), parsers.day, ("入住日期", "入院日期"), required=True),
            Field("bed", _("Bed"), text(20), ("床位号", "床号", "床位")),
        )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        houses: dict[str, list[Facility]] = defaultdict(list)
        for f in Facility.objects.visible_to(self.actor).filter(kind__in=[k for k in Kind if k.houses]):
            for key in {f.name, f.number} - {""}:
                houses[key].append(f)
        found = who_of(rows)
        housed = dict(
            Stay.objects.filter(person_id__in=[p.id for p in found.values()], valid_to__isnull=True).values_list(
                "person_id", "facility__name"
            )
        )
        free = {f.pk: f.beds for found in houses.values() for f in found}
        for pk in Stay.objects.filter(facility_id__in=list(free), valid_to__isnull=True).values_list(
            "facility_id", flat=True
        ):
            free[pk] -= 1
        seen: dict[tuple[str, Any], int] = {}
        for row in rows:
            self._check_house(row, houses.get(row.values["facility"], []))
            if row.problems:
                continue
            person, facility = found[row.number], row.values["house"]
            row.values["person"] = person
            if person.id in housed:
                row.refuse("id_number", _("Lives in “%(name)s” already.") % {"name": housed[person.id]}, "overlap")
            elif row.once(seen, id_number=person.id):
                if free[facility.pk] <= 0:
                    row.refuse("facility", _("“%(name)s” has no bed left.") % {"name": facility.name}, "full")
                free[facility.pk] -= 1

    def _check_house(self, row: Row, houses: list[Facility]) -> None:
        if len(houses) != 1:
            several = _("Several are called that: write the register number.")
            row.refuse("facility", several if houses else _("No institution of your area is called that."), "facility")
        elif not houses[0].opened_on <= row.values["on"] <= self.today:
            row.refuse("on", _("The day lies in the future or before the opening."), "date.range")
        else:
            row.values["house"] = houses[0]

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        by_day: dict[Any, list] = defaultdict(list)
        stays = []
        for row in rows:
            given, source = row.values, batch.source_of(row.number)
            person = given["person"]
            stays.append(
                Stay(
                    facility=given["house"], person_id=person.id, path=person.path, valid_from=given["on"],
                    bed=given.get("bed", ""), source=source,
                )
            )  # fmt: skip
            by_day[given["on"]].append((person.id, Residence.INSTITUTION, source))
        Stay.objects.bulk_create(stays, batch_size=1000)
        for day, stated in sorted(by_day.items()):
            people_services.state_facts(
                actor=self.actor, kind=PersonFactKind.RESIDENCE, stated=stated, valid_from=day, reason=batch.origin
            )
        advance(len(rows))
        return {"new": len(stays)}
