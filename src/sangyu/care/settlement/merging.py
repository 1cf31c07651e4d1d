"""What a merge of two persons does with this room's rows (ADR 0013)."""

from sangyu.kernel.merging.rules import Rule, Stay

merge_rules: dict[str, list[Rule]] = {
    "people.Person": [
        Stay("settlement.StatementLine", "person_id", "a line is what the statement said when it was made")
    ]
}
