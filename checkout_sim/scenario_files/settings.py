"""`stack.settings`: single overrides of a service's budgets, as a scenario writes them.

A setting `payment_try_ms` is written `payment_try: 400ms`, one without a unit (`payment_tries`)
as a whole number. Durations of a file are never scaled, yet services scale every `_ms` they are
given; so what is handed on is divided by `time_scale` first.
"""

from checkout_sim.model import wire
from checkout_sim.scenario_files.units import NotAValue, milliseconds, shown

_SUFFIX = "_ms"


def written_names(service: str) -> tuple[str, ...]:
    """Return the settings of a service as a scenario writes them."""
    return tuple(name.removesuffix(_SUFFIX) for name in wire.SETTINGS[service])


def setting_of(service: str, written: str, raw: object, *, time_scale: float) -> tuple[str, str]:
    """Return a known setting's own name and the text its service is given; raise NotAValue."""
    name = written if written in wire.SETTINGS[service] else written + _SUFFIX
    if not name.endswith(_SUFFIX):
        if not isinstance(raw, int) or isinstance(raw, bool) or raw < 1:
            raise NotAValue(f"{shown(raw)} is not a whole number from 1")
        return name, str(raw)
    return name, str(round(milliseconds(raw) / time_scale))


def effective_ms(
    service: str, name: str, overrides: dict[str, dict[str, str]], *, time_scale: float
) -> float:
    """Return a duration as the running service will have it, override and scale applied."""
    given = overrides.get(service, {}).get(name)
    return float(given if given is not None else wire.SETTINGS[service][name]) * time_scale
