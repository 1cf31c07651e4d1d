"""Events of the life events room. Payloads hold ids, kinds and days (ISO) only."""

RECORDED = "lifeevents.recorded"  # id, person, kind, on
WITHDRAWN = "lifeevents.withdrawn"  # id, person, kind
CLOSED = "lifeevents.closed"  # id, person, kind: nothing is open any more
NOTICE = "lifeevents.notice"  # id, to: parties have something to read
