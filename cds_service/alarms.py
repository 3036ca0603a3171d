"""Time limits for what nearly always ends long before them.

Each call has several (its body, its turn, its record, its client's patience). A timer of the event loop for each
would cost more than the waiting itself, so all of a loop share one: to set or to clear a limit is an entry in a
dictionary.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType

Ring = Callable[[], None]


class _Alarms:
    """The limits of one event loop, and the one timer that looks after them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._due: dict[Ring, float] = {}
        self._timer: asyncio.Handle | None = None
        self._wakes = 0.0

    def set(self, seconds: float, ring: Ring) -> None:
        due = self._due[ring] = self.loop.time() + seconds
        if self._timer is None or due < self._wakes:
            self._wake_at(due)

    def clear(self, ring: Ring) -> None:
        # The timer stays: it finds nothing to do, or the next limit by then.
        self._due.pop(ring, None)

    def _wake_at(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # Noted here: uvloop's handle of a moment that has passed does not say when.
        self._wakes = due
        self._timer = self.loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self.loop.time()
        for ring in [ring for ring, due in self._due.items() if due <= now]:
            self.clear(ring)
            ring()
        if self._due:
            self._wake_at(min(self._due.values()))


_of_thread = threading.local()


def _alarms() -> _Alarms:
    loop = asyncio.get_running_loop()
    known: _Alarms | None = getattr(_of_thread, "alarms", None)
    if known is None or known.loop is not loop:
        known = _of_thread.alarms = _Alarms(loop)
    return known


def set_alarm(seconds: float, ring: Ring) -> None:
    """Call `ring` after so many seconds, on this event loop, unless it is cleared before.

    `ring` is also what the alarm is known by, so no two alarms may have equal ones.
    """
    _alarms().set(seconds, ring)


def clear_alarm(ring: Ring) -> None:
    """Forget the alarm; nothing happens if it has rung or was never set."""
    _alarms().clear(ring)


class time_limit:  # noqa: N801 - reads as `asyncio.timeout` does
    """`with time_limit(seconds):` cancels what the task waits for inside, and raises TimeoutError instead.

    The rules are those of `asyncio.timeout`: another's cancellation of the task passes through.
    """

    __slots__ = ("_cancelling", "_over", "_seconds", "_task")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._over = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a time limit needs a task")
        self._task, self._cancelling = task, task.cancelling()
        set_alarm(self._seconds, self._end)

    def _end(self) -> None:
        self._over = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        clear_alarm(self._end)
        if self._over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
