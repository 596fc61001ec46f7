"""The orchestrator: a durable saga over order and payment."""
