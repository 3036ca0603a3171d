"""One query from its first page to its last: the retry, simpler searches, paging, batch.

How bytes travel is the client's business and is passed in; everything here runs on a worker thread.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cds_service.fhir.decode import Dropped, Resource
from cds_service.fhir.results import Deadline, Failed, FailureReason, Fetched, FhirAccess
from cds_service.fhir.search import (
    SIMPLEST,
    Pages,
    address_under,
    batch_answers,
    batch_bundle,
    next_address,
    reason_of_status,
    resource_type_of,
    simplified,
)

_MIN_SHARE_FOR_RETRY = 0.4
_OK = 200
_TOO_MANY_REQUESTS = 429
_WORTH_A_RETRY = frozenset({429, 502, 503, 504})
# 414: a list of codes can make the address too long.
_SIMPLIFY_ON = frozenset({400, 414})
_NO_BATCH_ON = frozenset({400, 404, 405, 406, 415, 422, 501})


class NoAnswer(Exception):
    """An attempt failed: why, with which status, and after how many seconds one more may be made.

    Control flow of reading; callers of the client never see it.
    """

    def __init__(self, reason: FailureReason, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.retry_after = retry_after


def check_status(status: int, retry_after: str | None = None) -> None:
    """Raise NoAnswer unless `status` is 200. `retry_after` is the header of that name."""
    if status == _OK:
        return
    raise NoAnswer(reason_of_status(status), status, _pause(status, retry_after))


def _pause(status: int, retry_after: str | None) -> float | None:
    """Seconds to wait before one more attempt; None for no further attempt."""
    if status not in _WORTH_A_RETRY:
        return None
    if retry_after is not None:
        # A date cannot fit into a deadline of about a second, whatever it says.
        return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
    return None if status == _TOO_MANY_REQUESTS else jitter()


def jitter() -> float:
    """A few hundredths of a second, so that the reads of one call do not return in step."""
    return random.uniform(0.01, 0.05)  # noqa: S311 - no secret


class Lifeline:
    """The socket that a worker thread reads from, so that the event loop can cut it off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_cut = False

    def hold(self, current: socket.socket | None) -> None:
        """The worker now reads from `current`; None when it is done."""
        with self._lock:
            self._socket = current
            if self.is_cut:
                self._shut()

    def cut(self) -> None:
        """Make the blocked worker return. Without this a dripping server could hold every thread."""
        with self._lock:
            self.is_cut = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            # OSError: the peer closed first, which is just as well.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


@dataclass(slots=True, eq=False)
class Read:
    """One query on its way, shared by its worker thread and the event loop.

    `base` is the clean form of `access.base`; `budget` the seconds there were at the start.
    """

    access: FhirAccess
    base: str
    query: str
    deadline: Deadline
    budget: float
    first: tuple[int, bytes] | None = None
    """Status and body that a batch has already brought."""
    so_far: Fetched | None = None
    """The pages read until now: what remains if the time is up."""
    lifeline: Lifeline = field(default_factory=Lifeline)
    started: float = field(default_factory=time.perf_counter)

    @property
    def is_opaque(self) -> bool:
        """An absolute address, as paging links are: never to be changed."""
        return "://" in self.query.partition("?")[0]

    def seconds(self) -> float:
        """Wall time since the start."""
        return time.perf_counter() - self.started

    def failed(self, reason: FailureReason, dropped: Sequence[Dropped] = ()) -> Failed:
        """The end of this read without an answer."""
        return Failed(reason, self.seconds(), tuple(dropped))

    def may_retry(self, pause: float) -> bool:
        """Whether enough time would be left after `pause` seconds for one more attempt."""
        left = self.deadline.left() - pause
        return not self.lifeline.is_cut and left >= _MIN_SHARE_FOR_RETRY * self.budget


