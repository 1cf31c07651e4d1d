"""Events of the facilities room. Payloads hold ids, kinds and days (ISO) only."""

REGISTERED = "facilities.registered"  # id
FACT = "facilities.fact"  # id, kind, value, on
ADMITTED = "facilities.admitted"  # id (stay), facility, person, on
DISCHARGED = "facilities.discharged"  # id (stay), facility, person, on, reason
