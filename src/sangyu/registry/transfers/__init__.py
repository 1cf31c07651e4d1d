"""迁入迁出: a county asks for the file of a person who moved there (docs/rooms/transfers.md)."""
