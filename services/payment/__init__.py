"""The payment service: charges through Stripe's SDK and remembers what it knows about money."""
