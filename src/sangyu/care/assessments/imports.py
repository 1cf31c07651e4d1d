"""Results of the scale before 2022 as a workbook: kept beside the present ones, never merged with them (standards §3)."""

from collections.abc import Callable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.engines.assessment import Instrument
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Fate, Field, Import, Row, register
from sangyu.registry.people.fields import who_columns, who_of

from .models import PastResult
from .services.registers import use_version

HISTORY = "mzt-039-2013"
LEVELS = {
    "0": "0", "1": "1", "2": "2", "3": "3", "能力完好": "0", "完好": "0", "轻度失能": "1", "轻度": "1", "中度失能": "2", "中度": "2",
    "重度失能": "3", "重度": "3",
}  # fmt: skip


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
            *who_columns(self.today),
            Field("assessed_on", _("Assessed on"), parsers.day, ("评估日期", "评估时间"), required=True),
            Field("A", _("Daily life (0–100)"), parsers.whole(0, 100), ("日常生活活动", "日常生活活动得分"), required=True),
            Field("M", _("Mind (0–6)"), parsers.whole(0, 6), ("精神状态", "精神状态得分"), required=True),
            Field("P", _("Senses, level (0–3)"), parsers.whole(0, 3), ("感知觉与沟通", "感知觉与沟通等级"), required=True),
            Field("S", _("Taking part (0–20)"), parsers.whole(0, 20), ("社会参与", "社会参与得分"), required=True),
            Field(
                "level", _("Level given"), parsers.choice(LEVELS), ("能力等级", "评估等级", "最终等级"), required=True,
                choices=("能力完好", "轻度失能", "中度失能", "重度失能"),
            ),
            Field("body_name", _("Assessment body"), parsers.text(100), ("评估机构",)),
        )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        version = use_version(HISTORY)
        found = who_of(rows, alive=False)
        had = set(
            PastResult.objects.filter(version=version, person_id__in=[p.id for p in found.values()]).values_list(
                "person_id", "assessed_on"
            )
        )
        first: dict = {}
        for row in rows:
            if row.problems:
                continue
            row.known, day = found[row.number], row.values["assessed_on"]
            if day > self.today:
                row.refuse("assessed_on", _("The day lies in the future."), "date.future")
            try:
                part_level(version.instrument, "A", row.values["A"])
            except StopIteration:
                row.refuse("A", _("These points cannot be reached: they go in steps of five."), "points")
            if row.once(first, name=(row.known.id, day)) and (row.known.id, day) in had:
                row.fate = Fate.UNCHANGED

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
