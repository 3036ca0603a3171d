"""A FHIR server that takes 50 ms for every read, and does nothing but wait: `python -m benchmarks.fake_fhir PORT`.

Under `/fhir` it is well; under `/hung` searches for Observations are never answered, under `/endless` their answers have
no end. A process of its own, so that neither its processor time nor its threads are counted as those of the service.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from typing import cast

import orjson

from benchmarks import bodies

DELAY_S = 0.05
_KINDS = {"Condition": "conditions", "Observation": "labs", "MedicationRequest": "medications"}


def answers() -> dict[bytes, bytes]:
    """Resource type -> what it is answered with; anything else gets an empty search set."""
    prefetch = json.loads(bodies.body("60KB"))["prefetch"]
    return {b"Patient": orjson.dumps(prefetch["patient"])} | {
        kind.encode(): orjson.dumps(prefetch[key]) for kind, key in _KINDS.items()
    }


class _Slow(asyncio.Protocol):
    answers: dict[bytes, bytes]
    empty = orjson.dumps({"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []})

    def __init__(self) -> None:
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """One request after the other: the head ends it, reads have no body."""
        self._unread += data
        while b"\r\n\r\n" in self._unread:
            head, _, self._unread = self._unread.partition(b"\r\n\r\n")
            _, base, kind, *_ = head.split(b" ", 2)[1].partition(b"?")[0].split(b"/")
            asyncio.get_running_loop().call_later(DELAY_S, self._answer, base, kind)

    def _answer(self, base: bytes, kind: bytes) -> None:
        if kind == b"Observation" and base == b"hung":
            return
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
        if kind == b"Observation" and base == b"endless":
            self._transport.write(head.encode() + b"\r\n")
            self._on_and_on()
            return
        body = self.answers.get(kind, self.empty)
        self._transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def _on_and_on(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b" " * 1_000_000)
            asyncio.get_running_loop().call_later(0.001, self._on_and_on)


async def _serve(port: int) -> None:
    _Slow.answers = answers()
    server = await asyncio.get_running_loop().create_server(_Slow, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1])))
