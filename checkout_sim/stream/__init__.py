"""NDJSON over a unix socket: the engine's end and a subscriber's end."""
