"""What a merge of two files does with this room's rows: the kept file's own task of a campaign counts."""

from sangyu.kernel.merging.rules import Move, Rule

merge_rules: dict[str, list[Rule]] = {
    "people.Person": [Move("screening.Task", "person"), Move("screening.FollowUp", "person")],
}
