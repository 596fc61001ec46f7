"""The simulation behind a stream: commands become steps, subscribers get the history."""
