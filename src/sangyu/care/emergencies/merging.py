"""What a merge of two files does with this room's rows."""

from sangyu.kernel.merging.rules import Move, Rule

merge_rules: dict[str, list[Rule]] = {
    "people.Person": [Move("emergencies.Incident", "person"), Move("emergencies.Call", "person")]
}
