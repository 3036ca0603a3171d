"""The one thread that writes: it gathers what is waiting, commits it together and wakes the callers.

While the database is away the group is held and tried again, records wait in the bounded queue behind it,
and only what does not fit or outlives the store is lost; every loss is counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError

from cds_service.store.commit import ConfigurationJob, Job, PingJob, RecordJob, Result
from cds_service.store.errors import StoreUnavailable
from cds_service.store.records import FeedbackResult

MAX_GROUP = 256
# A commit costs several times what a record in it does, so it waits this long for records that are known to follow.
GATHER_S = 0.01
HOUSEKEEPING_S = 60.0
SLOW_COMMIT_S = 0.5
_BACKOFF_S = (0.05, 0.1, 0.2, 0.5, 1.0)
# Unreachable, locked, full, read-only, failing over: the same rows may well be accepted later.
_PASSING = (OperationalError, InterfaceError, InternalError, OSError)

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Ticket:
    """A job on its way, with the future of the caller that waits for it."""

    job: Job
    future: asyncio.Future[Result]
    loop: asyncio.AbstractEventLoop

    @property
    def wanted(self) -> bool:
        """Whether writing still serves anyone: a record always, an answer only while someone waits."""
        return isinstance(self.job, RecordJob | ConfigurationJob) or not self.future.done()


class Counters:
    """What happened to the writes since start; read by metrics and `/ready`.

    written: records committed. late: callers told that their record was not committed in time (it may have
    been since). dropped: records lost for good. feedback: feedback items stored. unshared_jtis: token ids
    judged by this process's memory alone. last_error_class: class name of the latest failure, never its text.
    """

    def __init__(self) -> None:
        self.observe: Callable[[str, int], None] | None = None
        """Told the name and the rise of every counter, from any thread."""
        self.written = 0
        self.late = 0
        self.dropped = 0
        self.feedback = 0
        self.unshared_jtis = 0
        self.last_error_class: str | None = None
        self._lock = threading.Lock()

    def add(self, name: str, number: int = 1) -> None:
        """Add to the counter of that name, from any thread."""
        with self._lock:
            setattr(self, name, getattr(self, name) + number)
        if self.observe is not None:
            self.observe(name, number)


class Writer:
    """Owns the thread and the queue. `commit` writes a group or raises; `capacity` bounds what waits."""

    def __init__(
        self, commit: Callable[[Sequence[Job]], list[Result]], counters: Counters, *, capacity: int
    ) -> None:
        self._commit = commit
        self._counters = counters
        self._capacity = capacity
        self._waiting: deque[Ticket] = deque()
        self._more_follow = False
        self._wake = threading.Condition()
        self._closing = False
        self._failures = 0
        self._away = False
        self._began: float | None = None
        self._next_housekeeping = time.monotonic() + HOUSEKEEPING_S
        self._give_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many jobs are queued or held."""
        return len(self._waiting)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def stuck(self) -> bool:
        """Whether waiting for a commit is vain at the moment: the database is away, or one takes very long."""
        began = self._began
        return self._away or (began is not None and time.monotonic() - began > SLOW_COMMIT_S)

    def submit(self, ticket: Ticket, *, more_follow: bool = False) -> bool:
        """Queue a ticket; False if the queue is full or the writer is closing.

        `more_follow` says that others will come within moments, so that one commit can take them all.
        """
        with self._wake:
            if self._closing or len(self._waiting) >= self._capacity:
                return False
            self._waiting.append(ticket)
            self._more_follow = more_follow
            if not more_follow or len(self._waiting) == 1:
                self._wake.notify()
        return True

    def close(self, timeout: float) -> None:
        """Write what waits, for at most `timeout` seconds; what is left then is dropped and counted."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._give_up.set()
            self._thread.join(timeout)
        with self._wake:
            left = list(self._waiting)
            self._waiting.clear()
        self._fail(left, "StoreClosed")

    def _run(self) -> None:
        while (group := self._next_group()) is not None:
            if time.monotonic() >= self._next_housekeeping:
                self._housekeeping()
            if group:
                self._write(group)
            if self._give_up.is_set():
                return

    def _next_group(self) -> list[Ticket] | None:
        """The next tickets, left in the queue until they are settled; empty when idle, None at the end."""
        with self._wake:
            if not self._waiting and not self._closing:
                self._wake.wait(HOUSEKEEPING_S)
            if self._more_follow and not self._closing:
                self._wake.wait(GATHER_S)
            if not self._waiting:
                return None if self._closing else []
            return list(itertools.islice(self._waiting, MAX_GROUP))

    def _write(self, group: list[Ticket]) -> None:
        tickets = [ticket for ticket in group if ticket.wanted]
        self._began = time.monotonic()
        try:
            results = self._commit([ticket.job for ticket in tickets]) if tickets else []
        # Any error, because one bad row must neither end the thread nor take its neighbours with it.
        except Exception as error:  # noqa: BLE001
            self._note(error)
            if isinstance(error, _PASSING) and not self._reachable():
                self._hold()
            else:
                self._write_one_by_one(group)
        else:
            self._forget(len(group))
            self._succeed(tickets, results)
        finally:
            self._began = None

    def _write_one_by_one(self, group: list[Ticket]) -> None:
        """Find the job that the database refuses, lose only that one, and stop if the database goes away."""
        for ticket in group:
            try:
                results = self._commit([ticket.job]) if ticket.wanted else [None]
            except Exception as error:  # noqa: BLE001  # as in `_write`
                self._note(error)
                if isinstance(error, _PASSING) and not self._reachable():
                    self._hold()
                    return
                self._forget(1)
                self._fail([ticket], type(error).__name__)
            else:
                self._forget(1)
                self._succeed([ticket], results)

    def _forget(self, number: int) -> None:
        with self._wake:
            for _ in range(number):
                self._waiting.popleft()

    def _hold(self) -> None:
        """Leave everything queued and wait a little longer than last time."""
        self._away = True
        self._give_up.wait(_BACKOFF_S[min(self._failures, len(_BACKOFF_S)) - 1])

    def _note(self, error: Exception) -> None:
        self._failures += 1
        name = type(error).__name__
        self._counters.last_error_class = name
        # The class alone: the text of a database error may quote the row.
        log.warning("store_write_failed", error_class=name, waiting=self.waiting, failures=self._failures)

    def _reachable(self) -> bool:
        try:
            self._commit([PingJob()])
        except Exception as error:  # noqa: BLE001  # whatever it is, the answer is no; the class is kept
            self._counters.last_error_class = type(error).__name__
            return False
        return True

    def _housekeeping(self) -> None:
        self._next_housekeeping = time.monotonic() + HOUSEKEEPING_S
        self._reachable()

    def _succeed(self, tickets: Sequence[Ticket], results: Sequence[Result]) -> None:
        self._failures = 0
        self._away = False
        self._counters.add("written", sum(isinstance(ticket.job, RecordJob) for ticket in tickets))
        for result in results:
            if isinstance(result, FeedbackResult):
                self._counters.add("feedback", result.stored)
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Ticket, Result]]] = {}
        for ticket, result in zip(tickets, results, strict=True):
            by_loop.setdefault(ticket.loop, []).append((ticket, result))
        for loop, settled in by_loop.items():
            _in_loop(loop, _resolve, settled)

    def _fail(self, tickets: Sequence[Ticket], reason: str) -> None:
        lost = sum(isinstance(ticket.job, RecordJob) for ticket in tickets)
        if lost:
            self._counters.add("dropped", lost)
            log.error("store_records_dropped", number=lost, error_class=reason)
        for ticket in tickets:
            _in_loop(ticket.loop, _reject, (ticket, reason))


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[..., None], argument: object) -> None:
    # A closed loop has no caller left to tell.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, argument)


def _resolve(settled: list[tuple[Ticket, Result]]) -> None:
    for ticket, result in settled:
        if not ticket.future.done():
            ticket.future.set_result(result)


def _reject(failed: tuple[Ticket, str]) -> None:
    ticket, reason = failed
    if not ticket.future.done():
        ticket.future.set_exception(StoreUnavailable(reason))
