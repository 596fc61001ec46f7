"""The stack brought up and down for real: fork server, processes, ports, pipes."""
