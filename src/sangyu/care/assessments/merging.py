"""What a merge of two files does with this room's rows: assessments, needs and imported results go with the person."""

from sangyu.kernel.merging.rules import Move, Rule

merge_rules: dict[str, list[Rule]] = {
    "people.Person": [
        Move("assessments.Assessment", "person"),
        Move("assessments.Need", "person"),
        Move("assessments.PastResult", "person"),
    ],
}
