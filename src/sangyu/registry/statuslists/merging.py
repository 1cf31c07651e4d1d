"""What a merge of two persons does with this room's rows (ADR 0013)."""

from sangyu.kernel.merging.rules import Move, Rule

merge_rules: dict[str, list[Rule]] = {"people.Person": [Move("statuslists.StatusLine", "person")]}
