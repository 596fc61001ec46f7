"""Brings the world up and down: which processes, on which ports, started, watched and stopped."""
