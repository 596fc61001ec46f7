"""Figures beside their targets: `make bench`. Nothing here asserts."""
