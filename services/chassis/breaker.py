"""A circuit breaker on purgatory, with the single-probe gate no library has.

After `failures` consecutive failures it opens for `open_ms`. Half-open, purgatory (like
circuitbreaker, hyx and aiobreaker) lets every caller through; here a try-acquire flag admits one
probe and frees it in `finally`, so a cancelled probe cannot lock the gate.
A refusal means only "not done by this try": earlier tries stay unknown (docs/rules.md R3).
Known leak: purgatory reads the wall clock itself.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import CLOSED, OpenedState
from purgatory.service._async.circuitbreaker import AsyncCircuitBreaker


class BreakerOpen(Exception):
    """The breaker let this try not pass; nothing was sent."""


class Breaker:
    """One link's breaker, of this process alone."""

    def __init__(
        self,
        name: str,
        *,
        failures: int,
        open_ms: float,
        counts: Callable[[BaseException], bool] = lambda _: True,
    ) -> None:
        """Take in `counts` which exceptions are failures of the callee; others count as answers."""
        self.name = name
        self._factory = AsyncCircuitBreakerFactory(
            default_threshold=failures,
            default_ttl=open_ms / 1000,
            exclude=[(Exception, lambda error: not counts(error))],
        )
        self._circuit: AsyncCircuitBreaker | None = None
        self._probing = False

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Let the block run if the breaker allows it, and learn from how it ends.

        Raises BreakerOpen before the block when the circuit is open or another probe is out.
        What the block raises passes through.
        """
        circuit = self._circuit
        if circuit is None:
            circuit = self._circuit = await self._factory.get_breaker(self.name)
        probe = circuit.context.state != CLOSED
        if probe and self._probing:
            raise BreakerOpen(f"{self.name}: another probe is out")
        self._probing = self._probing or probe
        try:
            await self._enter(circuit)
            try:
                yield
            except BaseException as error:
                await self._leave(circuit, error, probe=probe)
                raise
            else:
                await self._leave(circuit, None, probe=probe)
        finally:
            if probe:
                self._probing = False

    async def _enter(self, circuit: AsyncCircuitBreaker) -> None:
        try:
            await circuit.__aenter__()
        except OpenedState:
            raise BreakerOpen(f"{self.name}: the circuit is open") from None

    async def _leave(
        self, circuit: AsyncCircuitBreaker, error: BaseException | None, *, probe: bool
    ) -> None:
        """Tell purgatory, unless this try is a straggler from before the circuit opened.

        A straggler's late end says nothing about the callee now: without this a late success
        would close a half-open circuit and a late failure would reopen one under its probe.
        """
        if probe or circuit.context.state == CLOSED:
            await circuit.__aexit__(type(error) if error else None, error, None)
