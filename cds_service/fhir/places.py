"""Places for reads under way at once, given in the order in which they were asked for."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future


class Places:
    """A fair semaphore: awaited from any event loop, given back from any thread.

    Waiting costs nothing: hundreds of reads that looked again every few milliseconds would take the time in which
    others could be answered.
    """

    def __init__(self, count: int) -> None:
        self._value = count
        self._waiting: deque[Future[None]] = deque()
        self._lock = threading.Lock()

    async def take(self, seconds: float) -> bool:
        """Wait for a place, at most so long; False if there was none."""
        with self._lock:
            if self._value:
                self._value -= 1
                return True
            turn: Future[None] = Future()
            self._waiting.append(turn)
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wrap_future(turn)
        except (TimeoutError, asyncio.CancelledError) as error:
            # Given at the very moment in which the caller went away: somebody else may have it.
            if not turn.cancel():
                self.give_back()
            if isinstance(error, TimeoutError):
                return False
            raise
        return True

    def give_back(self) -> None:
        """The longest waiting read has it next."""
        with self._lock:
            while self._waiting:
                turn = self._waiting.popleft()
                if turn.set_running_or_notify_cancel():
                    turn.set_result(None)
                    return
            self._value += 1
