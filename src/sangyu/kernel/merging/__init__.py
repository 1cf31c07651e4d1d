"""Two rows that are the same thing become one, and can become two again (docs/adr/0013-duplicates-and-merge.md)."""
