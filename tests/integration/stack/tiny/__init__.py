"""A service as small as the wire contract allows, with levers to make it misbehave."""
