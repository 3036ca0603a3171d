"""Does the cost grow with the size of the request, and with nothing else? And does memory stay where it is?"""

from __future__ import annotations

import gc
import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import altair as alt

from benchmarks import bodies
from benchmarks.measure import Report, Row, at_most, interleaved
from benchmarks.subjects import answered, engine

OBSERVATIONS = (30, 100, 300, 600, 1200, 2300)
"""The last is a body of about 5 MB; below 30 the fixed cost of a call hides the growth."""
ORDERS = (1, 10, 25, 50, 100, 200)
_BAR = 1.05
_WARM_UP, _CALLS = 5_000, 100_000
_GROWTH_BYTES = 5_000_000


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
            exponent = fitted_exponent(points)
            what = f"{name}, {min(counts)} to {max(counts)}: fitted exponent of CPU over bytes"
            report.add(Row("growth", what, exponent, "", exponent, "linear is 1", **at_most(exponent, _BAR)))
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


def memory(report: Report) -> None:
    """Growth of the resident memory over 100,000 calls after warm-up."""
    body = bodies.body("10KB")
    with engine() as built:
        for _ in range(_WARM_UP):
            answered(built, body)
        gc.collect()
        before = _resident()
        for _ in range(_CALLS):
            answered(built, body)
        gc.collect()
        grown = _resident() - before
    report.add(
        Row(
            "memory",
            f"growth over {_CALLS:,} calls",
            grown / 1e6,
            "MB",
            grown / 1e6,
            "start",
            **at_most(grown / 1e6, _GROWTH_BYTES / 1e6),
        )
    )


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
