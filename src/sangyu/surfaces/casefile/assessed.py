"""The tab of assessments: what holds, by which scale, since when; needs; earlier scales beside, never merged (R-031, R-037)."""

from sangyu.care.assessments import selectors
from sangyu.care.assessments.enums import Payment


def assessed(page) -> dict:
    """Results newest first, needs in order, imported results, and the level that money asks for today (O-1)."""
    file, actor = page.file, page.actor
    mapping = selectors.payment_mapping(file.today, file.person.region)
    level = next((f.value for f in file.holding if f.kind == "care_level"), None)
    return {
        "rows": list(selectors.of_person(actor, file.person.pk)[:50]),
        "past": [
            (r, r.version.level_name(r.level), r.version.level_name(r.computed))
            for r in selectors.past_of_person(actor, file.person.pk)
        ],
        "needs": selectors.needs_of_person(actor, file.person.pk),
        "mapping": mapping,
        "payment": Payment(mapping.levels[level]).label if mapping and level in mapping.levels else "",
    }
