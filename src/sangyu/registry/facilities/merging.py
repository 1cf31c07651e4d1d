"""What a merge of two persons does with this room's rows (ADR 0013)."""

from sangyu.kernel.merging.rules import Rule, Stay

merge_rules: dict[str, list[Rule]] = {
    "people.Person": [
        Stay(
            "facilities.Stay",
            "person",
            "an admission as it was signed; where the person lives is the fact, which is merged",
        )
    ]
}
