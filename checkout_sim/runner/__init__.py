"""The only floor where time passes: a plan's steps go in, observations come out."""
