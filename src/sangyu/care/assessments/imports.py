"""Results of the scale before 2022 as a workbook: kept beside the present ones, never merged with them (standards §3)."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.engines.assessment import Instrument
from sangyu.kernel import identity
from sangyu.kernel.errors import BadValue
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Fate, Field, Import, Row, register
from sangyu.registry.people import selectors as people

from .models import PastResult
from .services.registers import use_version

HISTORY = "mzt-039-2013"
LEVELS = {
    "0": "0", "1": "1", "2": "2", "3": "3", "能力完好": "0", "完好": "0", "轻度失能": "1", "轻度": "1", "中度失能": "2", "中度": "2",
    "重度失能": "3", "重度": "3",
}  # fmt: skip


def _points(most: int) -> Callable[[Any], int]:
    """A whole number of points up to ``most``."""

    def parse(cell: Any) -> int:
        written = parsers.text_of(cell)
        if not written.isdigit() or int(written) > most:
            raise BadValue(_("Write points from 0 to %(n)d.") % {"n": most}, code="points")
        return int(written)

    return parse


def computed(instrument: Instrument, levels: dict[str, int]) -> int:
    """The preliminary level that the rules give for part levels."""
    return next(r.level for r in instrument.rules if r.holds(0, levels))


def part_level(instrument: Instrument, part: str, points: int) -> int:
    """The level of a part by its points."""
    rules = next(p.rules for p in instrument.parts if p.code == part)
    return next(r.level for r in rules if r.holds(points, {}))


@register
class HistoryImport(Import):
    """MZ/T 039-2013: points of the parts and the level that was given then; ours by the rule stands beside it."""

    kind = "assessments.history"
    title = gettext_lazy("Results of MZ/T 039-2013")
    permission = "assessments.import"

    def describe(self) -> Sequence[Field]:
        return (
            Field("name", _("Name"), parsers.name, ("姓名",), required=True, example="张三（示例）"),
            Field(
                "id_number", _("ID number"), parsers.id_number(self.today), ("身份证号", "身份证号码", "证件号码"),
                required=True, mask=identity.mask_id_number, hint=_("Format the column as text."),
            ),
            Field("assessed_on", _("Assessed on"), parsers.day, ("评估日期", "评估时间"), required=True),
            Field("A", _("Daily life (0–100)"), _points(100), ("日常生活活动", "日常生活活动得分"), required=True),
            Field("M", _("Mind (0–6)"), _points(6), ("精神状态", "精神状态得分"), required=True),
            Field("P", _("Senses, level (0–3)"), _points(3), ("感知觉与沟通", "感知觉与沟通等级"), required=True),
            Field("S", _("Taking part (0–20)"), _points(20), ("社会参与", "社会参与得分"), required=True),
            Field(
                "level", _("Level given"), parsers.choice(LEVELS), ("能力等级", "评估等级", "最终等级"), required=True,
                choices=("能力完好", "轻度失能", "中度失能", "重度失能"),
            ),
            Field("body_name", _("Assessment body"), parsers.text(100), ("评估机构",)),
        )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        version = use_version(HISTORY)
        found, _elsewhere = people.find_matches(
            people.sought(r.number, number=r.values["id_number"], name=r.values["name"], birth_date=None) for r in rows
        )
        known = {n: next((m.person_id for m in matches if m.by_id), None) for n, matches in found.items()}
        brief = people.brief(pk for pk in known.values() if pk)
        had = set(
            PastResult.objects.filter(version=version, person_id__in=list(brief)).values_list(
                "person_id", "assessed_on"
            )
        )
        first: dict[tuple, int] = {}
        for row in rows:
            pk, day = known.get(row.number), row.values["assessed_on"]
            if pk is None:
                row.refuse("id_number", _("Nobody in your area has this ID number."), "unknown")
                continue
            if day > self.today:
                row.refuse("assessed_on", _("The day lies in the future."), "date.future")
            if brief[pk].name != row.values["name"]:
                row.refuse("name", _("The register calls this person otherwise."), "disagrees")
            try:
                part_level(version.instrument, "A", row.values["A"])
            except StopIteration:
                row.refuse("A", _("These points cannot be reached: they go in steps of five."), "points")
            seen = first.setdefault((pk, day), row.number)
            if seen != row.number:
                row.refuse(
                    "name", _("The same person stands in row %(n)d. Keep one of the two.") % {"n": seen}, "twice"
                )
            elif (pk, day) in had:
                row.fate = Fate.UNCHANGED
            row.known = brief[pk]

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        version, made, differ = use_version(HISTORY), [], 0
        instrument = version.instrument
        for row in rows:
            if row.fate != Fate.NEW:
                continue
            given = row.values
            levels = {p: part_level(instrument, p, given[p]) for p in ("A", "M", "S")} | {"P": given["P"]}
            level, ours = int(given["level"]), computed(instrument, levels)
            differ += level != ours
            made.append(
                PastResult(
                    person_id=row.known.id, path=row.known.path, version=version, assessed_on=given["assessed_on"],
                    parts={p: given[p] for p in ("A", "M", "P", "S")}, level=level, computed=ours,
                    body_name=given.get("body_name", ""), source=batch.source_of(row.number)[:100],
                )
            )  # fmt: skip
        PastResult.objects.bulk_create(made, batch_size=1000)
        advance(len(rows))
        return {"differ": differ}
