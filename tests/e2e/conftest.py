"""The stack and the browser, shared by all tests here; what is left out where there is no Chromium, see the Makefile."""

from support.stack import chromium, town

__all__ = ["chromium", "town"]
