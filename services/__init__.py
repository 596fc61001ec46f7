"""Independent deployables, each started with `python -m services.<name>`."""
