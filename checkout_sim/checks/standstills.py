"""When the machine itself stood still: bands beside those of the faults, which nobody planned.

Takes observations, gives `Band`s on the recorder's clock. Processors are not told apart: whatever
waited for one of them was late.
"""

from collections.abc import Iterable, Iterator

from checkout_sim.model.history import Observation
from checkout_sim.model.ladder import Band

MACHINE = "machine"  # what the bands are called where a fault has its name


def standstills(
    observations: Iterable[Observation], begin_ms: float, end_ms: float
) -> Iterator[Band]:
    """Yield the standstills between these times, in ms since the earlier one; none overlap."""
    spans = sorted(
        (one.t_ms - float(one.data.get("ms") or 0), one.t_ms)
        for one in observations
        if one.kind == "machine.hiccup"
    )
    merged: list[tuple[float, float]] = []
    for began, ended in spans:
        if merged and began <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ended))
        else:
            merged.append((began, ended))
    for began, ended in merged:
        if began <= end_ms and ended >= begin_ms:
            yield Band(
                fault=MACHINE,
                type="hiccup",
                target="",
                streams=(),
                begin_ms=began - begin_ms,
                end_ms=ended - begin_ms,
                detail=f"stood still for {ended - began:.0f} ms",
            )


def longest(bands: Iterable[Band], most: int) -> list[Band]:
    """Return the longest of some standstills, in order of time."""

    def lasted_ms(band: Band) -> float:
        return (band.end_ms or band.begin_ms) - band.begin_ms

    kept = sorted(bands, key=lasted_ms, reverse=True)[:most]
    return sorted(kept, key=lambda band: band.begin_ms)
