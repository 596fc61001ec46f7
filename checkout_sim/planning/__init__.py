"""(Scenario, seed) in, `Plan` out: all chance is drawn here. Standard library and model only."""
