"""Calls without prefetch: seven reads each, from a FHIR server that takes 50 ms for every one.

The bar is against the slowest single read. What `requests` costs in CPU is printed beside it.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from benchmarks import bodies
from benchmarks.measure import Report, Row, at_most
from benchmarks.servers import free_port, served
from benchmarks.subjects import SIGN, engine
from cds_service import pipeline
from cds_service.engine import Engine
from cds_service.fhir.results import Deadline, FhirAccess

_CALLS = {1: 20, 20: 300, 200: 800}
_BAR_AT = 20
_SINGLE = 20
_FHIR_DEADLINE_S = 1.2


def run(report: Report) -> None:
    """A whole call at 1, 20 and 200 at once; then beside a server that hangs or does not end."""
    with _server() as root:
        base = f"{root}/fhir"
        with engine(fhir_bases=base, deadline_ms=20_000, fhir_deadline_ms=20_000) as built:
            single, single_cpu = asyncio.run(_single(built, base))
            report.add(Row("FHIR client", "slowest single GET: p50", single * 1000, "ms"))
            report.add(Row("FHIR client", "one read with `requests`, alone: CPU", single_cpu * 1e6, "us"))
            body = _without_prefetch(base)
            for together, calls in _CALLS.items():
                _at_once(report, built, body, together, calls, single)
        for name in ("hung", "endless"):
            _ill(report, f"{root}/{name}", name)


@contextmanager
def _server() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.fake_fhir", str(port)]
    with served(command, port, "/fhir/metadata", cores="1") as server:
        yield server.url


def _without_prefetch(base: str) -> bytes:
    request = json.loads(bodies.body("60KB"))
    request["fhirServer"] = base
    del request["prefetch"]
    return orjson.dumps(request)


async def _single(built: Engine, base: str) -> tuple[float, float]:
    """The median seconds of the slowest kind of read, one at a time, and the smallest CPU seconds of an empty one."""
    access = FhirAccess(base)
    medians, least = [], 1.0
    for kind in ("Patient/bench-1", "Observation?patient=bench-1", "Encounter?patient=bench-1"):
        seconds = []
        for _ in range(_SINGLE):
            begun, cpu = time.perf_counter(), time.process_time()
            await built.fhir.get_many(access, [kind], Deadline.after(5))
            seconds.append(time.perf_counter() - begun)
            least = min(least, time.process_time() - cpu)
        medians.append(statistics.median(seconds))
    return max(medians), least


def _at_once(report: Report, built: Engine, body: bytes, together: int, calls: int, single: float) -> None:
    seconds, cpu = asyncio.run(_drive(built, body, together, calls))
    p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
    ratio = p50 / single
    bar = at_most(ratio, 2.0) if together == _BAR_AT else {}
    what = f"no prefetch, {together} at once"
    unit = f"ms (p99 {p99 * 1000:.0f} ms)"
    report.add(Row("FHIR client", f"{what}: p50", p50 * 1000, unit, ratio, "slowest single GET", **bar))
    report.add(Row("FHIR client", f"{what}: CPU per call", cpu * 1e6, "us"))


async def _drive(built: Engine, body: bytes, together: int, calls: int) -> tuple[list[float], float]:
    """Wall seconds of each call, and CPU seconds of one."""
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


def _ill(report: Report, base: str, name: str) -> None:
    """The answer comes within the deadline, with the card that the other reads allow."""
    with engine(fhir_bases=base) as built:
        seconds, cpu = asyncio.run(_drive(built, _without_prefetch(base), 1, 3))
    worst = max(seconds)
    what = f"no prefetch, laboratory search {name}: slowest answer"
    within = at_most(worst, _FHIR_DEADLINE_S + 0.2)
    report.add(Row("FHIR client", what, worst * 1000, "ms", worst, "1 s", **within))
    report.add(Row("FHIR client", f"{what.partition(':')[0]}: CPU per call", cpu * 1e6, "us"))
