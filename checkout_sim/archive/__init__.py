"""Runs on disk: `<root>/runs/<id>/` with its history and verdict, and `<root>/latest`.

Files only, synchronous, no judgement: what a run means is decided elsewhere.
"""
