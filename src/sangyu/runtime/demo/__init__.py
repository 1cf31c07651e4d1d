"""The demo city behind ``sangyu demo``: believable people, providers and orders of one real city (docs/rooms/demo.md)."""

from .city import build

__all__ = ["build"]
