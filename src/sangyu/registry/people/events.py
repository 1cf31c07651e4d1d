"""Events of the people room. Payloads hold ids and days (ISO) only."""

REGISTERED = "people.registered"  # id
UPDATED = "people.updated"  # id, fields
FACT_RECORDED = "people.fact_recorded"  # id, kind, value, valid_from
FACT_ENDED = "people.fact_ended"  # id, kind, value, on
DIED = "people.died"  # id, on
DEATH_REVOKED = "people.death_revoked"  # id
MOVED = "people.moved"  # id, region, on, previous_path; sent to the new region
LEFT = "people.left"  # the same; sent to the old region
REASSIGNED = "people.reassigned"  # region, on, count: another region is responsible, nobody moved
ADMITTED = "people.admitted"  # id, on
DISCHARGED = "people.discharged"  # id, on
HOSPITALISED = "people.hospitalised"  # id, on
RESIDENCE_REVOKED = "people.residence_revoked"  # id, on
LIVES_ALONE = "people.lives_alone"  # id, on: for plans of visits
CONSENT_GIVEN = "people.consent_given"  # id, purpose, consent
CONSENTS_LISTED = "people.consents_listed"  # purpose, count: many at once, by a list
CONSENT_WITHDRAWN = "people.consent_withdrawn"  # id, purpose, consent
IMPORTED = "people.imported"  # batch, count (new), changed
STATUSES_LISTED = "people.statuses_listed"  # kind, begun, ended, taken_back: many at once, by a list
MERGED = "people.merged"  # id (kept), gone, merge
UNMERGED = "people.unmerged"  # the same
