"""What a merge of two persons does with this room's rows (ADR 0013)."""

from sangyu.kernel.merging.rules import Move, Rule, Stay

merge_rules: dict[str, list[Rule]] = {
    "people.Person": [
        Move("devices.Device", "person"),
        Move("devices.Binding", "person"),
        Stay("devices.Fee", "person", "a fee of a past month as it was registered; the device leads to the person"),
    ]
}
