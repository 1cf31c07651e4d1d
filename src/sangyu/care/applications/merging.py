"""What a merge of two persons does with this room's rows (ADR 0013). Open things of the kept file win; the gone one's stay."""

from sangyu.kernel.merging.rules import Move, Rule, Stay

merge_rules: dict[str, list[Rule]] = {
    "people.Person": [
        Move("applications.Application", "person"),
        Move("applications.Objection", "person"),
        Move("applications.PayeeAccount", "person"),
        Stay("applications.Hold", "person", "a stop that was decided for that file; the kept one has its own, by day"),
        Stay(
            "applications.Delivery",
            "person",
            "the form that was chosen for that file; the kept one has its own, by day",
        ),
    ]
}
