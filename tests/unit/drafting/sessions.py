"""Recorded sessions by hand: an operator buys, breaks and mends; times in milliseconds."""

from typing import Any, Self

from checkout_sim.model.history import Observation

MUG = {"is": "Line", "product": "mug", "quantity": 2, "price_minor": 1250}
CAP = {"is": "Line", "product": "cap", "quantity": 1, "price_minor": 2900}


class Session:
    """Observations as a session records them, one after another."""

    def __init__(self, strategy: str = "naive", **run: Any) -> None:
        self.seen: list[Observation] = []
        self.add(0, "phase.entered", phase="start")
        self.add(1, "run.opened", strategy=strategy, **{"time_scale": 1.0, **run})
        self.add(2, "phase.entered", phase="storm")

    def add(
        self,
        ms: float,
        kind: str,
        *,
        checkout: int | None = None,
        fault: str | None = None,
        **data: Any,
    ) -> Self:
        source = "client" if kind.startswith("client.") else "runner"
        self.seen.append(
            Observation(
                id=len(self.seen) + 1,
                t_ms=ms,
                source=source,
                kind=kind,
                checkout=checkout,
                fault=fault,
                data=data,
            )
        )
        return self

    def shopper(self, number: int, ms: float, **shopper: Any) -> Self:
        said = {
            "cart": [MUG],
            "card": "pm_card_visa",
            "patience_ms": 6000,
            "behaviour": {"is": "PostOnce"},
        }
        self.add(ms, "operator.shopper", checkout=number, **{**said, **shopper})
        return self.add(ms, "client.sent", checkout=number)

    def ends(self, number: int, ms: float) -> Self:
        return self.add(ms, "client.ended", checkout=number)

    def buys(self, number: int, begin: float, end: float, **shopper: Any) -> Self:
        return self.shopper(number, begin, **shopper).ends(number, end)

    def asks(self, ms: float, command: str, **fields: Any) -> Self:
        return self.add(ms, "operator.asked", command={"is": command, **fields}, by="operator")

    def injects(self, name: str, ms: float, *, window: int = 1, **done: Any) -> Self:
        toxic = {
            "name": name,
            "type": "timeout",
            "stream": "downstream",
            "attributes": {"timeout": 0},
        }
        said = {"target": "payment_to_gateway", "type": "timeout", "toxics": [toxic]}
        return self.add(ms, "fault.injected", fault=name, window=window, **{**said, **done})

    def lifts(self, name: str, ms: float, *, window: int = 1) -> Self:
        return self.add(ms, "fault.lifted", fault=name, window=window, how="release")

    def marks(self, ms: float, mark: str) -> Self:
        return self.add(ms, "operator.noted", text="", mark=mark)

    def calms(self, ms: float) -> Self:
        return self.add(ms, "phase.entered", phase="calm")
