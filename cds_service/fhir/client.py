"""Reads from an EHR's FHIR server, in parallel, inside one deadline. The only module that uses `requests`.

`requests` times out per socket operation and reads whatever it is sent; both are bounded below. Reads run on our
own threads; a thread cannot be stopped, so a read that is given up has its socket cut instead.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from http import HTTPStatus
from itertools import count
from typing import Any, Literal, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from cds_service.fhir.breaker import CircuitBreaker
from cds_service.fhir.reading import Lifeline, NoAnswer, Read, Reader, check_status, jitter
from cds_service.fhir.results import Deadline, Failed, FailureReason, Fetched, FhirAccess
from cds_service.fhir.search import clean_base

__all__ = ["Deadline", "Failed", "FailureReason", "Fetched", "FhirAccess", "FhirClient"]

_log = logging.getLogger(__name__)
# urllib3 warns of malformed headers with the full URL, which holds a patient id.
logging.getLogger("urllib3").setLevel(logging.ERROR)

_CHUNK = 65_536
_TOKEN = re.compile(r"[\x21-\x7e]+")
_ADMISSION_SHARE = 0.4
"""Of the time for reading FHIR, how long a read may wait for a thread before it is given up."""
# A server cannot be blamed for a call that came with less time than this.
_MIN_FAIR_SECONDS = 0.2
_SERVER_FAULTS = frozenset(
    {
        FailureReason.NO_ANSWER_IN_TIME,
        FailureReason.SERVER_BUSY,
        FailureReason.SERVER_ERROR,
        FailureReason.UNREACHABLE,
    }
)
# No word from the server: nothing was sent, or the fault is ours.
_SAYS_NOTHING = frozenset({FailureReason.ADDRESS_NOT_ALLOWED, FailureReason.UNEXPECTED})

_thread = threading.local()
"""`lifeline` of the read that this worker thread is doing."""


class _HttpConnection(HTTPConnection):
    def getresponse(self) -> Any:
        _thread.lifeline.hold(self.sock)
        return super().getresponse()


class _HttpsConnection(HTTPSConnection):
    def getresponse(self) -> Any:
        _thread.lifeline.hold(self.sock)
        return super().getresponse()


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


_SMALL_SECONDS = 2.0
_SMALL_BYTES = 200_000


# HAPI answers an identical search from a 60 s cache unless told not to.
_HEADERS = {
    "Accept": "application/fhir+json",
    "Accept-Encoding": "gzip, deflate",
    "Cache-Control": "no-cache",
    "Connection": "keep-alive",
    "User-Agent": "cds-service",
}


# An address that `requests` and urllib3 would send as it stands: nothing to encode, no step to another folder.
_PLAIN = re.compile(r"https?://[a-z0-9.:-]+/(?!.*/\.)(?!\.)[\w.~!$&'()*+,;=:@/?-]*", re.ASCII)


class _Wire(HTTPAdapter):
    """The connections to one server. Holds no credentials: tokens are per call and per patient.

    Beneath the sessions of `requests`: those follow redirects with the token or read their whole bodies, keep
    cookies, and look into `.netrc` and the environment for other credentials and proxies. They also cost as much
    again as the exchange itself; what its adapter does beside the exchange, for every read anew, is done once or
    left out below.
    """

    def __init__(self, *, pool_size: int, verify: bool | str, proxy: str | None) -> None:
        super().__init__(pool_connections=1, pool_maxsize=pool_size, max_retries=0)
        self._verify = verify
        self._proxies = {} if proxy is None else {"http": proxy, "https": proxy}
        self._pool: Any = None
        self._verified: Any = None

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        # Of one server, so its pool of connections is looked up once.
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(*args, **kwargs)
        return self._pool

    def cert_verify(self, conn: Any, *args: Any) -> None:
        # The settings belong to the pool, and looking for the CA bundle asks the disk.
        if self._verified is not conn:
            super().cert_verify(conn, *args)  # type: ignore[no-untyped-call]
            self._verified = conn

    def request_url(self, request: Any, proxies: Any) -> str:
        if proxies or not _PLAIN.fullmatch(request.url):
            return super().request_url(request, proxies)
        url: str = request.url
        return url[url.index("/", len("https://")) :]

    def build_response(self, req: Any, resp: Any) -> Any:  # noqa: ARG002
        # As urllib3 has it: nobody here asks for its cookies or its encoding.
        return resp

    def exchange(
        self, url: str, headers: Mapping[str, str], body: bytes | None, timeout: tuple[float, float]
    ) -> urllib3.BaseHTTPResponse:
        """A GET, or a POST of `body`; the answer's own body is still to be read. Raises what `requests` raises."""
        prepared: Any = requests.PreparedRequest()
        prepared.method = "GET" if body is None else "POST"
        if _PLAIN.fullmatch(url):
            prepared.url = url
        else:
            prepared.prepare_url(url, None)
        prepared.headers = {**_HEADERS, **headers}
        if body is not None:
            prepared.body = body
            prepared.headers["Content-Length"] = str(len(body))
        answer: Any = self.send(
            prepared, stream=True, timeout=timeout, verify=self._verify, proxies=self._proxies
        )
        return cast("urllib3.BaseHTTPResponse", answer)


