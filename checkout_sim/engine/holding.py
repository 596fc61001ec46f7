"""Hold, see, strike: what keeps a link still while an event is awaited.

Pure: takes the fault that is to strike, gives the latency that holds the link meanwhile. It sits in
the direction the strike does not touch: another toxic in the same direction would release at once
what is held there (Shopify/toxiproxy: adding a toxic interrupts its stream's chain).
"""

from checkout_sim.model.fault import LinkFault, PlacedToxic, Stream

# From the event to the strike read back took 2 to 12 ms; the rest is for slow hosts. Callers wait
# 800 ms for the gateway (`model/wire.py`), both before time_scale.
HOLD_MS = 350


def hold_for(name: str, strike: LinkFault, *, time_scale: float) -> LinkFault:
    """Return the latency on the strike's link, in the other direction."""
    streams = {toxic.stream for toxic in strike.toxics}
    stream: Stream = "downstream" if streams == {"upstream"} else "upstream"
    toxic = PlacedToxic(
        name=name,
        type="latency",
        stream=stream,
        attributes={"latency": round(HOLD_MS * time_scale), "jitter": 0},
    )
    return LinkFault(links=strike.links, toxics=(toxic,), bounce=False)
