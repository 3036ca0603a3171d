"""Does the cost grow with the size of the request, and with nothing else? And does memory stay where it is?"""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import altair as alt

from benchmarks import bodies
from benchmarks.measure import Report, Row, at_most, interleaved
from benchmarks.subjects import answered, engine, request, service_app

OBSERVATIONS = (2, 8, 30, 100, 300, 600, 1200, 2300)
"""From a body of 10 KB to one of about 5 MB."""
_STEEP = 100_000
"""Bytes below which the fixed cost of a call hides the growth: the rest is fitted once more without."""
ORDERS = (1, 10, 25, 50, 100, 200)
_BAR = 1.05
CALLS = 100_000
_WARM_UP_SHARE = 0.1
_GROWTH_BYTES = 5_000_000
_TOGETHER = 16
_OK = 200


def run(report: Report, figure: Path | None = None) -> None:
    """Fitted exponents of CPU against bytes, for more results and for more active orders."""
    series = {}
    with engine() as built:
        for name, make, counts in (
            ("results", bodies.with_observations, OBSERVATIONS),
            ("active orders", bodies.with_orders, ORDERS),
        ):
            sent = {count: make(count) for count in counts}
            cases = {str(count): partial(answered, built, body) for count, body in sent.items()}
            taken = interleaved(cases, rounds=3)
            points = {len(sent[count]): taken[str(count)].least for count in counts}
            series[name] = points
            large = {size: cost for size, cost in points.items() if size >= _STEEP}
            for what, fitted in ((f"{min(counts)} to {max(counts)}", points), ("from 100 KB", large)):
                exponent = fitted_exponent(fitted)
                said = f"{name}, {what}: fitted exponent of CPU over bytes"
                bar = at_most(exponent, _BAR)
                report.add(Row("growth", said, exponent, "", exponent, "linear is 1", **bar))
    if figure is not None:
        _draw(series, figure)


def fitted_exponent(points: Mapping[int, float]) -> float:
    """Slope of the least-squares line through log(cost) over log(size)."""
    xs = [math.log(size) for size in points]
    ys = [math.log(cost) for cost in points.values()]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread


def _draw(series: Mapping[str, Mapping[int, float]], figure: Path) -> None:
    rows = [
        {"KB": size / 1000, "ms": cost / 1000, "growing": name}
        for name, points in series.items()
        for size, cost in points.items()
    ]
    chart = (
        alt.Chart(
            {"values": rows},
            width=520,
            height=300,
            title="CPU of one order-sign call by size of its request",
        )
        .mark_line(point=True)
        .encode(
            x=alt.X("KB:Q", scale=alt.Scale(type="log"), title="request, KB (log scale)"),
            y=alt.Y("ms:Q", scale=alt.Scale(type="log"), title="CPU, ms (log scale)"),
            color=alt.Color("growing:N", title="growing"),
        )
    )
    chart.save(str(figure))


def memory(report: Report, calls: int = CALLS) -> None:
    """Growth of the resident memory over so many calls after warm-up: of the engine, and of a worker with its record."""
    body = bodies.body("10KB")
    with engine() as built:
        _grown(report, "engine", lambda: answered(built, body), calls, 1)
    with TemporaryDirectory() as folder, engine(Path(folder)) as built, asyncio.Runner() as runner:
        app = service_app(built)

        async def together() -> None:
            answers = await asyncio.gather(*(request(app, body) for _ in range(_TOGETHER)))
            if any(status != _OK for status, _ in answers):
                raise AssertionError("a call was refused")

        _grown(report, "worker with durable record", lambda: runner.run(together()), calls, _TOGETHER)


def _grown(report: Report, what: str, call: Callable[[], object], calls: int, per_call: int) -> None:
    for _ in range(int(calls * _WARM_UP_SHARE) // per_call):
        call()
    gc.collect()
    before = _resident()
    for _ in range(calls // per_call):
        call()
    gc.collect()
    grown = (_resident() - before) / 1e6
    bar = at_most(grown, _GROWTH_BYTES / 1e6)
    report.add(Row("memory", f"{what}: growth over {calls:,} calls", grown, "MB", grown, "1 MB", **bar))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
