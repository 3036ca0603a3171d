"""Request bytes to card bytes in one process, beside parsing alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial

import orjson

from benchmarks import bodies
from benchmarks.measure import Report, Row, at_most, drifted, interleaved
from benchmarks.subjects import SIGN, answered, engine, signature
from cds_service import pipeline
from cds_service.engine import Engine
from cds_service.protocol.request import decode_request

BARS = {"60KB": 0.7, "2MB": 0.35, "dirty": 0.9}
_STAGES = ("trust", "decode", "drafts", "trigger", "complete", "normalise", "evaluate", "compose")
_OURS = frozenset(_STAGES) - {"trust", "decode"}
_BUDGET = 0.37
"""What 0.7 times the floor leaves beside decoding for everything from the drafts to the cards (65 of 177 us)."""
_TRACED = 200


def run(report: Report) -> None:
    """The engine's rows: floor, typed decode alone, the whole engine, and where its time goes."""
    with engine() as built:
        expected = signature(answered(built, bodies.body("60KB")))
        for size in (*bodies.SIZES, "dirty"):
            body = bodies.dirty() if size == "dirty" else bodies.body(size)
            if signature(answered(built, body))[0][:2] != expected[0][:2]:
                raise AssertionError(f"{size}: not the card of the 60 KB body")
            _size(report, size, body, partial(answered, built, body))
        _stages(report, built)


def _size(report: Report, size: str, body: bytes, whole: Callable[[], object]) -> None:
    figures = interleaved(
        {
            "orjson.loads (floor)": lambda: orjson.loads(body),
            "json.loads": lambda: json.loads(body),
            "typed decode of the request": lambda: decode_request(body),
            "engine, request bytes to card bytes": whole,
            "floor again": lambda: orjson.loads(body),
        }
    )
    floor = figures["orjson.loads (floor)"]
    if drifted(floor, figures["floor again"]):
        report.invalid(f"engine {size}: the floor moved by more than 15 % within the run")
    for what, figure in figures.items():
        ratio = figure.least / floor.least
        bar = at_most(ratio, BARS[size]) if what.startswith("engine") and size in BARS else {}
        report.add(Row("engine", f"{what}, {size}", figure.least, "us", ratio, "orjson.loads", **bar))


def _stages(report: Report, built: Engine) -> None:
    """The budget line: time of each stage of one traced 60 KB call, the smallest of many."""
    least: dict[str, float] = {}
    body = bodies.body("60KB")
    for _ in range(_TRACED):
        reply = asyncio.run(pipeline.trace(built, SIGN, {}, body))
        for stage, ms in json.loads(reply.body)["timings"].items():
            least[stage] = min(ms, least.get(stage, ms))
    floor = interleaved({"floor": lambda: orjson.loads(body)}).pop("floor").least
    for stage in filter(least.__contains__, _STAGES):
        report.add(
            Row("stages, 60KB", stage, least[stage] * 1000, "us", least[stage] * 1000 / floor, "orjson.loads")
        )
    ours = sum(ms * 1000 for stage, ms in least.items() if stage in _OURS)
    bar = at_most(ours / floor, _BUDGET)
    report.add(
        Row("stages, 60KB", "drafts to compose together", ours, "us", ours / floor, "orjson.loads", **bar)
    )
