"""What a merge of two files does with this room's rows: requests and restrictions go with the person."""

from sangyu.kernel.merging.rules import Move, Rule

merge_rules: dict[str, list[Rule]] = {
    "people.Person": [Move("privacy.Request", "person"), Move("privacy.Restriction", "person")],
}
