"""A proxy server that speaks Toxiproxy's HTTP API, version 2.12.0, for where Go's is not to be had.

It is a program, `python -m checkout_sim.proxy [-host H] [-port N] [-config FILE]`, and imports
nothing else of checkout_sim. `tests/proxy` runs one suite against this server and against the
real one (https://github.com/Shopify/toxiproxy).

It differs from the real server on purpose in this:

- A taken API port ends the process with status 1; the Go process lives on without an API.
- A control call never waits for data: nothing a client or upstream does delays an answer.
- A proxy whose `listen` names no host listens on loopback, never on every interface.
- Attributes that crash the Go server are refused with 400: a negative bandwidth `rate`; a slicer
  without `average_size` >= 1 and 0 <= `size_variation` < `average_size`.
- A name with a slash, which could never be addressed again, is refused with 400.
- PATCH of a toxic is all or nothing.
- The upstream is dialled beside the accept loop, for at most 10 s.
- Toxicity is drawn once per connection and toxic, from `-seed` when it is given.
- Pauses between slices shorter than a millisecond may last one millisecond longer than asked.
- There is no /metrics, and no redirect of paths with doubled slashes.
- Every answer carries the header `X-Checkout-Sim-Proxy`.
"""
