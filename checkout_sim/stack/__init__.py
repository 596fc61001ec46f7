"""Brings the world up and down: proxy server, services, and what they say."""
