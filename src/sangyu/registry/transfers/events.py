"""Events of the transfers room. Payloads hold ids only; both sides get each of them."""

REQUESTED = "transfers.requested"  # id
AGREED = "transfers.agreed"  # id, action
REFUSED = "transfers.refused"  # id, action
WITHDRAWN = "transfers.withdrawn"  # id, action
OVERDUE = "transfers.overdue"  # id; also to the region above both
