"""The embedded engines: PostgreSQL, NATS and Caddy from their wheels. No Django in here."""
