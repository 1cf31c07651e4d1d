"""The home page of staff: what waits for them, and the few figures of their area."""
