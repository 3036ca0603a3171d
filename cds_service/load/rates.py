"""A token bucket per client, so that one client's flood is its own problem."""

from __future__ import annotations

import time
from collections.abc import Callable

from cds_service.errors import TooManyCalls

_BURST = 2.0


class Rates:
    """`rate` calls per second and client on average, a burst of twice that at once. For the event loop only."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        """Client -> calls left, at that moment. As many as there are client profiles."""

    def take(self, client: str) -> None:
        """Count one call.

        Raises:
            TooManyCalls: none is left.
        """
        now = self._clock()
        most = self._rate * _BURST
        left, then = self._buckets.get(client, (most, now))
        left = min(most, left + (now - then) * self._rate)
        if left < 1:
            raise TooManyCalls("This client calls too often; try again.")
        self._buckets[client] = (left - 1, now)
