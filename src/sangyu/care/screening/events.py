"""Events of the screening room. Payloads hold ids and counts only."""

OPENED = "screening.open"  # id, action, targets
CLOSED = "screening.closed"  # id, action, lapsed
CONFIRMED = "screening.confirmed"  # id (campaign), count
