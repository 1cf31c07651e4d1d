"""Events of the applications room. Payloads hold ids, codes and days (ISO) only."""

SUBMITTED = "applications.submitted"  # id
REVIEW = "applications.review"  # id, action, step
APPROVED = "applications.approved"  # id, action, person, policy
REFUSED = "applications.refused"  # id, action, person, policy
WITHDRAWN = "applications.withdrawn"  # id, action
UPHELD = "applications.objections.upheld"  # id, action, person or body, policy, month (ISO or "")
HELD = "applications.held"  # id, person or body, policy, on
RESUMED = "applications.resumed"  # id, person or body, policy, on
PAYEE_CHANGED = "applications.payee_changed"  # id, person
