"""The provider's desk: what waits for an answer, today's visits, what runs late, what expires (R-081, R-087)."""
