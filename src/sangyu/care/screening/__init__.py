"""Screening campaigns: who is sought, what is asked at the door, what follows (R-022, R-023; docs/rooms/screening.md)."""
