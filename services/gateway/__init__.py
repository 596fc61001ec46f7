"""A stateful stand-in for the part of Stripe's v1 API that a checkout uses; the authority on money."""
