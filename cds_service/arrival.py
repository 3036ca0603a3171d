"""A request on its way in: its body within bounds of size and time, and whether its sender is still there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import TracebackType
from typing import Any

from cds_service.errors import BodyTooLarge, BodyTooSlow, UnsupportedEncoding
from cds_service.load.admission import Admission

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
# A call that is answered sooner needs nobody to watch its connection.
_UNWATCHED_S = 0.05


class Body:
    """The bytes of one request, held in memory that is counted until `let_go`."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._held = 0

    async def read(
        self, headers: Mapping[str, str], receive: Receive, *, limit: int, seconds: float
    ) -> bytes:
        """All of it, never more than `limit` bytes and never longer than `seconds`.

        Raises:
            UnsupportedEncoding: a compressed body.
            BodyTooLarge: more bytes, declared or sent.
            BodyTooSlow: not all there in time.
            Overloaded: too many bytes are held for other calls.
            SenderGone: the client has closed its connection.
        """
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedEncoding("Compressed request bodies are not accepted.")
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared) > limit:
            raise BodyTooLarge(f"The body is larger than {limit:,} bytes.")
        read: list[bytes] = []
        try:
            async with asyncio.timeout(seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise SenderGone
                    chunk = message.get("body", b"")
                    if self._held + len(chunk) > limit:
                        raise BodyTooLarge(f"The body is larger than {limit:,} bytes.")
                    self._admission.hold(len(chunk))
                    self._held += len(chunk)
                    read.append(chunk)
                    more = message.get("more_body", False)
        except TimeoutError:
            raise BodyTooSlow("The body did not arrive in time.") from None
        return read[0] if len(read) == 1 else b"".join(read)

    def let_go(self) -> None:
        """Give the memory back."""
        self._admission.free(self._held)
        self._held = 0


class SenderGone(Exception):
    """The client has closed its connection; there is nobody to answer."""


class WhileConnected:
    """Cancels what runs inside when the client goes away, and raises `SenderGone` instead.

    Args:
        receive: the ASGI channel of a request whose body has been read.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._listener: asyncio.Task[None] | None = None
        self._gone = False

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(_UNWATCHED_S, self._watch)

    def _watch(self) -> None:
        self._listener = asyncio.get_running_loop().create_task(self._listen())

    async def _listen(self) -> None:
        message = await self._receive()
        if message["type"] == "http.disconnect" and self._task is not None:
            self._gone = True
            self._task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()
        if self._gone and self._task is not None:
            self._task.uncancel()
            if isinstance(error, asyncio.CancelledError):
                raise SenderGone from None
