"""The tries one request to payment may spend on the gateway, create and confirm together.

stamina repeats; what it repeats, how long it waits and when it stops is decided here. Its own
total timeout reads the real clock and its jitter the global dice, so neither is used.
"""

from collections.abc import Awaitable, Callable

import stamina

from ..chassis.clock import Clock
from ..chassis.ids import Ids
from .payment import NotDone, Outcome, worth_repeating
from .settings import PaymentSettings


class _InDoubt(Exception):
    """Carries an outcome worth repeating through stamina."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(repr(outcome))
        self.outcome = outcome


class Tries:
    """A budget: so many tries, of so many ms each, within a total that no try may overrun."""

    def __init__(self, settings: PaymentSettings, *, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._left = settings.gateway_tries
        self._try_ms = settings.scaled(settings.gateway_try_ms)
        self._low_ms = settings.scaled(settings.backoff_low_ms)
        self._high_ms = settings.scaled(settings.backoff_high_ms)
        self._until_ms = clock.monotonic_ms() + settings.scaled(settings.gateway_total_ms)

    def fits(self, wait_ms: float = 0.0) -> bool:
        """Return whether a whole try still fits after waiting `wait_ms`."""
        end_ms = self._clock.monotonic_ms() + wait_ms + self._try_ms
        return self._left > 0 and end_ms <= self._until_ms

    async def ask(
        self,
        send: Callable[[int], Awaitable[Outcome]],
        *,
        again: Callable[[Outcome], bool] = worth_repeating,
    ) -> Outcome:
        """Call `send(attempt)` while `again(outcome)` and a try fits; return the last outcome.

        NotDone "out_of_tries" when not even one fits.
        """
        if not self.fits():
            return NotDone(error="out_of_tries")
        self._left -= 1
        outcome = await send(1)
        if not again(outcome):  # the common case, spared what stamina costs
            return outcome
        try:
            async for attempt in stamina.retry_context(
                on=self._wait, attempts=self._left + 1, timeout=None, wait_jitter=0
            ):
                with attempt:
                    if attempt.num > 1:
                        self._left -= 1
                        outcome = await send(attempt.num)
                    _raise_if(again(outcome), outcome)
        except _InDoubt as doubt:
            return doubt.outcome
        return outcome

    def _wait(self, error: Exception) -> bool | float:
        """Return the seconds to wait before the next try, or False to stop."""
        wait_ms = self._ids.uniform(self._low_ms, self._high_ms)
        if not isinstance(error, _InDoubt) or not self.fits(wait_ms):
            return False
        return wait_ms / 1000


def _raise_if(in_doubt: bool, outcome: Outcome) -> None:  # noqa: FBT001 - a guard, not an option
    if in_doubt:
        raise _InDoubt(outcome)