class FhirClient:
    """Reads for all calls of this process. Make one, `close` it at the end.

    Args:
        threads: Reads under way at once, over all calls and servers. The default is twenty calls without prefetch,
            seven reads each: with fewer, the last of them would wait for the first to end.
        max_bytes: Largest page, after decompression.
        max_pages: Most pages of one search; what lies beyond is reported as not read.
        connect_timeout: Seconds for a connection; never more than the time left.
        verify_tls: True, or the path of a CA bundle; False only for a development server.
        proxy: Address of a forward proxy. The environment's proxy settings are ignored.
        breaker_failures: Failed reads in a row after which a server is left alone.
        breaker_pause: Seconds it is left alone before one read tries again.
        clock: Monotonic clock of the breaker.
    """

    def __init__(
        self,
        *,
        threads: int = 144,
        max_bytes: int = 10_000_000,
        max_pages: int = 10,
        connect_timeout: float = 1.0,
        verify_tls: bool | str = True,
        proxy: str | None = None,
        breaker_failures: int = 10,
        breaker_pause: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="fhir")
        self._reader = Reader(self._exchange, max_pages)
        self._max_bytes = max_bytes
        self._connect_timeout = connect_timeout
        self._new_wire = partial(_Wire, pool_size=threads, verify=verify_tls, proxy=proxy)
        self._new_breaker = partial(CircuitBreaker, breaker_failures, breaker_pause, clock)
        self._wires: dict[str, _Wire] = {}
        self._breakers: dict[str, CircuitBreaker] = {}

    def close(self) -> None:
        """End all idle connections; reads still under way end with their deadline. Not to be used again."""
        self._executor.shutdown(wait=False)
        for wire in self._wires.values():
            wire.close()

    def circuit_open(self, base: str) -> bool:
        """Whether the server at `base` (in its clean form) is left alone because it kept failing."""
        breaker = self._breakers.get(base)
        return breaker is not None and breaker.is_open

    def fetch_key_set(self, url: str) -> bytes:
        """A client's pinned key set (configuration, never an address that came with a call); blocking.

        Raises:
            requests.RequestException, urllib3.exceptions.HTTPError: no answer, or not in time.
            ValueError: not a plain 200, or far too large for a key set.
        """
        status, body = self.exchange("GET", url)
        if status != HTTPStatus.OK:
            raise ValueError("the key set could not be fetched")
        return body

    def exchange(
        self,
        method: Literal["GET", "POST"],
        url: str,
        *,
        form: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Status and body of one small exchange with an address that the configuration vouches for; blocking.

        Args:
            method: `POST` sends `form`, already encoded.
            url: a client's key set, or the OAuth addresses that its allowed FHIR server names.
            form: body of a POST.
            headers: beside our own.

        Raises:
            requests.RequestException, urllib3.exceptions.HTTPError: no answer, or not in time.
            ValueError: cut off, or far too large.
        """
        lifeline = _thread.lifeline = Lifeline()
        # The time limit of requests is one for each read of the socket: a dripping server would hold the thread.
        timer = threading.Timer(_SMALL_SECONDS, lifeline.cut)
        timer.start()
        try:
            with (
                closing(self._new_wire()) as wire,
                wire.exchange(
                    url,
                    {"Accept": "application/json", **(headers or {})},
                    (form or "").encode() if method == "POST" else None,
                    (_SMALL_SECONDS, _SMALL_SECONDS),
                ) as response,
            ):
                body = response.read(_SMALL_BYTES + 1, decode_content=True)
                if len(body) > _SMALL_BYTES or lifeline.is_cut:
                    raise ValueError("the answer came too slowly or is too large")
                return response.status, body
        finally:
            timer.cancel()
            lifeline.hold(None)

    async def get_many(
        self, access: FhirAccess, queries: Sequence[str], deadline: Deadline, *, batch: bool = False
    ) -> list[Fetched | Failed]:
        """Read all queries in parallel; the answers stand in the order of the queries.

        Args:
            access: Where to read and with which token.
            queries: Reads (`Patient/1`) and searches relative to the base, or absolute addresses under it.
            deadline: When the answers must be there. At that moment unfinished reads are given up; pages
                read until then are kept.
            batch: Send one batch Bundle instead of many GETs. A server that refuses it gets GETs.

        Never raises but for cancellation, which cuts the reads as well.
        """
        base = clean_base(access.base)
        if base is None:
            return [Failed(FailureReason.ADDRESS_NOT_ALLOWED) for _ in queries]
        if access.token is not None and not _TOKEN.fullmatch(access.token):
            return [Failed(FailureReason.NOT_PERMITTED) for _ in queries]
        if base not in self._wires:
            self._wires[base] = self._new_wire()
            self._breakers[base] = self._new_breaker()
        budget = deadline.left()
        reads = [Read(access, base, query, deadline, budget) for query in queries]
        if batch and len(reads) > 1 and self._reader.supports_batch(base):
            carrier = Read(access, base, "", deadline, budget)
            await self._run([carrier], partial(self._reader.send_batch, reads))
        return await self._run(reads, self._reader.read)

    async def _run(
        self, reads: Sequence[Read], work: Callable[[Read], Fetched | Failed]
    ) -> list[Fetched | Failed]:
        """Do `work` for the reads of one call on threads, within their deadline, and tell the breaker how it went.

        Threads take reads in the order in which they came, over all calls; one that none has taken in good time
        is given up, because what is left would not do for an answer.
        """
        answers = [self._refusal(read) for read in reads]
        started = {
            number: self._start(read, work) for number, read in enumerate(reads) if answers[number] is None
        }

        def give_up_waiting() -> None:
            for number, future in started.items():
                if answers[number] is None and future.cancel():
                    answers[number] = reads[number].failed(FailureReason.SERVER_BUSY)

        if started:
            read = reads[0]
            patience = read.deadline.within(read.budget * _ADMISSION_SHARE).left()
            giving_up = asyncio.get_running_loop().call_later(patience, give_up_waiting)
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(read.deadline.left()):
                        await _all_done(started.values())
            finally:
                giving_up.cancel()
                give_up_waiting()
                for number in started:
                    reads[number].lifeline.cut()
        return [
            answer or self._outcome(reads[number], started[number]) for number, answer in enumerate(answers)
        ]

    def _refusal(self, read: Read) -> Failed | None:
        """Why this read is not even begun; None if it is."""
        refusal = self._breakers[read.base].refusal() if read.first is None else None
        if refusal is None and read.deadline.left() <= 0:
            refusal = FailureReason.NO_ANSWER_IN_TIME
        return None if refusal is None else read.failed(refusal)

    def _start(self, read: Read, work: Callable[[Read], Fetched | Failed]) -> Future[Fetched | Failed]:
        try:
            return self._executor.submit(_on_thread, read, work)
        except RuntimeError:  # the client was closed
            never: Future[Fetched | Failed] = Future()
            never.cancel()
            return never

    def _outcome(self, read: Read, future: Future[Fetched | Failed]) -> Fetched | Failed:
        """What came of a read that a thread has taken."""
        result = (
            future.result() if future.done() else read.so_far or read.failed(FailureReason.NO_ANSWER_IN_TIME)
        )
        _report(self._breakers[read.base], read, result)
        return result

    def _exchange(self, read: Read, url: str, batch: bytes | None) -> bytes:
        """One request. Every way in which it can fail becomes a NoAnswer."""
        try:
            return self._send(read, url, batch)
        except (requests.exceptions.SSLError, urllib3.exceptions.SSLError):
            raise NoAnswer(FailureReason.UNREACHABLE) from None
        except requests.exceptions.ConnectTimeout:
            raise NoAnswer(FailureReason.UNREACHABLE, retry_after=jitter()) from None
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
            raise NoAnswer(FailureReason.NO_ANSWER_IN_TIME) from None
        except urllib3.exceptions.DecodeError:
            raise NoAnswer(FailureReason.NOT_FHIR) from None
        except (requests.exceptions.ConnectionError, urllib3.exceptions.HTTPError):
            raise NoAnswer(FailureReason.UNREACHABLE, retry_after=jitter()) from None

    def _send(self, read: Read, url: str, batch: bytes | None) -> bytes:
        left = read.deadline.left()
        if left <= 0 or read.lifeline.is_cut:
            raise NoAnswer(FailureReason.NO_ANSWER_IN_TIME)
        headers = {} if read.access.token is None else {"Authorization": f"Bearer {read.access.token}"}
        if batch is not None:
            headers["Content-Type"] = "application/fhir+json"
        timeout = min(self._connect_timeout, left), left
        with self._wires[read.base].exchange(url, headers, batch, timeout) as response:
            check_status(response.status, response.headers.get("Retry-After"))
            if "json" not in response.headers.get("Content-Type", "json").lower():
                raise NoAnswer(FailureReason.NOT_FHIR)
            return self._body(read, response)

    def _body(self, read: Read, response: urllib3.BaseHTTPResponse) -> bytes:
        body = bytearray()
        # read1 returns what has arrived; iter_content would wait for a full chunk, however slow it drips.
        while chunk := response.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > self._max_bytes:
                raise NoAnswer(FailureReason.TOO_LARGE)
            if read.deadline.left() <= 0:
                raise NoAnswer(FailureReason.NO_ANSWER_IN_TIME)
        return bytes(body)


def _all_done(futures: Collection[Future[Fetched | Failed]]) -> asyncio.Future[None]:
    """Done when the last of them is. Only that one wakes the event loop, which costs as much as parsing an answer."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    left = count(len(futures) - 1, -1)

    def wake() -> None:
        if not done.done():
            done.set_result(None)

    def one_done(_: Future[Fetched | Failed]) -> None:
        if next(left) == 0:
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(wake)

    for future in futures:
        future.add_done_callback(one_done)
    return done


def _on_thread(read: Read, work: Callable[[Read], Fetched | Failed]) -> Fetched | Failed:
    _thread.lifeline = read.lifeline
    try:
        return work(read)
    except NoAnswer as error:
        return read.so_far or read.failed(error.reason)
    except Exception as error:  # noqa: BLE001 - a fault here must cost one source, never the whole answer
        # Only the type: message and traceback would hold the address, and so a patient id.
        _log.error("fhir_read_crashed", extra={"error_type": type(error).__name__})
        return read.failed(FailureReason.UNEXPECTED)
    finally:
        read.lifeline.hold(None)


def _report(breaker: CircuitBreaker, read: Read, result: Fetched | Failed) -> None:
    reason = result.reason if isinstance(result, Failed) else None
    if reason in _SERVER_FAULTS:
        if reason is not FailureReason.NO_ANSWER_IN_TIME or read.budget >= _MIN_FAIR_SECONDS:
            breaker.failed(reason)
    elif reason not in _SAYS_NOTHING:
        breaker.succeeded()
