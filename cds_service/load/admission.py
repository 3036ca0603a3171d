"""Bounded admission, so that overload is answered at once and the calls that matter most come first.

All work of a process happens on one event loop. Calls therefore begin one (at most a few) per round of the loop:
in between it reads new connections, so that `/health` answers and a call too many hears so within milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from dataclasses import dataclass, field

from cds_service.errors import Overloaded
from cds_service.load.rates import Rates

# What is about to be signed cannot be warned of later; an open chart will be opened again.
_RANKS = {"order-sign": 0, "order-select": 1, "medication-refill": 1}
_LAST = 2
_ROUND_S = 0.01
_MOST_A_ROUND = 2


def rank_of(hook: str | None) -> int:
    """Priority of a hook, 0 first."""
    return _RANKS.get(hook or "", _LAST)


@dataclass(slots=True)
class Turn:
    """One call's way through: when it came (`time.perf_counter`) and, once known, from whom."""

    rates: Rates | None = None
    arrived: float = field(default_factory=time.perf_counter)
    client: str = "unknown"

    def identify(self, client: str, *, limited: bool = True) -> None:
        """Say whose call it is, and count it.

        Raises:
            TooManyCalls: the client has used up its rate.
        """
        self.client = client
        if limited and self.rates is not None:
            self.rates.take(client)


class Admission:
    """At most `calls` in progress and `waiting` in a queue, by rank and then by arrival.

    Args:
        calls: calls in progress at once.
        waiting: calls that may wait; one more displaces a waiting one of lower rank, or is turned away.
        rate: calls per second and client, twice that in a burst; 0 is no limit.
        patience: seconds a call may wait.
        body_bytes: bytes of request bodies held at once, over all calls.
    """

    def __init__(self, *, calls: int, waiting: int, rate: int, patience: float, body_bytes: int) -> None:
        self._calls = calls
        self._most_waiting = waiting
        self._patience = patience
        self._bytes_left = body_bytes
        self._rates = Rates(rate) if rate else None
        self._queues: tuple[deque[asyncio.Future[None]], ...] = tuple(deque() for _ in range(_LAST + 1))
        self._round_booked = False
        self._last_round = 0.0
        self.busy = 0
        """Calls in progress."""

    @property
    def waiting(self) -> int:
        """Calls in the queue."""
        return sum(map(len, self._queues))

    def full(self, rank: int) -> bool:
        """Whether a call of that rank would be turned away now."""
        return self._taken and not any(self._queues[rank + 1 :])

    @property
    def _taken(self) -> bool:
        # Calls that arrive together wait in the queue for their round even where there are places for all.
        return self.busy + self.waiting >= self._calls + self._most_waiting

    def turn(self) -> Turn:
        """A turn for a call that has just arrived."""
        return Turn(self._rates)

    def hold(self, size: int) -> None:
        """Take `size` bytes of the memory for bodies.

        Raises:
            Overloaded: there are not as many left.
        """
        if size > self._bytes_left:
            raise Overloaded("Too many large calls at once; try again.")
        self._bytes_left -= size

    def free(self, size: int) -> None:
        """Give bytes back."""
        self._bytes_left += size

    async def enter(self, rank: int) -> None:
        """Wait for a place; every `enter` that returns needs a `leave`.

        Raises:
            Overloaded: no place, or none in time.
        """
        if self.busy < self._calls and not self._round_booked and not self.waiting:
            self.busy += 1
            self._book_round()
            return
        place = self._queue(rank)
        try:
            async with asyncio.timeout(self._patience):
                await place
        except TimeoutError:
            # Unless the place came in the very round in which patience ended.
            if not _given(place):
                self._forget(rank, place)
                raise Overloaded("The service is busy; try again.") from None
        except asyncio.CancelledError:
            if _given(place):
                self.leave()
            self._forget(rank, place)
            raise

    def leave(self) -> None:
        """Give the place to the next."""
        self.busy -= 1
        if self.waiting:
            self._book_round()

    def _queue(self, rank: int) -> asyncio.Future[None]:
        if self._taken:
            self._displace(rank)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues[rank].append(place)
        self._book_round()
        return place

    def _displace(self, rank: int) -> None:
        for queue in reversed(self._queues[rank + 1 :]):
            if queue:
                place = queue.pop()
                if not place.done():
                    place.set_exception(Overloaded("The service is busy with more urgent calls; try again."))
                return
        raise Overloaded("The service is busy; try again.")

    def _forget(self, rank: int, place: asyncio.Future[None]) -> None:
        # It may have been taken out already, when others noticed that it was given up.
        with contextlib.suppress(ValueError):
            self._queues[rank].remove(place)

    def _book_round(self) -> None:
        if not self._round_booked:
            self._round_booked = True
            asyncio.get_running_loop().call_soon(self._round)

    def _round(self) -> None:
        """Let calls begin: one, or a few where a round takes long because of all those who are turned away."""
        self._round_booked = False
        now = time.perf_counter()
        number = 1 + int((now - self._last_round) / _ROUND_S)
        self._last_round = now
        for _ in range(min(number, _MOST_A_ROUND)):
            if self.busy >= self._calls or not self._begin():
                return
        if self.waiting:
            self._book_round()

    def _begin(self) -> bool:
        """Give a place to the first of the highest rank; False if nobody waits."""
        for queue in self._queues:
            while queue:
                place = queue.popleft()
                if not place.done():
                    self.busy += 1
                    place.set_result(None)
                    return True
        return False


def _given(place: asyncio.Future[None]) -> bool:
    return place.done() and not place.cancelled() and place.exception() is None
