"""Names of the events of this room. Payload: ``id``, ``action``, ``organisation_id``, ``account_id`` (or None), ``on`` (ISO day)."""

ACTIVE = "workforce.active"
SUSPENDED = "workforce.suspended"
#: The engagement ended: access ends, open visits need another worker.
LEFT = "workforce.left"
