"""What a merge of two persons does with this room's rows (ADR 0013)."""

from sangyu.kernel.merging.rules import Rule, Stay

_WHY = "a pair names the two files that were compared; the queue leaves out files that were merged"
merge_rules: dict[str, list[Rule]] = {
    "people.Person": [Stay("duplicates.Candidate", "first", _WHY), Stay("duplicates.Candidate", "second", _WHY)]
}
