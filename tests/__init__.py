"""The specification, told by tests."""
