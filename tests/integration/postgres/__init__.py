"""PostgreSQL, as a private server and behind the services."""
