"""Runs as people and programs read them: pure functions from Run to text or JSON.

Nothing here knows where a report goes, and nothing but `terminal.py` and its parts loads rich.
"""
