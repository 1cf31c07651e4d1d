"""Orders: from a request to the confirmed visit. Owns every transition (docs/rooms/orders.md)."""
