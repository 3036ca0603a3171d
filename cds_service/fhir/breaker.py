"""A circuit breaker, so that one EHR that is down does not slow every call by a full deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

from cds_service.fhir.results import FailureReason


class CircuitBreaker:
    """Stops calling a server that keeps failing, and lets one read through now and then to try it.

    It opens after `threshold` failures in a row. While it is open one read per `pause` seconds passes (the
    half-open probe); the first success closes it. Used from the event loop only, hence without a lock.
    """

    def __init__(self, threshold: int, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._threshold = threshold
        self._pause = pause
        self._clock = clock
        self._failures = 0
        self._next_try = 0.0
        self._reason = FailureReason.UNREACHABLE

    @property
    def is_open(self) -> bool:
        """Whether the server is left alone, but for a probe now and then."""
        return self._failures >= self._threshold

    def refusal(self) -> FailureReason | None:
        """Why no read may start now: the reason of the latest failure. None lets the read through."""
        if not self.is_open:
            return None
        now = self._clock()
        if now < self._next_try:
            return self._reason
        # The next try is set before the outcome is known: a probe that never reports blocks nobody.
        self._next_try = now + self._pause
        return None

    def succeeded(self) -> None:
        """The server answered, whatever it said."""
        self._failures = 0

    def failed(self, reason: FailureReason) -> None:
        """The server did not answer, or answered that it cannot."""
        self._failures += 1
        self._reason = reason
        self._next_try = self._clock() + self._pause
