"""What a merge of two persons does with this room's rows: orders and agreements keep the region of their time (ADR 0013)."""

from sangyu.kernel.merging.rules import Move, Rule

merge_rules: dict[str, list[Rule]] = {
    "people.Person": [Move("orders.Order", "person"), Move("orders.Agreement", "person")]
}
