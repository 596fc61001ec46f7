"""Who believes what of one order when all is over: what every account of a run ends with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """Who believes what of one order at the end; each field is a short phrase."""

    told: str
    order: str
    payment: str
    gateway: str
    faults: tuple[str, ...]
