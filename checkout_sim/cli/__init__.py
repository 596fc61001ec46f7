"""The command line: front ends only, no rules. One file per command family.

Modules here import the tool inside functions, so that `--help` loads neither rich nor the
services' libraries; `tests/architecture` counts what is loaded.
"""
