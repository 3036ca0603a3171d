"""Calls without prefetch: four reads each, from a FHIR server that takes 50 ms for every one.

The bar is against the slowest single read. What `requests` costs in CPU is printed beside it.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson

from benchmarks import bodies
from benchmarks.measure import Report, Row, at_most
from benchmarks.subjects import SIGN, engine
from cds_service import pipeline
from cds_service.engine import Engine

_DELAY_S = 0.05
_CALLS = {1: 20, 20: 300, 200: 800}
_KINDS = {"Condition": "conditions", "Observation": "labs", "MedicationRequest": "medications"}
_BAR_AT = 20


class _Slow(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    answers: dict[str, bytes] = {}  # noqa: RUF012 - filled before the server starts
    empty = orjson.dumps({"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []})

    def do_GET(self) -> None:
        kind = self.path.removeprefix("/fhir/").partition("?")[0].partition("/")[0]
        time.sleep(_DELAY_S)
        answer = self.answers.get(kind, self.empty)
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
            f"Content-Length: {len(answer)}\r\nConnection: keep-alive\r\n\r\n"
        )
        self.wfile.write(head.encode() + answer)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


@contextmanager
def _fhir_server() -> Iterator[str]:
    prefetch = json.loads(bodies.body("60KB"))["prefetch"]
    _Slow.answers = {"Patient": orjson.dumps(prefetch["patient"])} | {
        kind: orjson.dumps(prefetch[key]) for kind, key in _KINDS.items()
    }
    server = _Server(("127.0.0.1", 0), _Slow)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/fhir"
    finally:
        server.shutdown()
        thread.join()


def run(report: Report) -> None:
    """Median and p99 of a whole call at 1, 20 and 200 at once."""
    with (
        _fhir_server() as base,
        engine(fhir_bases=base, deadline_ms=20_000, fhir_deadline_ms=20_000) as built,
    ):
        request = json.loads(bodies.body("60KB"))
        request["fhirServer"] = base
        del request["prefetch"]
        body = orjson.dumps(request)
        for together, calls in _CALLS.items():
            seconds, cpu = asyncio.run(_drive(built, body, together, calls))
            p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
            ratio = p50 / _DELAY_S
            bar = at_most(ratio, 2.0) if together == _BAR_AT else {}
            what = f"no prefetch, {together} at once: p50"
            report.add(
                Row(
                    "FHIR client",
                    what,
                    p50 * 1000,
                    f"ms (p99 {p99 * 1000:.0f} ms)",
                    ratio,
                    "slowest single GET",
                    **bar,
                )
            )
            report.add(
                Row(
                    "FHIR client",
                    f"no prefetch, {together} at once: CPU per call, fake server included",
                    cpu * 1e6,
                    "us",
                )
            )


async def _drive(built: Engine, body: bytes, together: int, calls: int) -> tuple[list[float], float]:
    seconds: list[float] = []
    gate = asyncio.Semaphore(together)

    async def one() -> None:
        async with gate:
            begun = time.perf_counter()
            reply = await pipeline.answer(built, SIGN, {}, body)
            seconds.append(time.perf_counter() - begun)
            if b"vkaDialysisWarning" not in reply.body:
                raise AssertionError("a call without prefetch did not get its card")

    await asyncio.gather(*(one() for _ in range(min(together, calls))))
    seconds.clear()
    begun = time.process_time()
    await asyncio.gather(*(one() for _ in range(calls)))
    return seconds, (time.process_time() - begun) / calls
