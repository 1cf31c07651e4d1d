"""What a merge of two persons does with this room's rows (ADR 0013).

A voucher of a programme and period for which the kept file has its own stays with the gone one: it was paid twice, and the
merge names it, so that somebody cancels it. Its ledger account is not touched.
"""

from sangyu.kernel.merging.rules import Move, Rule

merge_rules: dict[str, list[Rule]] = {"people.Person": [Move("vouchers.Voucher", "person")]}
