"""What a merge of two persons does with this room's rows (ADR 0013). Runs read earlier lines under the surviving file."""

from sangyu.kernel.merging.rules import Rule, Stay

merge_rules: dict[str, list[Rule]] = {
    "people.Person": [
        Stay("benefits.Line", "person_id", "a line is what the run decided when it was made"),
        Stay("benefits.Payment", "person_id", "a payment belongs to its line"),
        Stay("benefits.Recovery", "person_id", "a recovery belongs to the lines of its run"),
    ]
}
