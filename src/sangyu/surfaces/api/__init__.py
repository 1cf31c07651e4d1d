"""HTTP API for other systems and apps: the same services and scope as the pages (docs/rooms/api.md)."""
