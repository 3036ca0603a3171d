"""The regression gate: CPU ratios against the floor, in process, never wall time.

    python -m benchmarks.gate             compare with gate.json, a quarter of slack
    python -m benchmarks.gate --record    write the ratios of now as the new measure

Two floors, and what grew by more than the slack against both, twice, fails. A busy machine (its caches, the other half of
a core) takes a toll of Python's many small objects that a parse in C hardly pays: against that floor alone the gate would
sound for neighbours. The second floor is Python's own decoder of the same body, which pays it too. A case that shrank by
as much is told, so that the measure is renewed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Callable
from functools import partial
from json.scanner import py_make_scanner
from pathlib import Path
from typing import Any

import orjson

from benchmarks import bodies
from benchmarks.asgi_section import calls_of
from benchmarks.measure import interleaved, machine
from benchmarks.subjects import answered, engine, service_app

FILE = Path(__file__).with_name("gate.json")
SLACK = 1.25
TRIES = 2
# Turns of a single run each, and many of them: one falls into a quiet moment.
_ROUNDS = {"engine, 2MB": 25}
_MOST_ROUNDS = 200
_TOGETHER = 4
Least = dict[str, dict[str, float]]
"""Case -> the smallest CPU microseconds so far: under "" its own, under the names of the floors theirs."""
Ratios = dict[str, dict[str, float]]
"""Case -> floor -> how many times the floor it costs."""


def main() -> int:
    """0: no ratio grew beyond the slack; 1: one did, twice."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--record", action="store_true", help="write the ratios of now as the new measure")
    least: Least = {}
    if parser.parse_args().record:
        for _ in range(TRIES):
            measure(least)
        FILE.write_text(json.dumps({"machine": machine(), "ratios": ratios(least)}, indent=1) + "\n")
        return 0
    recorded: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    for _ in range(TRIES):
        measure(least)
        now = ratios(least)
        if not grown(now, recorded["ratios"]):
            break
    print(told(now, recorded["ratios"]))
    return 1 if grown(now, recorded["ratios"]) else 0


def grown(now: Ratios, recorded: Ratios) -> list[str]:
    """What costs more than the slack beyond its measure against every floor, or is not measured any more."""
    return [
        what
        for what, floors in recorded.items()
        if what not in now or all(now[what][floor] > before * SLACK for floor, before in floors.items())
    ]


def told(now: Ratios, recorded: Ratios) -> str:
    """One line for each case."""
    lines = []
    for what, floors in recorded.items():
        if what in grown(now, recorded):
            verdict = f"GREW by more than {SLACK - 1:.0%}"
        elif all(now[what][floor] * SLACK < before for floor, before in floors.items()):
            verdict = "ok, and so much less that the measure should be renewed (--record)"
        else:
            verdict = "ok"
        figures = (
            f"{now.get(what, {}).get(floor, float('nan')):.2f} x {floor} (recorded {before:.2f})"
            for floor, before in floors.items()
        )
        lines.append(f"{what}: {', '.join(figures)}: {verdict}")
    return "\n".join(lines)


def ratios(least: Least) -> Ratios:
    """Each case over its floors, of which the smallest CPU times are given."""
    return {
        what: {floor: round(times[""] / times[floor], 3) for floor in times if floor}
        for what, times in least.items()
    }


def measure(least: Least) -> None:
    """Run every case and its floors in turn; what was quicker than in `least` takes its place there."""
    with engine() as built:
        for name, body in (
            ("60KB", bodies.body("60KB")),
            ("2MB", bodies.body("2MB")),
            ("dirty", bodies.dirty()),
        ):
            _take(least, f"engine, {name}", body, partial(answered, built, body))
    body = bodies.body("60KB")
    with tempfile.TemporaryDirectory() as folder, engine(Path(folder)) as built, asyncio.Runner() as runner:
        calls = calls_of(runner, service_app(built), body, together=_TOGETHER)
        _take(least, "service with durable record, in process, 60KB", body, calls, _TOGETHER)


def _take(least: Least, what: str, body: bytes, case: Callable[[], object], calls: int = 1) -> None:
    text = body.decode()
    cases = {"": case, "orjson": lambda: orjson.loads(body), "Python": lambda: _PYTHON.decode(text)}
    before = least.setdefault(what, {})
    rounds = _ROUNDS.get(what, _MOST_ROUNDS)
    for name, figure in interleaved(cases, rounds=rounds, round_s=0).items():
        microseconds = figure.least if name else figure.least / calls
        before[name] = min(microseconds, before.get(name, microseconds))


class _PythonDecoder(json.JSONDecoder):
    """The decoder of the standard library without its C scanner."""

    def __init__(self) -> None:
        super().__init__()
        self.scan_once = py_make_scanner(self)


_PYTHON = _PythonDecoder()

if __name__ == "__main__":
    raise SystemExit(main())
