"""Events of the voucher room; those of one voucher are ``vouchers.<state>`` with id and action."""

ISSUED = "vouchers.issued"  # issue_id, count, total
HELD = "vouchers.held"  # order_ref, amount
SPENT = "vouchers.spent"  # order_ref, amount, organisation_id
REFUNDED = "vouchers.refunded"  # order_ref, amount
