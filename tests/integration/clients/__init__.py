"""The tool's clients against servers of bytes that misbehave in one way each."""
