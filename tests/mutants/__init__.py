"""Mutants: known-bad one-line changes of the services, each of which a scenario must catch."""
