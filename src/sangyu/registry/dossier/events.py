"""Events of the dossier room. Payloads hold ids only."""

PAPER_ADDED = "dossier.paper_added"  # id, person
PAPER_WITHDRAWN = "dossier.paper_withdrawn"  # id, person
CHECKED = "dossier.checked"  # person, on
