"""Names of the events of this room. Payload: ``id``, ``action`` and ``on`` (ISO day); contract events ``organisation_id`` too."""

APPROVED = "organisations.approved"
SUSPENDED = "organisations.suspended"
ENDED = "organisations.ended"
CONTRACT_ENDED = "organisations.contract_ended"
