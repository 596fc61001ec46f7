"""YAML in, `Scenario` out, and every error with its line and column. Start at `load.py`."""
