"""A stateful stand-in for the part of Stripe's v1 API a checkout uses; money's authority."""