class Reader:
    """Reads queries with `exchange`, and remembers what each server does not support.

    Args:
        exchange: Sends one GET to an address under the base (or POSTs a batch, if bytes are given) and
            returns the body of its 200 answer. Raises NoAnswer.
        max_pages: Most pages of one search.
    """

    def __init__(self, exchange: Callable[[Read, str, bytes | None], bytes], max_pages: int) -> None:
        self._exchange = exchange
        self._max_pages = max_pages
        self._levels: dict[tuple[str, str], int] = {}
        """How far searches must be simplified, by base and resource type."""
        self._no_batch: set[str] = set()

    def read(self, read: Read) -> Fetched | Failed:
        """One query with all its pages. Raises NoAnswer when a page cannot be had."""
        body, url = self._first_page(read)
        pages = Pages(resource_type_of(url[len(read.base) + 1 :]), search="?" in url)
        seen = {url}
        while True:
            reason = pages.add(body)
            if reason is not None:
                return read.so_far or read.failed(reason, pages.dropped)
            if pages.next_link is None:
                return pages.fetched(read.seconds(), cut=False)
            read.so_far = pages.fetched(read.seconds(), cut=True)
            following = next_address(read.base, url, pages.next_link, read.access.named)
            if following is None or following in seen or pages.count >= self._max_pages:
                return read.so_far
            url = following
            seen.add(url)
            body = self._get(read, url)

    def _first_page(self, read: Read) -> tuple[bytes, str]:
        """Body and address of the first page, from a simpler search where the server refuses ours."""
        level = self._level(read)
        while True:
            query = simplified(read.query, level)
            url = _address(read, query)
            try:
                body = self._get(read, url)
            except NoAnswer as error:
                simpler = [n for n in range(level + 1, SIMPLEST + 1) if simplified(read.query, n) != query]
                if error.status not in _SIMPLIFY_ON or read.is_opaque or not simpler:
                    raise
                level = simpler[0]
            else:
                if level:
                    self._levels[read.base, resource_type_of(read.query)] = level
                return body, url

    def _level(self, read: Read) -> int:
        return 0 if read.is_opaque else self._levels.get((read.base, resource_type_of(read.query)), 0)

    def _get(self, read: Read, url: str) -> bytes:
        """One GET, with at most one retry and only while enough of the time is left for it."""
        try:
            if read.first is not None:
                (status, body), read.first = read.first, None
                check_status(status)
                return body
            return self._exchange(read, url, None)
        except NoAnswer as error:
            if error.retry_after is None or not read.may_retry(error.retry_after):
                raise
            time.sleep(error.retry_after)
        return self._exchange(read, url, None)

    def supports_batch(self, base: str) -> bool:
        """False once the server at `base` has refused a batch."""
        return base not in self._no_batch

    def send_batch(self, reads: Sequence[Read], carrier: Read) -> Fetched | Failed:
        """One request for the first pages of all `reads`; they then go on as if each had asked for itself."""
        reads = [read for read in reads if not read.is_opaque]
        queries = [simplified(read.query, self._level(read)) for read in reads]
        try:
            body = self._exchange(carrier, carrier.base, batch_bundle(queries))
        except NoAnswer as error:
            if error.status in _NO_BATCH_ON or error.reason is FailureReason.NOT_FHIR:
                self._no_batch.add(carrier.base)
            raise
        answers = batch_answers(body, len(reads))
        if answers is None:
            self._no_batch.add(carrier.base)
            return carrier.failed(FailureReason.NOT_FHIR)
        for read, answer in zip(reads, answers, strict=True):
            read.first = answer
        return Fetched(Resource(resourceType="Bundle", type="batch-response"), seconds=carrier.seconds())


def _address(read: Read, query: str) -> str:
    url = query if read.is_opaque else f"{read.base}/{query}"
    address = address_under(read.base, url, read.access.named)
    if address is None:
        raise NoAnswer(FailureReason.ADDRESS_NOT_ALLOWED)
    return address
