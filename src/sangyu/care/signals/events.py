"""Events of the signals room. Payloads hold ids only."""

RAISED = "signals.raised"  # alarm, device, kind, level, state
ENDED = "signals.ended"  # the same: over, dealt with or withdrawn
UNWATCHED = "signals.unwatched"  # person, rule: a fence was taken away, a rule switched off
