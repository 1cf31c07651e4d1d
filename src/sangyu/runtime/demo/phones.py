"""Telephone numbers of demo people: in ranges that no operator has opened, so that nobody is ever dialled by mistake.

154, 160, 161, 163 and 164 are not assigned for public mobile service in the national numbering plan; the demo besides never
sends a text message (they stay in the outbox as kept).
"""

ELDER, STAFF, WORKER, RELATIVE, PROVIDER = "154", "160", "161", "164", "163"


def demo_phone(prefix: str, number: int) -> str:
    """The ``number``-th demo phone of a kind, spread so that neighbours do not look alike; a different number each."""
    return f"{prefix}{number * 48_271_373 % 99_999_989:08d}"
