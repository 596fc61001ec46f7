"""The link fault behind what was read back, so that one armed earlier can be changed.

Takes a fault as the board saw it, from a key, a scenario or another operator; gives the `LinkFault`
that would be asked for now.
"""

from collections.abc import Mapping
from typing import Any, cast, get_args

from checkout_sim.board.faults import FaultSeen
from checkout_sim.model.fault import LinkFault, PlacedToxic, Stream, ToxicType


def link_fault_of(seen: FaultSeen) -> LinkFault | None:
    """Return the fault as it stands on its link; None of what is no link fault."""
    if seen.type == "down":
        return LinkFault(links=(seen.target,), down=True)
    toxics = tuple(toxic for toxic in map(_toxic, seen.toxics) if toxic is not None)
    if not toxics:
        return None
    asked = seen.kind if isinstance(seen.kind, LinkFault) else None
    return LinkFault(
        links=(seen.target,),
        toxics=toxics,
        bounce=asked.bounce if asked else None,
        lift=asked.lift if asked else "release",
    )


def _toxic(read_back: Mapping[str, Any]) -> PlacedToxic | None:
    kind, stream = read_back.get("type"), read_back.get("stream")
    if kind not in get_args(ToxicType) or stream not in get_args(Stream):
        return None
    attributes = {str(name): int(value) for name, value in read_back.get("attributes", {}).items()}
    return PlacedToxic(
        name=str(read_back.get("name", "")),
        type=cast("ToxicType", kind),
        stream=cast("Stream", stream),
        attributes=attributes,
    )
