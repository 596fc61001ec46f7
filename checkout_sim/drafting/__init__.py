"""A scenario cut out of a recorded run: pure, from observations to YAML text."""
