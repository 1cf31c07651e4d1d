"""Chronic conditions, allergies and medicines as a workbook: one elder a row, several words in a cell (R-015, R-026)."""

import re
from collections.abc import Callable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Field, Import, Row, register

from .columns import who_columns, who_of
from .enums import HealthKind, Purpose
from .models import HealthNote
from .models_health import MOST
from .selectors import consents_held
from .words import NOTHING

#: Between two words of a cell.
APART = re.compile(r"[、，,；;\n]+")
HEADINGS = {
    HealthKind.CONDITION: ("病史", "慢性病", "既往病史", "疾病"),
    HealthKind.ALLERGY: ("过敏", "过敏史", "药物过敏"),
    HealthKind.MEDICINE: ("用药", "常用药", "长期用药"),
}


@register
class HealthImport(Import):
    """What is new is added, what is known stays; nothing is ended by a list. Who has not agreed to health data is refused."""

    kind = "people.health"
    title = gettext_lazy("List of conditions, allergies and medicines")
    permission = "people.health_record"

    def describe(self) -> Sequence[Field]:
        cells = (
            Field(kind.value, str(kind.label), parsers.text(500), HEADINGS[kind], example=_EXAMPLES[kind])
            for kind in HealthKind
        )
        return (*who_columns(self.today), *cells)

    def check(self, rows: list[Row]) -> None:
        found = who_of(rows)
        held = consents_held([p.id for p in found.values()], [Purpose.HEALTH_DATA])
        for row in rows:
            if row.problems:
                continue
            person = row.values["person"] = found[row.number]
            if person.id not in held:
                row.refuse("id_number", _("The elder has not agreed to the use of health data."), "consent")
            row.values["notes"] = [(kind, w) for kind in HealthKind for w in _words(row.values.get(kind.value) or "")]
            for kind, words in row.values["notes"]:
                if len(words) > MOST:
                    row.refuse(kind.value, _("Write 1 to %(n)d characters.") % {"n": MOST}, "text.long")

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        known = {
            (n.person_id, n.kind, n.words)
            for n in HealthNote.objects.filter(person_id__in=[r.values["person"].id for r in rows], until__isnull=True)
        }
        made: dict[tuple[int, str, str], HealthNote] = {}
        for row in rows:
            person = row.values["person"]
            for kind, words in row.values["notes"]:
                made[person.id, kind.value, words] = HealthNote(
                    person_id=person.id, path=person.path, kind=kind.value, words=words, source=batch.source_of(row.number),
                    recorded_by=self.actor.name[:100],
                )  # fmt: skip
        new = [note for key, note in made.items() if key not in known]
        HealthNote.objects.bulk_create(new, batch_size=1000)
        advance(len(rows))
        return {"new": len(new)}


_EXAMPLES = {
    HealthKind.CONDITION: "高血压、糖尿病", HealthKind.ALLERGY: "青霉素", HealthKind.MEDICINE: "氨氯地平 5mg 每日一次",
}  # fmt: skip


def _words(cell: str) -> list[str]:
    """The words of a cell; those that say “none” are none."""
    return [w for part in APART.split(cell) if (w := part.strip()) and w not in NOTHING]
