"""Events of the assessments room. Payloads hold ids, codes and days only. Besides: ``assessments.<state>`` by the workflow."""

APPLIED = "assessments.applied"  # id, person
LEVEL = "assessments.level"  # id, person, level, valid_from: the decision stands in the person's facts
DUE = "assessments.due"  # id, person, reason
CONFLICT = "assessments.conflict"  # id, sheet: two versions of the answers, a person chooses
