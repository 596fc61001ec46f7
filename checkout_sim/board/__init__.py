"""A run as its watchers see it: pure, from observations to rows."""
