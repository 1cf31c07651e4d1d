"""A list of workers as a workbook: one engagement a row, entered as candidates."""

from collections.abc import Callable, Sequence

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel import identity
from sangyu.kernel.errors import Invalid
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Field, Import, Row, register
from sangyu.registry.organisations import selectors as organisations

from .enums import State
from .models import Worker
from .services.engagement import check_fields

POSTS = {
    "护理员": "carer",
    "养老护理员": "carer",
    "互助护理员": "mutual_aid",
    "护士": "nurse",
    "医师": "physician",
    "医生": "physician",
    "治疗师": "therapist",
    "社会工作者": "social_worker",
    "社工": "social_worker",
    "维修人员": "handyman",
    "配送人员": "delivery",
    "协调员": "coordinator",
    "志愿者": "volunteer",
}


@register
class WorkerImport(Import):
    """Whoever is engaged with the organisation already is reported, not changed."""

    kind = "workforce.workers"
    title = gettext_lazy("List of workers")
    permission = "workforce.manage"

    def describe(self) -> Sequence[Field]:
        return (
            Field("name", _("Name"), parsers.name, ("姓名",), required=True, example="李四（示例）"),
            Field(
                "organisation", _("Organisation"), parsers.text(100), ("服务机构", "所属机构", "单位"), required=True
            ),
            Field("sex", _("Sex"), parsers.SEX, ("性别",), choices=("男", "女")),
            Field("birth_date", _("Birth date"), parsers.day, ("出生日期", "出生年月")),
            Field(
                "id_number",
                _("ID number"),
                parsers.id_number(self.today),
                ("身份证号", "身份证号码", "证件号码"),
                mask=identity.mask_id_number,
                hint=_("Format the column as text."),
            ),
            Field("phone", _("Phone"), parsers.phone(), ("联系电话", "电话", "手机"), mask=identity.mask_phone),
            Field("post", _("Post"), parsers.choice(POSTS), ("职务", "岗位"), choices=tuple(POSTS)),
        )

    def check(self, rows: list[Row]) -> None:
        employers = organisations.own_by_name(self.actor, {r.values["organisation"] for r in rows})
        first: dict = {}
        for row in rows:
            given = dict(row.values)
            found = employers.get(given.pop("organisation"), [])
            if len(found) != 1:
                row.refuse("organisation", _("Name one organisation that you answer for."), "organisation")
                continue
            made = Worker(organisation_id=found[0].pk, region_id=found[0].region_id, path=found[0].path)
            if number := given.get("id_number"):
                given["id_number"] = number.number
            try:
                check_fields(made, given, self.today)
            except Invalid as error:
                for key, messages in error.errors.items():
                    row.refuse(key, messages[0], "invalid")
                continue
            if made.id_index:
                row.once(first, id_number=(made.organisation_id, made.id_index))
            row.values["made"] = made
        self._engaged([r for r in rows if not r.problems])

    def _engaged(self, rows: list[Row]) -> None:
        by_key: dict[tuple, Row] = {(r.values["made"].organisation_id, r.values["made"].id_index): r for r in rows}
        indexes = [index for _pk, index in by_key if index]
        known = Worker.objects.filter(id_index__in=indexes).exclude(state=State.LEFT)
        for pk, index in known.values_list("organisation_id", "id_index"):
            if row := by_key.get((pk, bytes(index))):
                row.refuse("id_number", _("Somebody with this ID number is engaged there already."), "engaged")

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        made = Worker.objects.bulk_create([r.values["made"] for r in rows], batch_size=500)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sangyu.share('worker', w, 'organisation', o, p, NULL, 'employer') "
                "FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS x (w, o, p)",
                [[w.pk for w in made], [w.organisation_id for w in made], [w.path for w in made]],
            )
        advance(len(rows))
        return {"new": len(made)}
