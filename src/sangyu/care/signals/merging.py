"""What a merge of two files does with this room's rows: they go to the kept file; of personal limits for one rule the kept file's hold."""

from sangyu.kernel.merging.rules import Move, Rule, Stay

_MANY = "tens of thousands of rows a person: who asks for the kept file's readings asks for those of what was merged into it too"

merge_rules: dict[str, list[Rule]] = {
    "people.Person": [
        Stay("signals.Reading", "person", _MANY),
        Stay("signals.Summary", "person", _MANY),
        Move("signals.Last", "person"),
        Move("signals.Alarm", "person"),
        Move("signals.Limit", "person"),
        Move("signals.Fence", "person"),
    ]
}
