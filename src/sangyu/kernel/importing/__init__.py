"""Workbooks in: upload → match columns → check → commit in one transaction → rejected rows back (design rule 11).

A room describes an import as a subclass of ``definition.Import`` in its ``imports.py``; see docs/rooms/importing.md.
"""
