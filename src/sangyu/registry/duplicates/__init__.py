"""Files that may be of the same human being: found, weighed, reviewed (docs/rooms/duplicates.md)."""
