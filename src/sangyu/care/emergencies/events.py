"""Events of the emergencies room. Path = the incident's; payload: ``incident``, ``number``, ``level``, ``state``."""

OPENED = "emergencies.opened"
CHANGED = "emergencies.changed"
CLAIMED = "emergencies.claimed"
CLOSED = "emergencies.closed"
#: A notice failed for good, or a responder on the screen has news: ``incident`` and ``notice``.
NOTICE = "emergencies.notice"
CALLED = "emergencies.called"  # call, person, state: a telephone call for the screens of the desk
