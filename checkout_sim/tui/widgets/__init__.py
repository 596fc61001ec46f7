"""Widgets: what the views are made of; each draws lines of tokens and knows no engine."""
