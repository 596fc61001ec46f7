"""The terminal dashboard: a subscriber to the engine's stream and a sender of commands."""
