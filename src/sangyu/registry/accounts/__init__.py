"""Accounts, grants, sign-in and API tokens (R-002, R-004, R-011)."""
